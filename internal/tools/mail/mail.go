// Package mail declares the tools of Nextcloud Mail. It is separate from the
// client below it because only this side knows what a model needs to be told,
// and because all that strangers wrote passes through here: HTML becomes
// Markdown without what people do not see, and quoted text is folded.
package mail

import (
	"context"
	"fmt"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud/lenient"
	api "nextcloud-mcp-server/internal/nextcloud/mail"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// Tools is the area.
var Tools = tool.Group[*api.Client]{
	Name: "mail", Title: "Mail", App: "mail", Client: api.New,
	Tools: []tool.Of[*api.Client]{
		accounts, mailboxes, list, get, thread, attachment, source,
		send, reply, draft, setFlags, createTag, setTag, removeTag, move, remove,
	},
	Documents: []tool.DocumentOf[*api.Client]{mailDocument},
}

// Accounts is the outcome of nc_mail_list_accounts.
type Accounts struct {
	Items   []api.Account     `json:"items"`
	Skipped []lenient.Skipped `json:"skipped,omitempty"`
}

var accounts = tool.New(tool.Def{
	Name:        "nc_mail_list_accounts",
	Title:       "List mail accounts",
	Description: "List the person's mail accounts with their addresses.",
	Scope:       scope.MailRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
}, func(ctx context.Context, c *api.Client, _ struct{}) (*Accounts, error) {
	items, skipped, err := c.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	return &Accounts{Items: items, Skipped: skipped}, nil
})

// MailboxesInput is the input of nc_mail_list_mailboxes.
type MailboxesInput struct {
	AccountID int64 `json:"account_id,omitempty" jsonschema:"default the only account"`
}

// Mailboxes is the outcome of nc_mail_list_mailboxes.
type Mailboxes struct {
	Items   []api.Mailbox     `json:"items"`
	Skipped []lenient.Skipped `json:"skipped,omitempty"`
}

var mailboxes = tool.New(tool.Def{
	Name:        "nc_mail_list_mailboxes",
	Title:       "List mailboxes",
	Description: "List an account's mailboxes with role and unread count.",
	Scope:       scope.MailRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Foreign:     true,
	Object:      []string{"account_id"},
}, func(ctx context.Context, c *api.Client, in MailboxesInput) (*Mailboxes, error) {
	id, err := accountID(ctx, c, in.AccountID)
	if err != nil {
		return nil, err
	}
	items, skipped, err := c.Mailboxes(ctx, id)
	if err != nil {
		return nil, err
	}
	return &Mailboxes{Items: items, Skipped: skipped}, nil
})

// accountID is id, or the only account when there is no id.
func accountID(ctx context.Context, c *api.Client, id int64) (int64, error) {
	if id > 0 {
		return id, nil
	}
	a, err := account(ctx, c, 0)
	if err != nil {
		return 0, err
	}
	return a.ID, nil
}

// account finds an account by its id, or the only one.
func account(ctx context.Context, c *api.Client, id int64) (*api.Account, error) {
	list, _, err := c.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for i := range list {
		if list[i].ID == id || id == 0 && len(list) == 1 {
			return &list[i], nil
		}
		names = append(names, fmt.Sprintf("%d is %s", list[i].ID, list[i].Email))
	}
	switch {
	case len(list) == 0:
		return nil, tool.Invalidf("The person has no account in Nextcloud Mail. They can add one on its page in Nextcloud.")
	case id == 0:
		return nil, tool.Invalidf("There are several accounts: %s. Give account_id.", strings.Join(names, ", "))
	}
	return nil, tool.Invalidf("There is no account %d: %s.", id, strings.Join(names, ", "))
}

// mailbox finds a mailbox by its id, or by its role or name in an account. The
// id is enough for what needs no other account.
func mailbox(ctx context.Context, c *api.Client, id int64, name string, inAccount int64) (int64, error) {
	if id > 0 {
		return id, nil
	}
	of, err := accountID(ctx, c, inAccount)
	if err != nil {
		return 0, err
	}
	boxes, _, err := c.Mailboxes(ctx, of)
	if err != nil {
		return 0, err
	}
	var found []api.Mailbox
	var names []string
	for _, b := range boxes {
		if strings.EqualFold(b.Role, name) {
			return b.ID, nil
		}
		if strings.EqualFold(b.Name, name) {
			found = append(found, b)
		}
		names = append(names, fmt.Sprintf("%q (%d)", b.Name, b.ID))
	}
	switch len(found) {
	case 1:
		return found[0].ID, nil
	case 0:
		return 0, tool.Invalidf("Account %d has no mailbox %q. It has %s.", of, shorten(name), strings.Join(names, ", "))
	}
	return 0, tool.Invalidf("Account %d has several mailboxes %q, with the ids %d and %d. Give the id.", of, shorten(name), found[0].ID, found[1].ID)
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 100 {
		return string(r[:100]) + "…"
	}
	return s
}

func timestamp(seconds int64) string {
	if seconds <= 0 {
		return ""
	}
	return time.Unix(seconds, 0).UTC().Format(time.RFC3339)
}

func people(list []api.Address) []string {
	var out []string
	for _, a := range list {
		out = append(out, a.String())
	}
	return out
}
