package audit_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/audit"
	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/store"
	"nextcloud-mcp-server/internal/tool"
)

// ledger keeps what is written, and fails or hangs when a test wants it.
type ledger struct {
	mu      sync.Mutex
	entries []store.AuditEntry
	writes  int
	err     error
	hang    chan struct{} // a write waits for its end
}

func (l *ledger) AppendAudit(ctx context.Context, entries []store.AuditEntry) error {
	l.mu.Lock()
	hang := l.hang
	l.mu.Unlock()
	if hang != nil {
		select {
		case <-hang:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writes++
	if l.err != nil {
		return l.err
	}
	l.entries = append(l.entries, slices.Clone(entries)...)
	return nil
}

func (l *ledger) set(err error, hang chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err, l.hang = err, hang
}

func (l *ledger) state() (entries, writes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.entries), l.writes
}

// logBuffer is a log that a test reads.
type logBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), text)
}

// run is a recorder at work; stop ends it and waits.
func run(t *testing.T, to audit.Appender, opts *audit.Options) (r *audit.Recorder, log *logBuffer, stop func()) {
	t.Helper()
	log = &logBuffer{}
	r = audit.New(to, slog.New(slog.NewTextHandler(log, nil)), opts)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Run(ctx)
	}()
	return r, log, func() { cancel(); <-done }
}

var alice = &auth.Principal{Subject: "alice", ClientID: "ncmcp_client_1", ClientName: "Claude", GrantID: "g1", Token: "secret-token"}

func entry(i int) tool.Entry {
	return tool.Entry{Principal: alice, Tool: "nc_notes_get_note", Object: strconv.Itoa(i), Outcome: "ok"}
}

func TestRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{}
		r, _, stop := run(t, l, nil)
		r.Record(entry(1))
		unnamed := *alice
		unnamed.ClientName = ""
		r.Record(tool.Entry{Principal: &unnamed, Tool: "nc_notes_delete_note", Object: "2", Outcome: "not found"})
		r.Record(tool.Entry{Principal: &auth.Principal{Subject: "bob"}, Tool: "nc_notes_get_note", Outcome: "ok"})
		r.Record(tool.Entry{Tool: "nc_notes_get_note", Outcome: "ok"})
		start := time.Now()
		time.Sleep(time.Second)
		synctest.Wait()
		want := []store.AuditEntry{
			{At: start, UserID: "alice", GrantID: "g1", ClientName: "Claude", Tool: "nc_notes_get_note", Object: "1", Outcome: "ok"},
			{At: start, UserID: "alice", GrantID: "g1", ClientName: "ncmcp_client_1", Tool: "nc_notes_delete_note", Object: "2", Outcome: "not found"},
		}
		if diff := cmp.Diff(want, l.entries); diff != "" || l.writes != 1 {
			t.Errorf("%d writes (-want +got)\n%s", l.writes, diff)
		}
		stop()
		if l.writes != 1 {
			t.Error("something was written twice")
		}
	})
}

// TestBatches checks that much at once is written at once, in few writes and
// in order.
func TestBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{}
		r, _, stop := run(t, l, nil)
		for i := range 1000 {
			r.Record(entry(i))
		}
		synctest.Wait()
		if n, writes := l.state(); n != 768 || writes != 3 {
			t.Errorf("%d entries in %d writes before the second is over", n, writes)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n, writes := l.state(); n != 1000 || writes != 4 {
			t.Errorf("%d entries in %d writes", n, writes)
		}
		for i, e := range l.entries {
			if e.Object != strconv.Itoa(i) {
				t.Fatalf("entry %d is %s", i, e.Object)
			}
		}
		stop()
	})
}

func TestStopWritesWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{}
		r, log, stop := run(t, l, nil)
		for i := range 700 {
			r.Record(entry(i))
		}
		stop()
		if n, _ := l.state(); n != 700 || r.Dropped() != 0 || log.count("\n") != 0 {
			t.Errorf("%d entries, %d lost", n, r.Dropped())
		}
	})
}

// TestStopDoesNotWaitForEver checks that a store that hangs holds up the stop
// for seconds at most.
func TestStopDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{hang: make(chan struct{})}
		r, log, stop := run(t, l, nil)
		for i := range 700 {
			r.Record(entry(i))
		}
		start := time.Now()
		stop()
		if took := time.Since(start); took > 15*time.Second {
			t.Errorf("it took %s", took)
		}
		if r.Dropped() != 700 || log.count("lost=700") != 1 {
			t.Errorf("%d lost", r.Dropped())
		}
	})
}

// TestFull checks that a store that hangs makes nobody wait, and that losses
// are counted and said once.
func TestFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{}
		hang := make(chan struct{})
		l.set(nil, hang)
		r, log, stop := run(t, l, &audit.Options{Queue: 10})
		r.Record(entry(0))
		time.Sleep(time.Second) // the write of this one hangs
		synctest.Wait()
		start := time.Now()
		for i := range 30 {
			r.Record(entry(i))
		}
		if time.Since(start) != 0 || r.Dropped() != 20 {
			t.Errorf("%d lost after %s", r.Dropped(), time.Since(start))
		}
		l.set(nil, nil)
		close(hang)
		for range 5 {
			time.Sleep(2 * time.Second)
			r.Record(entry(0))
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n, _ := l.state(); n != 16 {
			t.Errorf("%d entries", n)
		}
		if log.count("level=WARN") != 1 || log.count("lost=20") != 2 {
			t.Errorf("%s", log.b.String())
		}
		stop()
	})
}

// TestMemoryIsBounded checks that a store that fails for long does not make
// entries pile up.
func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{err: errors.New("disk full")}
		r, _, stop := run(t, l, &audit.Options{Queue: 10})
		for i := range 300 {
			r.Record(entry(i))
			synctest.Wait()
		}
		if n := r.Dropped(); n != 300-256-10 {
			t.Errorf("%d lost", n)
		}
		stop()
	})
}

// TestStoreFails checks that what fails is tried again, with one line in the
// log, and given up some time.
func TestStoreFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{}
		r, log, stop := run(t, l, nil)
		l.set(errors.New("disk full"), nil)
		r.Record(entry(1))
		time.Sleep(10 * time.Second)
		if _, writes := l.state(); writes < 8 || log.count("disk full") != 1 {
			t.Errorf("%d tries; %s", writes, log.b.String())
		}
		l.set(nil, nil)
		r.Record(entry(2))
		time.Sleep(2 * time.Second)
		if n, _ := l.state(); n != 2 || r.Dropped() != 0 || log.count("written down again") != 1 {
			t.Errorf("%d entries; %s", n, log.b.String())
		}
		l.set(errors.New("this one cannot be written"), nil)
		r.Record(entry(3))
		time.Sleep(90 * time.Second)
		l.set(nil, nil)
		r.Record(entry(4))
		time.Sleep(2 * time.Second)
		if n, _ := l.state(); n != 3 || r.Dropped() != 1 {
			t.Errorf("%d entries, %d lost", n, r.Dropped())
		}
		stop()
	})
}
