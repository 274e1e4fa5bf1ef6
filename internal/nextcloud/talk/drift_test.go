package talk_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/drift"
	"nextcloud-mcp-server/internal/nextcloud/talk"
)

// recorded is the body of an answer of a real Nextcloud.
func recorded(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "nextcloudtest", "testdata", "recordings", "talk", name))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(text), "\n\n")
	return parts[len(parts)-1]
}

func TestDrift(t *testing.T) {
	const token = "zbkozwti"
	one := func(err error) (int, int, error) { return 1, 0, err }
	for _, x := range []struct {
		file, items string
		status      int
		call        func(ctx context.Context, c *talk.Client) (int, int, error)
	}{
		{"33-rooms-modified-since.http", "ocs/data/", 0, func(ctx context.Context, c *talk.Client) (int, int, error) {
			list, skipped, _, err := c.List(ctx, talk.ListQuery{})
			return len(list), len(skipped), err
		}},
		{"16-messages-history.http", "ocs/data/", 0, func(ctx context.Context, c *talk.Client) (int, int, error) {
			list, skipped, _, err := c.Messages(ctx, token, talk.Page{Limit: 3})
			return len(list), len(skipped), err
		}},
		{"10-participants.http", "ocs/data/", 0, func(ctx context.Context, c *talk.Client) (int, int, error) {
			list, skipped, err := c.Participants(ctx, token, false)
			return len(list), len(skipped), err
		}},
		{"05-room-get.http", "", 0, func(ctx context.Context, c *talk.Client) (int, int, error) {
			_, err := c.Get(ctx, token)
			return one(err)
		}},
		{"02-room-create-group-201.http", "", http.StatusCreated, func(ctx context.Context, c *talk.Client) (int, int, error) {
			_, _, err := c.Create(ctx, talk.Group, "Rec room", "")
			return one(err)
		}},
		{"25-mark-read.http", "", 0, func(ctx context.Context, c *talk.Client) (int, int, error) {
			_, err := c.MarkRead(ctx, token, 89)
			return one(err)
		}},
		{"09-participant-add.http", "", 0, func(ctx context.Context, c *talk.Client) (int, int, error) {
			_, err := c.Invite(ctx, token, "bob", "users")
			return one(err)
		}},
		{"13-message-reply.http", "", http.StatusCreated, func(ctx context.Context, c *talk.Client) (int, int, error) {
			_, err := c.Send(ctx, token, talk.Draft{Text: "a reply", ReplyTo: 89})
			return one(err)
		}},
		{"21-message-edit.http", "", 0, func(ctx context.Context, c *talk.Client) (int, int, error) {
			_, err := c.Edit(ctx, token, 89, "edited")
			return one(err)
		}},
		{"27-message-delete.http", "", 0, func(ctx context.Context, c *talk.Client) (int, int, error) {
			return one(c.Delete(ctx, token, 89))
		}},
		{"23-reactions.http", "", 0, func(ctx context.Context, c *talk.Client) (int, int, error) {
			_, err := c.Reactions(ctx, token, 89, "")
			return one(err)
		}},
	} {
		t.Run(x.file, func(t *testing.T) {
			drift.Run(t, drift.Exchange{
				Answer: recorded(t, x.file), Status: x.status, Items: x.items,
				Call: func(ctx context.Context, nc *nextcloud.Client) (int, int, error) { return x.call(ctx, talk.New(nc)) },
			})
		})
	}
}
