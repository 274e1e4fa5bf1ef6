package files

import (
	"context"
	"time"

	api "nextcloud-mcp-server/internal/nextcloud/files"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// InfoInput is the input of nc_webdav_get_info.
type InfoInput struct {
	Path string `json:"path" jsonschema:"file or folder"`
}

// Info is the outcome of nc_webdav_get_info. What is empty or false is left
// out.
type Info struct {
	Item
	Created     string   `json:"created,omitempty"`
	Uploaded    string   `json:"uploaded,omitempty"`
	Permissions []string `json:"permissions"`
	Owner       string   `json:"owner,omitempty"`
	OwnerName   string   `json:"owner_name,omitempty"`
	Mount       string   `json:"mount,omitempty"`
	SharedAs    []string `json:"shared_as,omitempty"`
	Tags        []string `json:"tags,omitempty"`
	Checksums   []string `json:"checksums,omitempty"`
	LockedBy    string   `json:"locked_by,omitempty"`
	LockedUntil string   `json:"locked_until,omitempty"`
	Unread      int      `json:"unread_comments,omitempty"`
	Encrypted   bool     `json:"end_to_end_encrypted,omitempty"`
	Hidden      bool     `json:"hidden,omitempty"`
	Files       *int     `json:"files_count,omitempty"`
	Folders     *int     `json:"directories_count,omitempty"`
	Free        int64    `json:"free_bytes,omitempty"`
}

// shareKinds are Nextcloud's kinds of shares in words.
var shareKinds = map[int]string{
	0: "user", 1: "group", 3: "public link", 4: "mail", 6: "federated", 7: "team", 9: "federated group", 10: "talk conversation", 12: "deck card", 15: "science mesh",
}

var info = tool.New(tool.Def{
	Name:        "nc_webdav_get_info",
	Title:       "Properties of a file or folder",
	Description: "Size, etag, permissions, owner, shares, tags, lock and checksums of one path.",
	Scope:       scope.FilesRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Object:      []string{"path"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in InfoInput) (*Info, error) {
	if err := allow(ctx, files, in.Path); err != nil {
		return nil, err
	}
	i, err := files.Info(ctx, in.Path)
	if err != nil {
		return nil, err
	}
	out := &Info{
		Item: item(&i.Entry), Created: timestamp(i.Created), Uploaded: timestamp(i.Uploaded),
		Permissions: api.Rights(i.Permissions, i.Folder), Owner: i.OwnerID, OwnerName: i.OwnerName, Mount: i.Mount,
		Tags: i.Tags, Checksums: i.Checksums, Unread: i.Comments, Encrypted: i.Encrypted, Hidden: i.Hidden, Free: max(i.Free, 0),
	}
	if i.Folder && i.Files >= 0 && i.Folders >= 0 {
		out.Files, out.Folders = &i.Files, &i.Folders
	}
	for _, kind := range i.Shared {
		if word, ok := shareKinds[kind]; ok {
			out.SharedAs = append(out.SharedAs, word)
		}
	}
	if i.Lock != nil {
		out.LockedBy, out.LockedUntil = i.Lock.Owner, timestamp(i.Lock.Until)
		if i.Lock.App != "" {
			out.LockedBy += " in " + i.Lock.App
		}
	}
	return out, nil
})

// LinkInput is the input of nc_webdav_get_download_link.
type LinkInput struct {
	Path  string `json:"path" jsonschema:"file"`
	Hours int    `json:"hours,omitempty" jsonschema:"how long it works, default 8, at most 24"`
}

// DirectLink is the outcome of nc_webdav_get_download_link.
type DirectLink struct {
	Path    string `json:"path"`
	URL     string `json:"url"`
	Expires string `json:"expires"`
	Note    string `json:"note"`
}

var link = tool.New(tool.Def{
	Name:        "nc_webdav_get_download_link",
	Title:       "Direct download link",
	Description: "Make a link with which anybody who has it can download a file for some hours.",
	Scope:       scope.FilesRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Object:      []string{"path"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in LinkInput) (*DirectLink, error) {
	if in.Hours < 0 || time.Duration(in.Hours)*time.Hour > api.MaxLink {
		return nil, tool.Invalidf("hours has to be between 1 and %d", int(api.MaxLink/time.Hour))
	}
	if err := allow(ctx, files, in.Path); err != nil {
		return nil, err
	}
	l, err := files.Link(ctx, in.Path, time.Duration(in.Hours)*time.Hour)
	if err != nil {
		return nil, err
	}
	return &DirectLink{in.Path, l.URL, timestamp(l.Expires), "It cannot be taken back before it expires."}, nil
})
