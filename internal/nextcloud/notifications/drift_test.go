package notifications_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/drift"
	"nextcloud-mcp-server/internal/nextcloud/notifications"
)

// recorded is the body of an answer of a real Nextcloud.
func recorded(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "nextcloudtest", "testdata", "recordings", "notifications-activity", name))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(text), "\n\n")
	return parts[len(parts)-1]
}

func TestDrift(t *testing.T) {
	t.Run("list", func(t *testing.T) {
		drift.Run(t, drift.Exchange{Answer: recorded(t, "02-list.http"), Items: "ocs/data/", Call: func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
			list, skipped, err := notifications.New(nc).List(ctx)
			return len(list), len(skipped), err
		}})
	})
	t.Run("one", func(t *testing.T) {
		drift.Run(t, drift.Exchange{Answer: recorded(t, "04-get.http"), Call: func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
			_, err := notifications.New(nc).Get(ctx, 14)
			return 1, 0, err
		}})
	})
	t.Run("activities", func(t *testing.T) {
		drift.Run(t, drift.Exchange{Answer: recorded(t, "10-activity-filter.http"), Items: "ocs/data/", Call: func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
			list, skipped, _, err := notifications.New(nc).Activities(ctx, notifications.ActivityQuery{Limit: 5})
			return len(list), len(skipped), err
		}})
	})
}
