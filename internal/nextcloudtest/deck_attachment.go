package nextcloudtest

import (
	"io"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

func (s *Server) deckAttachmentAnswer(x *deckAttachment) map[string]any {
	name := strings.TrimSuffix(x.name, path.Ext(x.name))
	creator := map[string]any{"displayName": x.by, "id": x.by, "email": nil}
	if a := s.account(x.by); a != nil {
		creator["displayName"], creator["email"] = a.profile().DisplayName, a.profile().Email
	}
	return map[string]any{
		"id": x.id, "cardId": x.card, "type": x.kind, "data": x.name, "lastModified": x.changed, "createdAt": x.createdAt, "createdBy": x.by,
		"deletedAt": x.deletedAt, "extendedData": map[string]any{
			"path": x.path, "fileid": x.fileID, "data": x.name, "filesize": x.size, "mimetype": x.mime,
			"info":       map[string]any{"dirname": ".", "basename": x.name, "extension": strings.TrimPrefix(path.Ext(x.name), "."), "filename": name},
			"hasPreview": true, "permissions": 1, "attachmentCreator": creator,
		},
	}
}

// attachments are those of a card. Deck: version 1.0 knows only files of its own.
func (c *deckCall) attachments(k *deckCard) []any {
	list := []any{}
	for _, x := range c.app.attachments {
		if x.card == k.id && (c.PathValue("version") != "v1.0" || x.kind == "deck_file") {
			list = append(list, c.s.deckAttachmentAnswer(x))
		}
	}
	return list
}

func (c *deckCall) listAttachments() (any, *deckFault) {
	k, fault := c.card(deckRead)
	if fault != nil {
		return nil, fault
	}
	return c.attachments(k), nil
}

func (c *deckCall) attach(k *deckCard, kind, name, file, mimeType string, size int) *deckAttachment {
	c.app.last.attachment++
	x := &deckAttachment{
		id: c.app.last.attachment, card: k.id, kind: kind, name: name, path: file, by: c.a.id, size: size, mime: mimeType,
		fileID: 250 + c.app.last.attachment, createdAt: c.now, changed: c.now,
	}
	c.app.attachments = append(c.app.attachments, x)
	c.app.touch(k, c.a.id, c.now)
	return x
}

func (c *deckCall) createAttachment() (any, *deckFault) {
	k, fault := c.card(deckEdit)
	if fault != nil {
		return nil, fault
	}
	if err := c.ParseMultipartForm(1 << 20); err != nil || !c.PostForm.Has("data") || !c.PostForm.Has("type") {
		return nil, deckNoParameter
	}
	file, head, err := c.FormFile("file")
	if err != nil {
		return nil, deckBroken
	}
	defer file.Close()
	size, err := io.Copy(io.Discard, file)
	if err != nil {
		return nil, deckBroken
	}
	kind := c.PostForm.Get("type")
	return c.s.deckAttachmentAnswer(c.attach(k, kind, head.Filename, "/Deck/"+head.Filename, head.Header.Get("Content-Type"), int(size))), nil
}

// attachment is the one of the path.
func (c *deckCall) attachment(p deckPermission) (*deckAttachment, *deckFault) {
	k, fault := c.card(p)
	if fault != nil {
		return nil, fault
	}
	id, fault := c.id("attachment")
	if fault != nil {
		return nil, fault
	}
	for _, x := range c.app.attachments {
		if x.id == id && x.kind == c.PathValue("type") && x.card == k.id {
			return x, nil
		}
	}
	return nil, &deckFault{http.StatusForbidden, "No permission to access the attachment from the card"}
}

func (c *deckCall) getAttachment() (any, *deckFault) {
	x, fault := c.attachment(deckRead)
	if fault != nil {
		return nil, fault
	}
	c.w.Header().Set("Content-Disposition", `attachment; filename="`+x.name+`"`)
	c.w.Header().Set("Content-Type", x.mime+";charset=UTF-8")
	writeString(c.w, strings.Repeat("x", x.size))
	return nil, nil
}

// deleteAttachment takes a file off a card. Only Deck's own files can come back.
func (c *deckCall) deleteAttachment() (any, *deckFault) {
	x, fault := c.attachment(deckEdit)
	if fault != nil {
		return nil, fault
	}
	c.app.touchUp(c.app.cards[x.card], c.now)
	if x.kind == "deck_file" {
		x.deletedAt = c.now
		return c.s.deckAttachmentAnswer(x), nil
	}
	c.app.attachments = slices.DeleteFunc(c.app.attachments, func(other *deckAttachment) bool { return other == x })
	answer := c.s.deckAttachmentAnswer(x)
	answer["lastModified"], answer["createdAt"], answer["createdBy"] = 0, 0, nil
	if extended, ok := answer["extendedData"].(map[string]any); ok {
		delete(extended, "attachmentCreator")
	}
	return answer, nil
}

// AddDeckFile hangs a file of Deck's own on a card, as older versions did, and returns its id.
func (s *Server) AddDeckFile(userID string, card int, name string) int {
	a := s.account(userID)
	s.deck.mu.Lock()
	defer s.deck.mu.Unlock()
	k := s.deck.cards[card]
	if a == nil || k == nil {
		return 0
	}
	c := &deckCall{s: s, a: a, app: &s.deck, now: s.now().Unix()}
	return c.attach(k, "deck_file", name, "", "text/plain", 5).id
}

// shareWithCard hangs a file of a user's on a card; the locks of files and shares are held.
func (s *Server) shareWithCard(a *account, file, card string) (any, *shareFault) {
	f := seen(a.files.find(file))
	if f == nil {
		return nil, noSuchPath
	}
	s.deck.mu.Lock()
	defer s.deck.mu.Unlock()
	c := &deckCall{s: s, a: a, app: &s.deck, now: s.now().Unix()}
	id, err := strconv.Atoi(card)
	k, fault := c.cardOf(id, deckEdit, false)
	if err != nil || fault != nil {
		return nil, refuseShare(http.StatusNotFound, "Card not found")
	}
	for _, x := range c.app.attachments {
		if x.card == id && x.kind == "file" && x.path == f.path {
			return nil, refuseShare(http.StatusForbidden, "Path is already shared with this card")
		}
	}
	kind := typeOfName(f.node.name)
	x := c.attach(k, "file", f.node.name, f.path, kind, int(f.node.size))
	return map[string]any{
		"id": strconv.Itoa(x.id), "share_type": shareDeck, "uid_owner": a.id, "displayname_owner": a.profile().DisplayName, "permissions": 1,
		"can_edit": true, "can_delete": true, "stime": c.now, "path": f.path, "item_type": "file", "file_source": x.fileID, "mimetype": kind,
		"share_with": card, "share_with_displayname": k.title, "mail_send": 0, "hide_download": 0,
	}, nil
}
