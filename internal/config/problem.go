package config

import (
	"slices"
	"strings"
)

// Problem is one setting that keeps the process from starting.
type Problem struct {
	Variable string // the environment variable, or the flag where there is none
	Source   string // where the wrong value stands, when not in the environment
	Wrong    string // one sentence, without secrets
	Example  string // a right value; may be empty
}

// String is the problem in one line.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.Variable)
	if p.Source != "" && p.Source != p.Variable {
		b.WriteString(" (" + p.Source + ")")
	}
	b.WriteString(": " + p.Wrong)
	if p.Example != "" {
		b.WriteString("; example: " + p.Example)
	}
	return b.String()
}

// Problems are all that is wrong with a configuration. As an error it is never
// empty.
type Problems []Problem //nolint:errname // problems are what people read, and a list of them is not one error

// Error is one problem a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// Add notes that variable is wrong; the example comes from the table.
func (p *Problems) Add(variable, wrong string) {
	problem := Problem{Variable: variable, Wrong: wrong}
	if s := Lookup(variable); s != nil {
		problem.Example = s.example()
	}
	*p = append(*p, problem)
}

// Has reports whether something is wrong with variable already, so that a
// value that could not be read is not called missing too.
func (p Problems) Has(variable string) bool {
	return slices.ContainsFunc(p, func(problem Problem) bool { return problem.Variable == variable })
}

// err is p as an error, in the order of the table; nil when there is none.
func (p Problems) err() error {
	if len(p) == 0 {
		return nil
	}
	slices.SortStableFunc(p, func(a, b Problem) int { return position(a.Variable) - position(b.Variable) })
	return p
}

// Warning is something to know that does not keep the process from starting.
type Warning struct {
	Variable string
	Text     string // one sentence, without secrets
}

// String is the warning in one line.
func (w Warning) String() string { return w.Variable + ": " + w.Text }
