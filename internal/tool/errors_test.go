package tool

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
)

func explained(ctx context.Context, err error) string {
	return explain(ctx, slog.New(slog.DiscardHandler), "nc_test", err)
}

// kinds are the error kinds of package nextcloud by name, from its source: a
// new one must not go without advice.
func kinds(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../nextcloud/error.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(v.Names[0].Name, "Err") {
			names = append(names, v.Names[0].Name)
		}
		return true
	})
	return names
}

func TestEveryKindHasAdvice(t *testing.T) {
	names := kinds(t)
	if len(names) != len(advice) {
		t.Errorf("%d kinds of errors (%s), %d pieces of advice", len(names), strings.Join(names, " "), len(advice))
	}
	seen := map[error]bool{}
	for _, a := range advice {
		if seen[a.kind] {
			t.Errorf("%v has two pieces of advice", a.kind)
		}
		seen[a.kind] = true
		text := explained(t.Context(), fmt.Errorf("area: %w", &nextcloud.Error{Op: "get note", Kind: a.kind, Message: "Said so.", Status: 418}))
		want := "Could not get note: " + a.kind.Error() + " (Said so). " + a.text
		if text != want {
			t.Errorf("got  %s\nwant %s", text, want)
		}
		if !strings.HasSuffix(a.text, ".") || strings.Contains(a.text, "\n") {
			t.Errorf("advice %q", a.text)
		}
	}
}

func TestExplain(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	for name, test := range map[string]struct {
		ctx  context.Context
		err  error
		want string
	}{
		"written for the model": {t.Context(), Invalidf("start has to be before end"), "start has to be before end"},
		"wrapped":               {t.Context(), fmt.Errorf("attendee 2: %w", Invalidf("no address")), "attendee 2: no address"},
		"waiting": {
			t.Context(), &nextcloud.Error{Kind: nextcloud.ErrRateLimited, RetryAfter: 1500 * time.Millisecond},
			"too many requests. Wait 2 seconds. Nextcloud asks to slow down. Wait before the next call.",
		},
		"time limit":           {late, context.DeadlineExceeded, "This took too long"},
		"time limit, wrapped":  {late, &nextcloud.Error{Kind: nextcloud.ErrUnavailable, Err: context.DeadlineExceeded}, "This took too long"},
		"Nextcloud is slow":    {t.Context(), &nextcloud.Error{Kind: nextcloud.ErrUnavailable, Err: context.DeadlineExceeded}, "not available now."},
		"refused, then late":   {late, &nextcloud.Error{Kind: nextcloud.ErrForbidden}, "not allowed."},
		"cancelled":            {ended, &nextcloud.Error{Kind: nextcloud.ErrUnavailable, Err: context.Canceled}, "The call was cancelled."},
		"error without a kind": {t.Context(), &nextcloud.Error{Err: nextcloud.ErrNotFound}, "Internal error (ref "},
		"unknown":              {t.Context(), errors.New("secret"), "Internal error (ref "},
	} {
		if got := explained(test.ctx, test.err); !strings.HasPrefix(got, test.want) || strings.Contains(got, "secret") {
			t.Errorf("%s: %s", name, got)
		}
		if got := outcome(test.ctx, test.err); got == "" || strings.Contains(got, "secret") {
			t.Errorf("%s: outcome %q", name, got)
		}
	}
}

func TestReferencesDiffer(t *testing.T) {
	err := errors.New("x")
	if a, b := explained(t.Context(), err), explained(t.Context(), err); a == b {
		t.Error("two errors share a reference")
	}
}
