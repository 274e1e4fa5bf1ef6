// Package audit writes down what connections do, for the people whose
// connections they are. It stands between the tools and the store so that a
// slow or broken store never makes a call slow: what cannot be written in time
// is counted and said, not waited for.
package audit

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/store"
	"nextcloud-mcp-server/internal/tool"
)

// Appender keeps entries.
type Appender interface {
	AppendAudit(ctx context.Context, entries []store.AuditEntry) error
}

// maxQueue bounds the entries that wait to be written.
const maxQueue = 4096

// Recorder takes entries without making anybody wait. It is safe for
// concurrent use.
type Recorder struct {
	to      Appender
	log     *slog.Logger
	now     func() time.Time
	queue   chan store.AuditEntry
	dropped atomic.Int64
}

// Options are the optional parts of a Recorder; nil means all defaults.
type Options struct {
	Queue int              // entries that may wait to be written; default 4096
	Now   func() time.Time // the clock; default time.Now
}

// New is a recorder that writes to the given store while Run runs.
func New(to Appender, log *slog.Logger, opts *Options) *Recorder {
	r := &Recorder{to: to, log: log, now: time.Now}
	size := maxQueue
	if opts != nil {
		if opts.Queue > 0 {
			size = opts.Queue
		}
		if opts.Now != nil {
			r.now = opts.Now
		}
	}
	r.queue = make(chan store.AuditEntry, size)
	return r
}

// Record notes what a connection did. It returns at once; with too many
// entries waiting it drops this one and counts it.
func (r *Recorder) Record(e tool.Entry) {
	if e.Principal == nil || e.Principal.GrantID == "" {
		return // nobody whom it could be shown to
	}
	client := e.Principal.ClientName
	if client == "" {
		client = e.Principal.ClientID
	}
	entry := store.AuditEntry{
		At: r.now(), UserID: nextcloud.UserID(e.Principal.Subject), GrantID: e.Principal.GrantID, ClientName: client,
		Tool: e.Tool, Object: e.Object, Outcome: e.Outcome,
	}
	select {
	case r.queue <- entry:
	default:
		r.dropped.Add(1)
	}
}

// Dropped is how many entries were lost so far.
func (r *Recorder) Dropped() int64 { return r.dropped.Load() }
