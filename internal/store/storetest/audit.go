package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"nextcloud-mcp-server/internal/store"
)

func testAudit(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	var want []store.AuditEntry
	for i := range 5 {
		want = append(want, store.AuditEntry{
			At: clock.Now().Add(time.Duration(i/2) * time.Second), UserID: alice, GrantID: "g", ClientName: "Claude",
			Tool: "nc_notes_get_note", Object: fmt.Sprint("note ", i), Outcome: "ok",
		})
	}
	noErr(t, s.AppendAudit(ctx, nil))
	noErr(t, s.AppendAudit(ctx, want[:3]))
	noErr(t, s.AppendAudit(ctx, append([]store.AuditEntry{{UserID: bob, Outcome: "error"}}, want[3:]...)))
	got, err := s.AuditOf(ctx, alice, 10)
	noErr(t, err)
	diff(t, []store.AuditEntry{want[4], want[3], want[2], want[1], want[0]}, got)
	for _, limit := range []int{2, 0, -1} {
		got, err := s.AuditOf(ctx, alice, limit)
		noErr(t, err)
		diff(t, max(limit, 0), len(got))
	}
	got, err = s.AuditOf(ctx, bob, 10)
	noErr(t, err)
	diff(t, []store.AuditEntry{{At: clock.Now(), UserID: bob, Outcome: "error"}}, got)
}

// What a model makes up as a name must not keep the entry from being written.
func testAuditText(t *testing.T, s Store, clock *Clock) {
	ctx := t.Context()
	for _, object := range []string{"a\x00b", "\xff\xfe", strings.Repeat("ä", 5000)} {
		noErr(t, s.AppendAudit(ctx, []store.AuditEntry{{At: clock.Now(), UserID: alice, Object: object}}))
		got, err := s.AuditOf(ctx, alice, 1)
		noErr(t, err)
		if len(got) != 1 || !utf8.ValidString(got[0].Object) || strings.Contains(got[0].Object, "\x00") || len(got[0].Object) > 1003 || got[0].Object == "" {
			t.Errorf("%.10q came back as %.20v", object, got)
		}
	}
}
