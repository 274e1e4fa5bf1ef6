package deck

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

// Attachment is a file on a card.
type Attachment struct {
	ID int64 `json:"id"`
	// Type is "file" for a file of Nextcloud that the card points to, and
	// "deck_file" for one that Deck keeps itself. Ids are unique within a type.
	Type    string `json:"type"`
	Name    string `json:"name"`
	Path    string `json:"path,omitempty"` // in the person's files
	Size    int64  `json:"size,omitempty"` // bytes
	MIME    string `json:"mime_type,omitempty"`
	By      string `json:"added_by,omitempty"`
	Deleted bool   `json:"deleted,omitempty"` // in Deck's trash
}

type wireAttachment struct {
	ID      lenient.Int  `json:"id"`
	Type    lenient.Text `json:"type"`
	Name    lenient.Text `json:"data"`
	By      lenient.Text `json:"createdBy"`
	Deleted lenient.Int  `json:"deletedAt"`
	More    lenient.Maybe[struct {
		Path lenient.Text `json:"path"`
		Size lenient.Int  `json:"filesize"`
		MIME lenient.Text `json:"mimetype"`
	}] `json:"extendedData"`
}

func (w *wireAttachment) Check() error {
	if w.ID <= 0 {
		return lenient.NoID()
	}
	return nil
}

func (w *wireAttachment) attachment() Attachment {
	out := Attachment{ID: int64(w.ID), Type: string(w.Type), Name: string(w.Name), By: string(w.By), Deleted: w.Deleted > 0}
	if m := w.More.Value; m != nil {
		out.Path, out.Size, out.MIME = string(m.Path), int64(m.Size), string(m.MIME)
	}
	return out
}

func attachmentsPath(card int64) string {
	return restFiles + strings.TrimPrefix(cardPath(0, card), rest) + "/attachments"
}

// Attachments are the files on a card, deleted ones of Deck's own among them.
func (c *Client) Attachments(ctx context.Context, card int64) ([]Attachment, []lenient.Skipped, error) {
	var list lenient.List[wireAttachment]
	if err := c.get(ctx, "list attachments of card "+id(card), attachmentsPath(card), &list); err != nil {
		return nil, nil, err
	}
	out := make([]Attachment, 0, len(list.Items))
	for i := range list.Items {
		out = append(out, list.Items[i].attachment())
	}
	return out, list.Skipped, nil
}

// DeleteAttachment takes a file off a card. A file of Nextcloud stays where it
// is; one of Deck's own goes to Deck's trash.
func (c *Client) DeleteAttachment(ctx context.Context, card int64, a Attachment) error {
	op := "delete attachment " + id(a.ID)
	path, err := nextcloud.Path(attachmentsPath(card), a.Type, id(a.ID))
	if err != nil {
		return err
	}
	return c.send(ctx, op, http.MethodDelete, path, nil, nil)
}

// cardShare is the type of shares with cards (OCP\Share\IShare::TYPE_DECK).
const cardShare = 12

// Attach hangs a file of the person's files on a card, for all members of the
// board to read. It answers the id of the attachment.
func (c *Client) Attach(ctx context.Context, card int64, file string) (int64, error) {
	op := "attach " + file
	var w struct {
		ID lenient.Int `json:"id"`
	}
	err := c.nc.OCS(ctx, nextcloud.Request{
		Op: op, Method: http.MethodPost, Path: "/ocs/v2.php/apps/files_sharing/api/v1/shares", Type: "application/json",
		Body: nextcloud.JSONBody(map[string]any{"path": file, "shareType": cardShare, "shareWith": id(card), "permissions": 1}),
	}, &w)
	if e, ok := errors.AsType[*nextcloud.Error](err); ok {
		switch {
		case strings.HasPrefix(e.Message, "Path is already shared"):
			e.Kind, e.Message = nextcloud.ErrConflict, "the file is attached to this card already"
		case strings.HasPrefix(e.Message, "Wrong path"):
			e.Message = "there is no such file"
		case strings.HasPrefix(e.Message, "Card not found"):
			e.Message = "there is no such card, or the person may not change it"
		}
	}
	return int64(w.ID), err
}

// NotePath is where a note lies in the person's files, as the Notes app tells.
func (c *Client) NotePath(ctx context.Context, note int64) (string, error) {
	op := "find the file of note " + id(note)
	var w struct {
		Path lenient.Text `json:"internalPath"`
	}
	r := nextcloud.Request{Op: op, Path: "/index.php/apps/notes/api/v1/notes/" + id(note), Query: map[string][]string{"exclude": {"content"}}}
	if _, err := c.nc.JSON(ctx, r, &w); err != nil {
		return "", err
	}
	if !strings.HasPrefix(string(w.Path), "/") {
		return "", &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Message: "the Notes app is too old to say where a note lies"}
	}
	return string(w.Path), nil
}
