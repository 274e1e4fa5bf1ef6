package sharing

import (
	"context"
	"fmt"
	"strings"

	api "nextcloud-mcp-server/internal/nextcloud/sharing"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// UpdateInput is the input of nc_share_update.
type UpdateInput struct {
	ShareID        string  `json:"share_id" jsonschema:"share id"`
	Permissions    *string `json:"permissions,omitempty" jsonschema:"all that shall be allowed, as in nc_share_create"`
	ExpireDate     *string `json:"expire_date,omitempty" jsonschema:"last day, or none"`
	Password       *string `json:"password,omitempty" jsonschema:"new one, generate, or empty for none"`
	PasswordByTalk *bool   `json:"password_by_talk,omitempty" jsonschema:"tell it in Talk"`
	Note           *string `json:"note,omitempty" jsonschema:"to the receiver"`
	Label          *string `json:"label,omitempty" jsonschema:"of a link or mail"`
	HideDownload   *bool   `json:"hide_download,omitempty" jsonschema:"view only"`
	LinkToken      *string `json:"link_token,omitempty" jsonschema:"last part of the link's address"`
}

// Updated is a share after a change.
type Updated struct {
	Item
	Password    string   `json:"password,omitempty"` // only when it was generated
	AlsoChanged []string `json:"also_changed,omitempty"`
	Undo        string   `json:"undo,omitempty"`
}

var update = tool.New(tool.Def{
	Name:        "nc_share_update",
	Title:       "Change a share",
	Description: "Change only what is given of a share. Empty text clears it.",
	Scope:       scope.SharingWrite,
	Effect:      tool.Updates,
	Tier:        tool.Core,
	Object:      []string{"share_id"},
	Folders:     true,
}, func(ctx context.Context, shares *api.Client, in UpdateInput) (*Updated, error) {
	ch := api.Change{ByTalk: in.PasswordByTalk, Note: in.Note, Label: in.Label, HideDownload: in.HideDownload, Token: in.LinkToken, Password: in.Password}
	if in.Permissions != nil {
		p, err := api.ParsePermissions(*in.Permissions)
		if err != nil {
			return nil, err
		}
		ch.Permissions = &p
	}
	if in.ExpireDate != nil {
		end, err := api.ParseEnd("change the share", *in.ExpireDate)
		if err != nil {
			return nil, err
		}
		ch.End = &end
	}
	before, err := found(ctx, shares, in.ShareID)
	if err != nil {
		return nil, err
	}
	if err := tool.CheckTree(ctx, before.Path); err != nil {
		return nil, err
	}
	var generated string
	if in.Password != nil {
		if generated, err = passwordOf(ctx, shares, *in.Password); err != nil {
			return nil, err
		}
		if generated != "" {
			ch.Password = &generated
		}
	}
	after, also, err := shares.Update(ctx, before, ch)
	if err != nil {
		return nil, err
	}
	me, err := shares.Me(ctx)
	if err != nil {
		return nil, err
	}
	return &Updated{Item: item(after, me), Password: generated, AlsoChanged: also, Undo: undoUpdate(before, &ch)}, nil
})

// undoUpdate says how to bring back what a change replaced.
func undoUpdate(s *api.Share, ch *api.Change) string {
	args := []string{fmt.Sprintf("share_id=%q", s.ID)}
	add := func(changed bool, name string, value any) {
		if changed {
			args = append(args, fmt.Sprintf("%s=%#v", name, value))
		}
	}
	add(ch.Permissions != nil, "permissions", s.Permissions.Of(s.Kind).String())
	add(ch.End != nil, "expire_date", endOf(s))
	add(ch.Note != nil, "note", s.Note)
	add(ch.Label != nil, "label", s.Label)
	add(ch.HideDownload != nil, "hide_download", s.HideDownload)
	add(ch.ByTalk != nil, "password_by_talk", s.ByTalk)
	add(ch.Token != nil, "link_token", s.Token)
	add(ch.Password != nil && !s.Password, "password", "")
	text := ""
	if len(args) > 1 {
		text = "nc_share_update: " + strings.Join(args, ", ") + "."
	}
	if ch.Password != nil && s.Password {
		text = strings.TrimSpace(text + " The old password cannot be brought back.")
	}
	return text
}

// endOf is the last day of a share as the tools take it.
func endOf(s *api.Share) string {
	date, _, _ := strings.Cut(s.Expires, "T")
	if date == "" {
		return "none"
	}
	return date
}

// DeleteInput is the input of nc_share_delete.
type DeleteInput struct {
	ShareID string `json:"share_id" jsonschema:"share id"`
}

// Deleted is the outcome of nc_share_delete and nc_share_decline.
type Deleted struct {
	DeletedID string `json:"deleted_id,omitempty"`
	Path      string `json:"path,omitempty"`
	Was       string `json:"was,omitempty"`
	Undo      string `json:"undo,omitempty"`
}

var remove = tool.New(tool.Def{
	Name:        "nc_share_delete",
	Title:       "Remove a share",
	Description: "End a share, or leave one that somebody made for the person. The file stays.",
	Scope:       scope.SharingWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Core,
	Object:      []string{"share_id"},
	Folders:     true,
}, func(ctx context.Context, shares *api.Client, in DeleteInput) (*Deleted, error) {
	s, err := found(ctx, shares, in.ShareID)
	if err != nil {
		return nil, err
	}
	me, err := shares.Me(ctx)
	if err != nil {
		return nil, err
	}
	if err := shares.Delete(ctx, s); err != nil {
		return nil, err
	}
	return &Deleted{DeletedID: s.ID, Path: s.Path, Was: was(s), Undo: undoDelete(s, me)}, nil
})

// was is a share in a few words.
func was(s *api.Share) string {
	with := s.Kind.String()
	if s.With != "" {
		with += " " + s.With
	}
	return strings.TrimSpace(with + ", " + s.Permissions.Of(s.Kind).String())
}

// leftMark begins the ids of shares that the person left.
const leftMark = "ocinternal:"

// undoDelete says how to share again, or who has to.
func undoDelete(s *api.Share, me string) string {
	switch {
	case s.Leaves(me):
		return fmt.Sprintf("nc_share_accept: share_id=%q.", leftMark+s.ID)
	case s.By != me && s.Owner != me:
		return fmt.Sprintf("Only %s can share it again.", s.By)
	case s.Kind == api.DeckCard:
		return "Attach the file to the card again with the tools of Deck."
	case s.Kind == api.FederatedGroup:
		return "The person can share it with that group again in Nextcloud."
	}
	args := []string{fmt.Sprintf("path=%q", s.Path), fmt.Sprintf("share_type=%q", s.Kind)}
	add := func(there bool, name string, value any) {
		if there {
			args = append(args, fmt.Sprintf("%s=%#v", name, value))
		}
	}
	add(s.With != "", "share_with", s.With)
	add(true, "permissions", s.Permissions.Of(s.Kind).String())
	add(true, "expire_date", endOf(s))
	add(s.Note != "", "note", s.Note)
	add(s.Label != "", "label", s.Label)
	add(s.HideDownload, "hide_download", true)
	text := "nc_share_create: " + strings.Join(args, ", ") + "."
	if s.URL != "" {
		text += " It gets another address, the old one stays dead."
	}
	if s.Password {
		text += " A password has to be set anew."
	}
	return text
}

// RespondInput is the input of nc_share_accept and nc_share_decline.
type RespondInput struct {
	ShareID string `json:"share_id" jsonschema:"from nc_share_list with which pending or left"`
}

// Accepted is the outcome of nc_share_accept.
type Accepted struct {
	AcceptedID string `json:"accepted_id,omitempty"`
	Path       string `json:"path,omitempty"`
	SharedBy   string `json:"shared_by,omitempty"`
	Undo       string `json:"undo,omitempty"`
}

var accept = tool.New(tool.Def{
	Name:        "nc_share_accept",
	Title:       "Accept a share",
	Description: "Take a pending share, or one that was left.",
	Scope:       scope.SharingWrite,
	Effect:      tool.Creates,
	Tier:        tool.Extended,
	Object:      []string{"share_id"},
	Folders:     true,
}, func(ctx context.Context, shares *api.Client, in RespondInput) (*Accepted, error) {
	s, err := found(ctx, shares, in.ShareID)
	if err != nil {
		return nil, err
	}
	if err := shares.Accept(ctx, s); err != nil {
		return nil, err
	}
	id := strings.TrimPrefix(s.ID, leftMark)
	return &Accepted{
		AcceptedID: id, Path: s.Path, SharedBy: s.By,
		Undo: fmt.Sprintf("nc_share_delete: share_id=%q.", id),
	}, nil
})

var decline = tool.New(tool.Def{
	Name:        "nc_share_decline",
	Title:       "Decline a share",
	Description: "Refuse a pending share.",
	Scope:       scope.SharingWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Extended,
	Object:      []string{"share_id"},
	Folders:     true,
}, func(ctx context.Context, shares *api.Client, in RespondInput) (*Deleted, error) {
	s, err := found(ctx, shares, in.ShareID)
	if err != nil {
		return nil, err
	}
	me, err := shares.Me(ctx)
	if err != nil {
		return nil, err
	}
	if err := shares.Decline(ctx, s); err != nil {
		return nil, err
	}
	return &Deleted{DeletedID: s.ID, Path: s.Path, Was: fmt.Sprintf("%s, from %s", s.Kind, s.By), Undo: undoDelete(s, me)}, nil
})
