package nextcloudtest

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func (c *deckCall) listBoards() (any, *deckFault) {
	since := int64(0)
	if text := c.Header.Get("If-Modified-Since"); text != "" {
		t, err := http.ParseTime(text)
		if err != nil {
			return nil, &deckFault{http.StatusInternalServerError, "Invalid If-Modified-Since header provided."}
		}
		since = t.Unix()
	}
	detail := boardListed
	if c.URL.Query().Get("details") == "true" {
		detail = boardDetails
	}
	list, tags := []any{}, []string{}
	for _, id := range slices.Sorted(maps.Keys(c.app.boards)) {
		// Deck: deleted boards are listed too, until they are gone for good.
		b := c.app.board(id, c.a.id, deckRead, true)
		if b == nil || b.modified < since {
			continue
		}
		list = append(list, c.s.deckBoardAnswer(b, c.a, detail))
		tags = append(tags, strconv.Itoa(b.id)+"-"+deckTag(b.modified))
	}
	if c.etag(md5Hex(string(phpJSON(tags)))) {
		return nil, nil
	}
	return list, nil
}

func (c *deckCall) createBoard() (any, *deckFault) {
	if !c.has("title") || !c.has("color") {
		return nil, deckNoParameter
	}
	if fault := checkTitle(c.text("title"), 100); fault != nil {
		return nil, fault
	}
	if fault := checkColor(c.text("color")); fault != nil {
		return nil, fault
	}
	b := c.app.addBoard(c.a.id, c.text("title"), c.text("color"), c.now)
	return c.s.deckBoardAnswer(b, c.a, boardMade), nil
}

func (c *deckCall) getBoard() (any, *deckFault) {
	b, fault := c.board(deckRead)
	if fault != nil {
		return nil, fault
	}
	if c.etag(deckTag(b.modified)) {
		return nil, nil
	}
	return c.s.deckBoardAnswer(b, c.a, boardWhole), nil
}

func (c *deckCall) updateBoard() (any, *deckFault) {
	id, fault := c.id("board")
	if fault != nil {
		return nil, fault
	}
	b := c.app.board(id, c.a.id, deckManage, false)
	if b == nil {
		return nil, deckDenied
	}
	if !c.has("title") || !c.has("color") {
		return nil, deckNoParameter
	}
	if fault := checkTitle(c.text("title"), 100); fault != nil {
		return nil, fault
	}
	b.title, b.color, b.archived, b.modified = c.text("title"), c.text("color"), c.text("archived") == "1", c.now
	return c.s.deckBoardAnswer(b, c.a, boardWhole), nil
}

func (c *deckCall) deleteBoard() (any, *deckFault) {
	id, fault := c.id("board")
	if fault != nil {
		return nil, fault
	}
	b := c.app.board(id, c.a.id, deckManage, false)
	if b == nil {
		return nil, deckDenied
	}
	b.deletedAt = c.now
	return c.s.deckBoardAnswer(b, c.a, boardWhole), nil
}

func (c *deckCall) undeleteBoard() (any, *deckFault) {
	id, fault := c.id("board")
	if fault != nil {
		return nil, fault
	}
	b := c.app.board(id, c.a.id, deckManage, true)
	if b == nil {
		return nil, deckDenied
	}
	b.deletedAt = 0
	return c.s.deckBoardAnswer(b, c.a, boardWhole), nil
}

func (c *deckCall) addACL() (any, *deckFault) {
	b, fault := c.board(deckShare)
	if fault != nil {
		return nil, fault
	}
	if c.s.account(c.text("participant")) == nil || c.text("type") != "0" {
		return nil, deckInvalid("participant must be provided and must be not empty")
	}
	c.app.last.acl++
	x := &deckACL{c.app.last.acl, c.text("participant"), c.text("permissionEdit") == "1", c.text("permissionShare") == "1", c.text("permissionManage") == "1"}
	b.acl, b.modified = append(b.acl, x), c.now
	return c.s.deckACLAnswer(b, x), nil
}

func (c *deckCall) changeACL() (any, *deckFault) {
	b, fault := c.board(deckShare)
	if fault != nil {
		return nil, fault
	}
	id, fault := c.id("acl")
	if fault != nil {
		return nil, fault
	}
	i := slices.IndexFunc(b.acl, func(x *deckACL) bool { return x.id == id })
	if i < 0 {
		return nil, deckDenied
	}
	x := b.acl[i]
	if c.Method == http.MethodDelete {
		b.acl = slices.Delete(b.acl, i, i+1)
	} else {
		x.edit, x.share, x.manage = c.text("permissionEdit") == "1", c.text("permissionShare") == "1", c.text("permissionManage") == "1"
	}
	b.modified = c.now
	return c.s.deckACLAnswer(b, x), nil
}

func (c *deckCall) stacksAnswer(archived bool, detail cardDetail) (any, *deckFault) {
	b, fault := c.board(deckRead)
	if fault != nil {
		return nil, fault
	}
	since := int64(-1)
	if t, err := http.ParseTime(c.Header.Get("If-Modified-Since")); err == nil {
		since = t.Unix()
	}
	cards := c.app.cardsByStack(archived)
	list := []any{}
	for _, st := range c.app.stacksOf(b.id) {
		shown := []any{}
		for _, k := range cards[st.id] {
			if k.modified > since {
				shown = append(shown, c.s.deckCardAnswer(k, detail))
			}
		}
		list = append(list, st.answer(shown))
	}
	return list, nil
}

