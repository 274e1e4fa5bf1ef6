package doctor

import (
	"context"
	"iter"
)

// check is one row of the table.
type check struct {
	id    string
	title string
	// needs are the checks that must not have found a problem before.
	needs []string
	// concerns reports whether the check makes sense for what is examined.
	concerns func(v *visit) bool
	run      func(ctx context.Context, v *visit) finding
}

// finding is what a check came to. The zero value says nothing, and is left
// out of the report: only the answers showed that the check does not apply.
type finding struct {
	status Status
	detail string
	fix    string
	also   []finding // more lines of the same check
}

// and adds lines of the same check.
func (f finding) and(more ...finding) finding {
	f.also = append(f.also, more...)
	return f
}

// lines are the finding and what it has beside, without those that say
// nothing.
func (f finding) lines() []finding {
	var out []finding
	if f.status != "" {
		out = append(out, f)
	}
	for _, more := range f.also {
		out = append(out, more.lines()...)
	}
	return out
}

// failed reports whether other checks cannot build on the finding's check.
func (f finding) failed() bool {
	for _, line := range f.lines() {
		if line.status == Problem {
			return true
		}
	}
	return false
}

// examine runs the checks that concern v, each as soon as those it needs are
// done, and yields the results in their order.
func (v *visit) examine(ctx context.Context, checks []check) iter.Seq[Result] {
	type outcome struct {
		finding finding
		blocked bool // failed, or skipped because another one failed
	}
	type running struct {
		check
		done    chan struct{} // closed when outcome is there
		outcome outcome
	}
	var all []*running
	byID := map[string]*running{}
	for _, c := range checks {
		if c.concerns != nil && !c.concerns(v) {
			continue
		}
		r := &running{check: c, done: make(chan struct{})}
		all, byID[c.id] = append(all, r), r
		var needed []*running
		for _, id := range c.needs {
			if before := byID[id]; before != nil { // it stands before c in the table, or does not concern v
				needed = append(needed, before)
			}
		}
		go func() {
			defer close(r.done)
			for _, before := range needed {
				<-before.done
				if before.outcome.blocked {
					r.outcome = outcome{notChecked(before.title), true}
					return
				}
			}
			own, cancel := context.WithTimeout(ctx, v.opts.Each)
			defer cancel()
			f := c.run(own, v)
			r.outcome = outcome{f, f.failed()}
		}()
	}
	return func(yield func(Result) bool) {
		for _, r := range all {
			<-r.done
			for _, line := range r.outcome.finding.lines() {
				if !yield(Result{ID: r.id, Title: r.title, Status: line.status, Detail: line.detail, Fix: line.fix}) {
					return
				}
			}
		}
	}
}
