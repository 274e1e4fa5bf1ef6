package mail

import (
	"context"
	"net/url"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

// Account is one mail account of the person, or one that another person lets
// them use.
type Account struct {
	ID        int64   `json:"id"`
	Email     string  `json:"email"`
	Aliases   []Alias `json:"aliases,omitempty"`
	Delegated bool    `json:"delegated,omitempty"`
}

// Alias is another address that an account sends from.
type Alias struct {
	ID    int64  `json:"id"`
	Email string `json:"email"`
	Name  string `json:"name,omitempty"`
}

// wireAccount is an account in both APIs.
type wireAccount struct {
	ID           lenient.Int             `json:"id"`
	Email        lenient.Text            `json:"email"`        // OCS
	EmailAddress lenient.Text            `json:"emailAddress"` // own
	Delegated    lenient.Bool            `json:"isDelegated"`
	Aliases      lenient.List[wireAlias] `json:"aliases"`
	TrashID      lenient.Int             `json:"trashMailboxId"` // own
}

type wireAlias struct {
	ID    lenient.Int  `json:"id"`
	Email lenient.Text `json:"email"` // OCS
	Alias lenient.Text `json:"alias"` // own
	Name  lenient.Text `json:"name"`
}

func (a *wireAccount) Check() error {
	if a.ID <= 0 {
		return lenient.NoID()
	}
	return nil
}

func (a *wireAccount) account() Account {
	out := Account{ID: int64(a.ID), Email: string(a.Email + a.EmailAddress), Delegated: bool(a.Delegated)}
	for _, alias := range a.Aliases.Items {
		out.Aliases = append(out.Aliases, Alias{ID: int64(alias.ID), Email: string(alias.Email + alias.Alias), Name: string(alias.Name)})
	}
	return out
}

// Accounts are the mail accounts of the person.
func (c *Client) Accounts(ctx context.Context) ([]Account, []lenient.Skipped, error) {
	var list lenient.List[wireAccount]
	err := c.either(ctx, "list mail accounts",
		nextcloud.Request{Path: ocsBase + "/account/list"}, nextcloud.Request{Path: ownBase + "/accounts"}, &list, &list)
	if err != nil {
		return nil, nil, err
	}
	out := make([]Account, 0, len(list.Items))
	for i := range list.Items {
		out = append(out, list.Items[i].account())
	}
	return out, list.Skipped, nil
}

// Trashes are the ids of the mailboxes that deleted messages go to.
func (c *Client) Trashes(ctx context.Context) (map[int64]bool, error) {
	var list lenient.List[wireAccount]
	if err := c.own(ctx, nextcloud.Request{Op: "find the trash", Path: ownBase + "/accounts"}, &list); err != nil {
		return nil, err
	}
	if len(list.Skipped) > 0 {
		// A trash that is not known would be emptied where it should be filled.
		return nil, badAnswer("find the trash", "an account could not be read")
	}
	out := map[int64]bool{}
	for _, a := range list.Items {
		if a.TrashID > 0 {
			out[int64(a.TrashID)] = true
		}
	}
	return out, nil
}

// Mailbox is one folder of an account.
type Mailbox struct {
	ID        int64  `json:"id"`
	AccountID int64  `json:"-"`
	Name      string `json:"name"`           // with its parents, as the mail server has it
	Role      string `json:"role,omitempty"` // inbox, sent, drafts, trash, junk, archive
	Unread    int    `json:"unread,omitempty"`
	Shared    bool   `json:"shared,omitempty"`
}

type wireMailbox struct {
	ID      lenient.Int                `json:"databaseId"`
	Account lenient.Int                `json:"accountId"`
	Name    lenient.Text               `json:"displayName"`
	Full    lenient.Text               `json:"name"`
	Special lenient.List[lenient.Text] `json:"specialUse"`
	Unread  lenient.Int                `json:"unread"`
	Shared  lenient.Bool               `json:"shared"`
}

func (m *wireMailbox) Check() error {
	if m.ID <= 0 {
		return lenient.NoID()
	}
	return nil
}

// Mailboxes are the folders of an account.
func (c *Client) Mailboxes(ctx context.Context, accountID int64) ([]Mailbox, []lenient.Skipped, error) {
	var list lenient.List[wireMailbox]
	var own struct {
		Mailboxes lenient.List[wireMailbox] `json:"mailboxes"`
	}
	q := url.Values{"accountId": {number(accountID)}}
	err := c.either(ctx, "list the mailboxes of account "+number(accountID),
		nextcloud.Request{Path: ocsBase + "/ocs/mailboxes", Query: q}, nextcloud.Request{Path: ownBase + "/mailboxes", Query: q}, &list, &own)
	if err != nil {
		return nil, nil, err
	}
	list.Items = append(list.Items, own.Mailboxes.Items...)
	list.Skipped = append(list.Skipped, own.Mailboxes.Skipped...)
	out := make([]Mailbox, 0, len(list.Items))
	for _, m := range list.Items {
		box := Mailbox{ID: int64(m.ID), AccountID: int64(m.Account), Name: string(m.Name), Unread: int(m.Unread), Shared: bool(m.Shared)}
		if box.Name == "" {
			box.Name = string(m.Full)
		}
		if len(m.Special.Items) > 0 {
			box.Role = string(m.Special.Items[0])
		}
		out = append(out, box)
	}
	return out, list.Skipped, nil
}