func (c *deckCall) listStacks() (any, *deckFault) { return c.stacksAnswer(false, cardWhole) }

func (c *deckCall) listArchived() (any, *deckFault) { return c.stacksAnswer(true, cardBare) }

// listDeleted are the deleted cards of a board.
func (c *deckCall) listDeleted() (any, *deckFault) {
	b, fault := c.board(deckRead)
	if fault != nil {
		return nil, fault
	}
	list := []any{}
	for _, id := range slices.Sorted(maps.Keys(c.app.cards)) {
		k := c.app.cards[id]
		if st := c.app.stacks[k.stack]; k.deletedAt == 0 || st == nil || st.board != b.id {
			continue
		}
		answer := c.s.deckCardAnswer(k, cardDeleted)
		answer["relatedStack"] = c.app.stacks[k.stack].answer(nil)
		answer["relatedBoard"] = c.s.deckBoardAnswer(b, c.a, boardMade)
		list = append(list, answer)
	}
	return list, nil
}

func (c *deckCall) getStack() (any, *deckFault) {
	st, fault := c.stack(deckRead)
	if fault != nil {
		return nil, fault
	}
	if c.etag(deckTag(st.modified)) {
		return nil, nil
	}
	shown := []any{}
	for _, k := range c.app.cardsByStack(false)[st.id] {
		shown = append(shown, c.s.deckCardAnswer(k, cardInStack))
	}
	return st.answer(shown), nil
}

func (c *deckCall) createStack() (any, *deckFault) {
	b, fault := c.board(deckManage)
	if fault != nil {
		return nil, fault
	}
	if !c.has("title") || !c.has("order") {
		return nil, deckNoParameter
	}
	if fault := checkTitle(c.text("title"), 100); fault != nil {
		return nil, fault
	}
	b.modified = c.now
	return c.app.addStack(b, c.text("title"), c.number("order")).answer(nil), nil
}

// updateStack changes a stack. Deck: a deleted one comes back by it.
func (c *deckCall) updateStack() (any, *deckFault) {
	st, fault := c.stack(deckManage)
	if fault != nil {
		return nil, fault
	}
	b, fault := c.board(deckManage)
	if fault != nil {
		return nil, fault
	}
	if !c.has("title") || !c.has("order") {
		return nil, deckNoParameter
	}
	if fault := checkTitle(c.text("title"), 100); fault != nil {
		return nil, fault
	}
	st.title, st.order, st.board, st.deletedAt = c.text("title"), c.number("order"), b.id, 0
	b.modified = c.now
	return st.answer(nil), nil
}

func (c *deckCall) deleteStack() (any, *deckFault) {
	st, fault := c.stack(deckManage)
	if fault != nil {
		return nil, fault
	}
	st.deletedAt, st.modified = c.now, c.now
	c.app.boards[st.board].modified = c.now
	shown := []any{}
	for _, k := range c.app.cardsByStack(false)[st.id] {
		shown = append(shown, c.s.deckCardAnswer(k, cardWhole))
	}
	return st.answer(shown), nil
}

func (c *deckCall) uniqueLabel(board, self int) *deckFault {
	if fault := checkTitle(c.text("title"), 100); fault != nil {
		return fault
	}
	if fault := checkColor(c.text("color")); fault != nil {
		return fault
	}
	for _, l := range c.app.labelsOf(board) {
		if l.id != self && strings.EqualFold(l.title, c.text("title")) {
			return deckInvalid("title must be unique")
		}
	}
	return nil
}

func (c *deckCall) createLabel() (any, *deckFault) {
	b, fault := c.board(deckManage)
	if fault != nil {
		return nil, fault
	}
	if fault := c.uniqueLabel(b.id, 0); fault != nil {
		return nil, fault
	}
	b.modified = c.now
	return c.app.addLabel(b, c.text("title"), c.text("color"), c.now).answer(nil), nil
}

func (c *deckCall) getLabel() (any, *deckFault) {
	l, fault := c.label(deckRead)
	if fault != nil {
		return nil, fault
	}
	return l.answer(nil), nil
}

func (c *deckCall) updateLabel() (any, *deckFault) {
	l, fault := c.label(deckManage)
	if fault != nil {
		return nil, fault
	}
	if fault := c.uniqueLabel(l.board, l.id); fault != nil {
		return nil, fault
	}
	l.title, l.color, l.modified = c.text("title"), c.text("color"), c.now
	c.app.boards[l.board].modified = c.now
	return l.answer(nil), nil
}

func (c *deckCall) deleteLabel() (any, *deckFault) {
	l, fault := c.label(deckManage)
	if fault != nil {
		return nil, fault
	}
	delete(c.app.labels, l.id)
	for _, k := range c.app.cards {
		k.labels = slices.DeleteFunc(k.labels, func(id int) bool { return id == l.id })
	}
	c.app.boards[l.board].modified = c.now
	return l.answer(nil), nil
}
