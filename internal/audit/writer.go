package audit

import (
	"context"
	"time"

	"nextcloud-mcp-server/internal/store"
)

const (
	// maxBatch bounds the entries of one write.
	maxBatch = 256
	// delay is how long an entry waits for others to be written with, and how
	// long a failed write waits for its next try.
	delay = time.Second
	// maxTries is how often a batch is tried. What cannot be written for so
	// long may be the batch's own fault, and must not hold up the others.
	maxTries = 60
	// writeTimeout bounds one write.
	writeTimeout = 5 * time.Second
	// stopTimeout bounds all writes after the stop.
	stopTimeout = 5 * time.Second
)

// Run writes what is recorded, at most a second later, until ctx ends; then it
// writes what is left, within a few seconds.
func (r *Recorder) Run(ctx context.Context) {
	w := writer{recorder: r}
	var due <-chan time.Time // when what waits is written
	for {
		queue := r.queue
		if len(w.waiting) >= maxBatch {
			queue = nil // a write failed; the queue keeps the rest
		}
		select {
		case <-ctx.Done():
			w.drain(ctx)
			return
		case e := <-queue:
			w.waiting = append(w.waiting, e)
			if len(w.waiting) >= maxBatch && w.tries == 0 {
				w.write(ctx)
			}
		case <-due:
			due = nil
			w.write(ctx)
		}
		switch {
		case len(w.waiting) == 0:
			due = nil
		case due == nil:
			due = time.After(delay)
		}
	}
}

// writer is the state of one Run.
type writer struct {
	recorder *Recorder
	waiting  []store.AuditEntry
	tries    int   // of what waits, all of them failed
	known    int64 // losses that were seen
	losing   bool  // since they were told
}

// write tries to write what waits, and keeps it when that fails.
func (w *writer) write(ctx context.Context) {
	r := w.recorder
	w.tell(ctx)
	// A stop in the middle must not make it fail.
	timeout, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	if err := r.to.AppendAudit(timeout, w.waiting); err != nil {
		if w.tries == 0 {
			r.log.WarnContext(ctx, "What connections do cannot be written down now; trying again", "error", err)
		}
		if w.tries++; w.tries < maxTries {
			return
		}
		r.dropped.Add(int64(len(w.waiting)))
	} else if w.tries > 0 {
		r.log.InfoContext(ctx, "What connections do is written down again")
	}
	w.tries, w.waiting = 0, w.waiting[:0]
}

// tell says once in the log that entries are being lost, and how many there
// were when it is over.
func (w *writer) tell(ctx context.Context) {
	lost := w.recorder.Dropped()
	switch {
	case lost != w.known && !w.losing:
		w.recorder.log.WarnContext(ctx, "Not everything that connections do can be written down", "lost", lost)
		w.losing = true
	case lost == w.known && w.losing:
		w.recorder.log.InfoContext(ctx, "Everything that connections do is written down again", "lost", lost)
		w.losing = false
	}
	w.known = lost
}

// drain writes everything that was recorded before the stop.
func (w *writer) drain(ctx context.Context) {
	end := time.Now().Add(stopTimeout)
	for {
		for len(w.waiting) < maxBatch && len(w.recorder.queue) > 0 {
			w.waiting = append(w.waiting, <-w.recorder.queue)
		}
		if len(w.waiting) == 0 {
			w.tell(ctx)
			return
		}
		w.write(ctx)
		if len(w.waiting) > 0 || time.Now().After(end) {
			break // it failed
		}
	}
	if left := len(w.waiting) + len(w.recorder.queue); left > 0 {
		w.recorder.dropped.Add(int64(left))
		w.tell(ctx)
	}
}
