package deck_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/deck"
	"nextcloud-mcp-server/internal/nextcloud/drift"
)

// recorded is the body of an answer of a real Nextcloud.
func recorded(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "nextcloudtest", "testdata", "recordings", "deck", name+".http"))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(text), "\n\n")
	return parts[len(parts)-1]
}

// TestDrift changes each value of every recorded JSON answer that the client
// reads.
func TestDrift(t *testing.T) {
	ctx := func(call func(context.Context, *deck.Client) error) func(context.Context, *nextcloud.Client) (int, int, error) {
		return func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
			return 1, 0, call(ctx, deck.New(nc))
		}
	}
	title, color, order := "x", "ff0000", int64(1)
	for name, call := range map[string]func(context.Context, *deck.Client) error{
		"05-board-create": func(ctx context.Context, c *deck.Client) error {
			_, err := c.CreateBoard(ctx, "x", "ff0000")
			return err
		},
		"08-board-get":    func(ctx context.Context, c *deck.Client) error { _, err := c.Board(ctx, 5); return err },
		"14-stack-create": func(ctx context.Context, c *deck.Client) error { _, err := c.CreateStack(ctx, 5, "x", 1); return err },
		"16-stack-update": func(ctx context.Context, c *deck.Client) error {
			_, err := c.UpdateStack(ctx, 5, 12, &title, &order)
			return err
		},
		"18-card-create": func(ctx context.Context, c *deck.Client) error {
			_, err := c.CreateCard(ctx, 5, 12, deck.Draft{Title: "x"})
			return err
		},
		"22-card-get": func(ctx context.Context, c *deck.Client) error { _, err := c.Card(ctx, 14); return err },
		"24-card-update-full": func(ctx context.Context, c *deck.Client) error {
			_, err := c.UpdateCard(ctx, 14, "", deck.Change{Title: &title})
			return err
		},
		"25-card-update-done": func(ctx context.Context, c *deck.Client) error {
			_, err := c.UpdateCard(ctx, 14, "", deck.Change{Title: &title})
			return err
		},
		"26-card-update-clear-due": func(ctx context.Context, c *deck.Client) error {
			_, err := c.UpdateCard(ctx, 14, "", deck.Change{Title: &title})
			return err
		},
		"27-label-create": func(ctx context.Context, c *deck.Client) error {
			_, err := c.CreateLabel(ctx, 5, "x", "ff0000")
			return err
		},
		"28-label-update": func(ctx context.Context, c *deck.Client) error {
			_, err := c.UpdateLabel(ctx, 5, 24, &title, &color)
			return err
		},
		"29-card-assign-label": func(ctx context.Context, c *deck.Client) error { _, err := c.SetLabel(ctx, 14, 24, true); return err },
		"33-card-assign-user": func(ctx context.Context, c *deck.Client) error {
			_, err := c.SetAssigned(ctx, 14, "bob", true)
			return err
		},
		"35-card-get-with-assignee": func(ctx context.Context, c *deck.Client) error {
			_, err := c.Card(ctx, 14)
			return err
		},
		"36-card-unassign-user": func(ctx context.Context, c *deck.Client) error {
			_, err := c.SetAssigned(ctx, 14, "bob", false)
			return err
		},
		"38-card-reorder-move": func(ctx context.Context, c *deck.Client) error { return c.Reorder(ctx, 14, 13, 0) },
		"39-card-archive":      func(ctx context.Context, c *deck.Client) error { _, err := c.Archive(ctx, 14, true); return err },
		"41-card-unarchive":    func(ctx context.Context, c *deck.Client) error { _, err := c.Archive(ctx, 14, false); return err },
		"44-ocs-comment-create": func(ctx context.Context, c *deck.Client) error {
			_, err := c.CreateComment(ctx, 14, "x", 0)
			return err
		},
		"46-ocs-comment-update": func(ctx context.Context, c *deck.Client) error {
			_, err := c.UpdateComment(ctx, 14, 71, "x")
			return err
		},
		"47-ocs-comment-delete": func(ctx context.Context, c *deck.Client) error { return c.DeleteComment(ctx, 14, 71) },
		"56-attachment-delete": func(ctx context.Context, c *deck.Client) error {
			return c.DeleteAttachment(ctx, 14, deck.Attachment{ID: 3, Type: "file"})
		},
		"62-card-delete":  func(ctx context.Context, c *deck.Client) error { _, err := c.DeleteCard(ctx, 14); return err },
		"64-stack-delete": func(ctx context.Context, c *deck.Client) error { _, err := c.DeleteStack(ctx, 5, 12); return err },
		"65-label-delete": func(ctx context.Context, c *deck.Client) error { _, err := c.DeleteLabel(ctx, 5, 24); return err },
		"66-board-delete": func(ctx context.Context, c *deck.Client) error { return c.DeleteBoard(ctx, 5) },
	} {
		t.Run(name, func(t *testing.T) { drift.Run(t, drift.Exchange{Answer: recorded(t, name), Call: ctx(call)}) })
	}
}

func TestDriftOfLists(t *testing.T) {
	cards := func(archived bool) func(context.Context, *nextcloud.Client) (int, int, error) {
		return func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
			n := 0
			stacks, skipped, err := deck.New(nc).EachCard(ctx, 5, archived, func(*deck.Card) { n++ })
			return n + len(stacks), len(skipped), err
		}
	}
	// A stack that cannot be read leaves its cards readable, so only what is
	// inside of the cards is counted strictly.
	for name, x := range map[string]drift.Exchange{
		"02-boards": {Items: "", Call: func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
			list, err := deck.New(nc).Boards(ctx)
			if err != nil {
				return 0, 0, err
			}
			return len(list.Items), len(list.Skipped), nil
		}},
		"13-stacks-empty":      {Call: cards(false)},
		"40-stacks-archived":   {Items: "0/cards/", Call: cards(true)},
		"42-stacks-with-cards": {Items: "0/cards/", Call: cards(false)},
		"45-ocs-comments-list": {Items: "ocs/data/", Call: func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
			list, skipped, err := deck.New(nc).Comments(ctx, 14, 10, 0)
			return len(list), len(skipped), err
		}},
		"54-attachments-list": {Items: "0", Call: func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
			list, skipped, err := deck.New(nc).Attachments(ctx, 14)
			return len(list), len(skipped), err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			x.Answer = recorded(t, name)
			drift.Run(t, x)
		})
	}
}
