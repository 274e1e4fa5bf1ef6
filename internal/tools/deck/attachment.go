package deck

import (
	"context"
	"fmt"
	"strings"

	api "nextcloud-mcp-server/internal/nextcloud/deck"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// Attachments is the outcome of deck_list_attachments.
type Attachments struct {
	Items   []api.Attachment  `json:"items"`
	Skipped []lenient.Skipped `json:"skipped,omitempty"`
}

var listAttachments = tool.New(tool.Def{
	Name:        "deck_list_attachments",
	Title:       "List attachments of a card",
	Description: "List the files on a card.",
	Scope:       scope.DeckRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Foreign:     true,
	Object:      []string{"card_id"},
}, func(ctx context.Context, c *api.Client, in CardRef) (*Attachments, error) {
	list, skipped, err := reachable(ctx, c, in.CardID)
	if err != nil {
		return nil, err
	}
	return &Attachments{list, skipped}, nil
})

// reachable are the attachments of a card without the files that this server
// keeps from assistants. Where the connection is limited to folders, the path
// of other files is not told.
func reachable(ctx context.Context, c *api.Client, card int64) ([]api.Attachment, []lenient.Skipped, error) {
	shown, err := tool.HiddenFilter(ctx)
	if err != nil {
		return nil, nil, err
	}
	allowed, err := tool.PathFilter(ctx)
	if err != nil {
		return nil, nil, err
	}
	list, skipped, err := c.Attachments(ctx, card)
	if err != nil {
		return nil, nil, err
	}
	out := []api.Attachment{}
	for _, a := range list {
		if a.Path != "" && !shown(a.Path) {
			continue
		}
		if a.Path != "" && !allowed(a.Path) {
			a.Path = ""
		}
		out = append(out, a)
	}
	return out, skipped, nil
}

// AttachmentResult is what became of an attachment.
type AttachmentResult struct {
	AttachmentID int64  `json:"attachment_id,omitempty"`
	CardID       int64  `json:"card_id,omitempty"`
	Path         string `json:"path,omitempty"`
	Name         string `json:"name,omitempty"`
	Undo         string `json:"undo,omitempty"`
}

func attach(ctx context.Context, c *api.Client, card int64, path string) (*AttachmentResult, error) {
	if err := tool.CheckTree(ctx, path); err != nil {
		return nil, err
	}
	n, err := c.Attach(ctx, card, path)
	if err != nil {
		return nil, err
	}
	return &AttachmentResult{AttachmentID: n, CardID: card, Path: path}, nil
}

// AttachFileInput is the input of deck_attach_file.
type AttachFileInput struct {
	CardID int64  `json:"card_id" jsonschema:"card id"`
	Path   string `json:"path" jsonschema:"path of the file, from / on"`
}

var attachFile = tool.New(tool.Def{
	Name:        "deck_attach_file",
	Title:       "Attach a file to a card",
	Description: "Let the members of the board read a file of Nextcloud through a card.",
	Scope:       scope.DeckWrite,
	Also:        []scope.Scope{scope.FilesRead},
	Effect:      tool.Updates,
	Tier:        tool.Complete,
	Folders:     true,
	Object:      []string{"card_id", "path"},
}, func(ctx context.Context, c *api.Client, in AttachFileInput) (*AttachmentResult, error) {
	path, err := absolute(in.Path)
	if err != nil {
		return nil, err
	}
	return attach(ctx, c, in.CardID, path)
})

// absolute is a path in the person's files that cannot mean another one.
func absolute(path string) (string, error) {
	segments := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	for _, s := range segments {
		if s == "." || s == ".." || strings.ContainsAny(s, "\\\x00\r\n") {
			return "", tool.Invalidf("%.100q is no path: it starts with / and has no . or .. in it", path)
		}
	}
	if len(segments) == 0 || !strings.HasPrefix(path, "/") {
		return "", tool.Invalidf("%.100q is no path of a file: it starts with /", path)
	}
	return "/" + strings.Join(segments, "/"), nil
}

// AttachNoteInput is the input of deck_attach_note.
type AttachNoteInput struct {
	CardID int64 `json:"card_id" jsonschema:"card id"`
	NoteID int64 `json:"note_id" jsonschema:"note id"`
}

var attachNote = tool.New(tool.Def{
	Name:        "deck_attach_note",
	Title:       "Attach a note to a card",
	Description: "Let the members of the board read a note through a card.",
	Scope:       scope.DeckWrite,
	Also:        []scope.Scope{scope.FilesRead, scope.NotesRead},
	Effect:      tool.Updates,
	Tier:        tool.Complete,
	Folders:     true,
	Object:      []string{"card_id", "note_id"},
}, func(ctx context.Context, c *api.Client, in AttachNoteInput) (*AttachmentResult, error) {
	path, err := c.NotePath(ctx, in.NoteID)
	if err != nil {
		return nil, err
	}
	if tool.CheckPath(ctx, path) != nil {
		// The path is not told: the caller gave an id only.
		return nil, tool.Invalidf("This connection may not reach the file of note %d, and nothing was attached.", in.NoteID)
	}
	return attach(ctx, c, in.CardID, path)
})

// DeleteAttachmentInput is the input of deck_delete_attachment.
type DeleteAttachmentInput struct {
	BoardID      string `json:"board_id,omitempty" jsonschema:"not needed"`
	StackID      string `json:"stack_id,omitempty" jsonschema:"not needed"`
	CardID       int64  `json:"card_id" jsonschema:"card id"`
	AttachmentID int64  `json:"attachment_id" jsonschema:"attachment id"`
	Type         string `json:"type,omitempty" jsonschema:"file or deck_file if both have the id"`
}

var deleteAttachment = tool.New(tool.Def{
	Name:        "deck_delete_attachment",
	Title:       "Take a file off a card",
	Description: "Take a file off a card. A file of Nextcloud stays where it is.",
	Scope:       scope.DeckWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Complete,
	Foreign:     true,
	Object:      []string{"card_id", "attachment_id"},
}, func(ctx context.Context, c *api.Client, in DeleteAttachmentInput) (*AttachmentResult, error) {
	list, _, err := reachable(ctx, c, in.CardID)
	if err != nil {
		return nil, err
	}
	var found []api.Attachment
	for _, a := range list {
		if a.ID == in.AttachmentID && !a.Deleted && (in.Type == "" || in.Type == a.Type) {
			found = append(found, a)
		}
	}
	switch len(found) {
	case 0:
		return nil, tool.Invalidf("Card %d has no attachment %d. List them with deck_list_attachments.", in.CardID, in.AttachmentID)
	case 1:
	default:
		return nil, tool.Invalidf("Card %d has two attachments %d. Give the type as well: file or deck_file.", in.CardID, in.AttachmentID)
	}
	a := found[0]
	if err := c.DeleteAttachment(ctx, in.CardID, a); err != nil {
		return nil, err
	}
	out := &AttachmentResult{AttachmentID: a.ID, CardID: in.CardID, Path: a.Path, Name: a.Name}
	if a.Type == "file" {
		out.Undo = fmt.Sprintf("The file itself is untouched. deck_attach_file with card_id %d and its path attaches it again.", in.CardID)
	} else {
		out.Undo = "The person can restore it in Deck, among the attachments of the card. " + trash
	}
	return out, nil
})
