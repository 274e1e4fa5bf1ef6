package mail_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/drift"
	"nextcloud-mcp-server/internal/nextcloud/mail"
)

// recorded is the body of an answer of a real Nextcloud.
func recorded(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "nextcloudtest", "testdata", "recordings", "mail", name+".http"))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(text), "\n\n")
	return parts[len(parts)-1]
}

func one(err error) (read, skipped int, _ error) { return 1, 0, err }

func TestDrift(t *testing.T) {
	type call = func(ctx context.Context, c *mail.Client) (read, skipped int, err error)
	listing := func(ctx context.Context, c *mail.Client) (read, skipped int, err error) {
		p, err := c.List(ctx, mail.Query{MailboxID: 13, Limit: 5})
		if err != nil {
			return 0, 0, err
		}
		return len(p.Messages), len(p.Skipped), nil
	}
	accounts := func(ctx context.Context, c *mail.Client) (read, skipped int, err error) {
		list, left, err := c.Accounts(ctx)
		return len(list), len(left), err
	}
	for _, x := range []struct {
		name, items string
		call        call
	}{
		{"01-ocs-accounts", "ocs/data/", accounts},
		{"02-ocs-mailboxes", "ocs/data/", func(ctx context.Context, c *mail.Client) (read, skipped int, err error) {
			list, left, err := c.Mailboxes(ctx, 1)
			return len(list), len(left), err
		}},
		{"29-bob-received", "ocs/data/", listing},
		{"05-ocs-messages-limit10", "ocs/data/", listing},
		{"08-ocs-message", "", func(ctx context.Context, c *mail.Client) (read, skipped int, err error) {
			_, err = c.Get(ctx, 1)
			return one(err)
		}},
		{"09-ocs-message-raw", "", func(ctx context.Context, c *mail.Client) (read, skipped int, err error) {
			_, err = c.Source(ctx, 1)
			return one(err)
		}},
		{"15-api-accounts", "", func(ctx context.Context, c *mail.Client) (read, skipped int, err error) {
			_, err = c.Trashes(ctx)
			return one(err)
		}},
		{"18-api-message", "", func(ctx context.Context, c *mail.Client) (read, skipped int, err error) {
			_, err = c.Head(ctx, 1)
			return one(err)
		}},
		{"19-api-message-body", "", func(ctx context.Context, c *mail.Client) (read, skipped int, err error) {
			_, err = c.Opened(ctx, 1)
			return one(err)
		}},
		{"21-api-thread", "0/", func(ctx context.Context, c *mail.Client) (read, skipped int, err error) {
			list, left, err := c.Thread(ctx, 1)
			return len(list), len(left), err
		}},
	} {
		t.Run(x.name, func(t *testing.T) {
			drift.Run(t, drift.Exchange{Answer: recorded(t, x.name), Items: x.items, Call: func(ctx context.Context, nc *nextcloud.Client) (read, skipped int, err error) {
				return x.call(ctx, mail.New(nc))
			}})
		})
	}
	t.Run("tag", func(t *testing.T) {
		drift.Run(t, drift.Exchange{
			Answer: `{"id":1,"userId":"alice","displayName":"Later & more","imapLabel":"$later_&-_more","color":"#0082c9","isDefaultTag":false}`,
			Call: func(ctx context.Context, nc *nextcloud.Client) (read, skipped int, err error) {
				_, err = mail.New(nc).CreateTag(ctx, "Later & more", "#0082c9")
				return one(err)
			},
		})
	})
	t.Run("outbox", func(t *testing.T) {
		drift.Run(t, drift.Exchange{
			Status: http.StatusCreated, Answer: `{"status":"success","data":{"id":7,"type":0,"accountId":1,"to":[{"label":"Bob","email":"bob@example.org"}],"status":0}}`,
			Call: func(ctx context.Context, nc *nextcloud.Client) (read, skipped int, err error) {
				_, err = mail.New(nc).Send(ctx, &mail.Outgoing{AccountID: 1})
				return one(err)
			},
		})
	})
}
