// Package notes declares the tools and resources of the Notes app. It is
// separate from the client below it because only this side knows what a model
// needs to be told and what it need not read.
package notes

import (
	"time"

	api "nextcloud-mcp-server/internal/nextcloud/notes"
	"nextcloud-mcp-server/internal/tool"
)

// Tools is the Notes area.
var Tools = tool.Group[*api.Client]{
	Name: "notes", Title: "Notes", App: "notes", Client: api.New,
	Tools:     []tool.Of[*api.Client]{search, get, create, update, appendContent, attachment, remove},
	Resources: []tool.ResourceOf[*api.Client]{settingsResource, noteResource, attachmentResource},
	Documents: []tool.DocumentOf[*api.Client]{noteDocument},
}

// Saved is what a note is after it was written. The content is not repeated.
// Results leave out what is empty or false, here and below: it says nothing,
// and the list of what is always there would be paid for with every schema.
type Saved struct {
	ID       int64  `json:"id,omitempty"`
	Title    string `json:"title,omitempty"`
	Category string `json:"category,omitempty"`
	ETag     string `json:"etag,omitempty"`
	Modified string `json:"modified,omitempty"`
	URL      string `json:"url,omitempty"`
}

func saved(n *api.Note, err error) (*Saved, error) {
	if err != nil {
		return nil, err
	}
	return &Saved{ID: n.ID, Title: n.Title, Category: n.Category, ETag: n.ETag, Modified: timestamp(n.Modified), URL: n.URL}, nil
}

func timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
