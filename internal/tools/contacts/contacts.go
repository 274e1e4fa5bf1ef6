// Package contacts declares the tools of Nextcloud's contacts. It is separate
// from the client below it because only this side knows what a model needs to
// be told and what it need not read.
package contacts

import (
	api "nextcloud-mcp-server/internal/nextcloud/contacts"
	"nextcloud-mcp-server/internal/tool"
)

// Tools is the Contacts area.
var Tools = tool.Group[*api.Client]{
	Name: "contacts", Title: "Contacts", Client: api.New,
	Tools: []tool.Of[*api.Client]{
		listBooks, list, search, get, create, update, remove,
		createBook, updateBook, deleteBook, move, duplicate, groups, setGroup,
		getPhoto, setPhoto, findDuplicates, merge, importCards, exportCards,
	},
}

// Saved is a contact after it was written: what is needed for the next change.
type Saved struct {
	UID         string `json:"uid,omitempty"`
	Addressbook string `json:"addressbook,omitempty"`
	Name        string `json:"fn,omitempty"`
	ETag        string `json:"etag,omitempty"`
	Unchanged   bool   `json:"unchanged,omitempty"`
	Note        string `json:"note,omitempty"`
}

func saved(w *api.Written, err error) (*Saved, error) {
	if err != nil {
		return nil, err
	}
	c := w.Contact
	return &Saved{UID: c.UID, Addressbook: c.Addressbook, Name: c.Name, ETag: c.ETag, Unchanged: w.Same, Note: w.Note}, nil
}

// checkLimit refuses a page that is too large.
func checkLimit(limit int) error {
	if limit < 0 || limit > api.MaxLimit {
		return tool.Invalidf("limit has to be between 1 and %d", api.MaxLimit)
	}
	return nil
}
