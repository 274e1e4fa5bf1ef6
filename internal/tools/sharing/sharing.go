// Package sharing declares the tools for shares. It is separate from the client
// below it because only this side knows what a model needs to be told, and
// which folders a connection may reach.
package sharing

import (
	"context"
	"errors"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
	api "nextcloud-mcp-server/internal/nextcloud/sharing"
	"nextcloud-mcp-server/internal/tool"
)

// Tools is the Sharing area.
var Tools = tool.Group[*api.Client]{
	Name: "sharing", Title: "Sharing", Client: api.New,
	Tools: []tool.Of[*api.Client]{list, get, create, createLink, update, remove, accept, decline, recipients, access},
}

// Item is one share. What is empty or false is left out.
type Item struct {
	ShareID        string `json:"share_id,omitempty"`
	Type           string `json:"type,omitempty"`
	Path           string `json:"path,omitempty"`
	Item           string `json:"item,omitempty"` // file or folder
	ShareWith      string `json:"share_with,omitempty"`
	Name           string `json:"name,omitempty"`      // of the receiver
	SharedBy       string `json:"shared_by,omitempty"` // when it is not the person
	Owner          string `json:"owner,omitempty"`     // when it is neither the person nor SharedBy
	Permissions    string `json:"permissions,omitempty"`
	PermissionBits int    `json:"permission_bits,omitempty"`
	Expires        string `json:"expires,omitempty"`
	URL            string `json:"url,omitempty"`
	HasPassword    bool   `json:"has_password,omitempty"`
	PasswordByTalk bool   `json:"password_by_talk,omitempty"`
	HideDownload   bool   `json:"hide_download,omitempty"`
	Note           string `json:"note,omitempty"`
	Label          string `json:"label,omitempty"`
	State          string `json:"state,omitempty"`
}

func item(s *api.Share, me string) Item {
	i := Item{
		ShareID: s.ID, Type: s.Kind.String(), Path: s.Path, Item: kind(s.Folder), ShareWith: s.With,
		Permissions: s.Permissions.Of(s.Kind).String(), PermissionBits: int(s.Permissions), Expires: s.Expires, URL: s.URL,
		HasPassword: s.Password, PasswordByTalk: s.ByTalk, HideDownload: s.HideDownload, Note: s.Note, Label: s.Label, State: string(s.State),
	}
	if s.WithName != s.With {
		i.Name = s.WithName
	}
	if s.By != me {
		i.SharedBy = s.By
	}
	if s.Owner != me && s.Owner != s.By {
		i.Owner = s.Owner
	}
	return i
}

func kind(folder bool) string {
	if folder {
		return "folder"
	}
	return "file"
}

// found is a share that the connection may reach. Of another one nothing is
// told, not even its path.
func found(ctx context.Context, shares *api.Client, id string) (*api.Share, error) {
	s, err := shares.Get(ctx, strings.TrimSpace(id))
	if err != nil {
		return nil, err
	}
	err = tool.CheckPath(ctx, s.Path)
	if err == nil {
		return s, nil
	}
	if errors.Is(err, nextcloud.ErrNotFound) {
		return nil, &nextcloud.Error{Op: "get share " + s.ID, Kind: nextcloud.ErrNotFound, Message: "there is no such share, or this server keeps its file from assistants"}
	}
	// The same, with the id in the place of the path.
	if veiled := tool.CheckPath(ctx, "share "+s.ID); veiled != nil && !errors.Is(veiled, nextcloud.ErrNotFound) {
		return nil, veiled
	}
	return nil, err
}
