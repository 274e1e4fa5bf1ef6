package contract

import (
	"errors"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/notifications"
)

// runNotifications only looks: nobody can tell themselves something, and what
// waits for the person is theirs to dismiss.
func runNotifications(t *testing.T, env *Env) {
	c := notifications.New(env.Client(t))
	t.Run("list", func(t *testing.T) {
		list, skipped, err := c.List(t.Context())
		if errors.Is(err, nextcloud.ErrAppMissing) {
			t.Skip("this Nextcloud has no notifications")
		}
		if err != nil || len(skipped) > 0 {
			t.Fatalf("%v, %v", skipped, err)
		}
		for _, n := range list {
			got, err := c.Get(t.Context(), n.ID)
			if err != nil || got.Subject != n.Subject || got.Time != n.Time {
				t.Errorf("%+v, %v, want %+v", got, err, n)
			}
		}
	})
	t.Run("not there", func(t *testing.T) {
		if _, err := c.Get(t.Context(), 1<<30); !errors.Is(err, nextcloud.ErrNotFound) {
			t.Error(err)
		}
		if err := c.Dismiss(t.Context(), 1<<30); err != nil {
			t.Errorf("dismissing what is not there: %v", err)
		}
	})
	t.Run("activities", func(t *testing.T) {
		var last int64
		q := notifications.ActivityQuery{Limit: 5}
		for range 3 {
			list, skipped, next, err := c.Activities(t.Context(), q)
			if errors.Is(err, nextcloud.ErrAppMissing) {
				t.Skip("this Nextcloud has no activities")
			}
			if err != nil || len(skipped) > 0 {
				t.Fatalf("%v, %v", skipped, err)
			}
			for _, a := range list {
				if a.ID <= 0 || a.Subject == "" || a.Time == "" || last > 0 && a.ID >= last {
					t.Errorf("%+v after %d", a, last)
				}
				last = a.ID
			}
			if next == 0 {
				return
			}
			q.Cursor = next
		}
	})
	t.Run("unknown filter", func(t *testing.T) {
		if _, _, _, err := c.Activities(t.Context(), notifications.ActivityQuery{Filter: "no-such-filter", Limit: 5}); !errors.Is(err, nextcloud.ErrInvalid) {
			t.Error(err)
		}
	})
}
