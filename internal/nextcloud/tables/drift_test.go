package tables_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/drift"
	"nextcloud-mcp-server/internal/nextcloud/tables"
)

// recorded is the body of an answer of a real Nextcloud.
func recorded(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "nextcloudtest", "testdata", "recordings", "tables", name+".http"))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(text), "\n\n")
	return parts[len(parts)-1]
}

// TestDrift changes the first item of each list, and single answers.
func TestDrift(t *testing.T) {
	t.Run("tables", func(t *testing.T) {
		drift.Run(t, drift.Exchange{Answer: recorded(t, "01-v1-tables-list"), Items: "0", Call: func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
			list, skipped, err := tables.New(nc).Tables(ctx)
			return len(list), len(skipped), err
		}})
	})
	t.Run("table", func(t *testing.T) {
		drift.Run(t, drift.Exchange{Answer: recorded(t, "46-v1-table-get"), Call: func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
			_, err := tables.New(nc).Table(ctx, 5)
			return 1, 0, err
		}})
	})
	for _, name := range []string{"06-v1-column-create-text", "07-v1-column-create-number", "13-v1-column-create-multi"} {
		t.Run(name, func(t *testing.T) {
			answer := "[" + recorded(t, name) + "," + recorded(t, "10-v1-column-create-check") + "]"
			drift.Run(t, drift.Exchange{Answer: answer, Items: "0", Call: func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
				columns, err := tables.New(nc).Columns(ctx, 5)
				if err != nil {
					return 0, 0, err
				}
				return len(columns.List), len(columns.Skipped), nil
			}})
		})
	}
	for _, name := range []string{"26-v1-rows-list", "28-v1-rows-list-all"} {
		t.Run(name, func(t *testing.T) {
			drift.Run(t, drift.Exchange{Answer: recorded(t, name), Items: "0", Call: func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
				page, err := tables.New(nc).Rows(ctx, 5, 50, 0)
				if err != nil {
					return 0, 0, err
				}
				return len(page.Rows), len(page.Skipped), nil
			}})
		})
	}
	for _, name := range []string{"19-v1-row-create-data-object", "29-v1-row-get", "32-v1-row-delete"} {
		t.Run(name, func(t *testing.T) {
			drift.Run(t, drift.Exchange{Answer: recorded(t, name), Call: func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
				_, err := tables.New(nc).Row(ctx, 20)
				return 1, 0, err
			}})
		})
	}
}
