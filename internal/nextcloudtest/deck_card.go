package nextcloudtest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

func (c *deckCall) createCard() (any, *deckFault) {
	st, fault := c.stack(deckEdit)
	if fault != nil {
		return nil, fault
	}
	title, given := c.params["title"]
	if !given || title == nil {
		// Deck: a type error that nothing catches.
		return nil, deckBroken
	}
	if fault := checkTitle(c.text("title"), 255); fault != nil {
		return nil, fault
	}
	if len(c.app.cards) >= maxDeckCards {
		return nil, deckBroken
	}
	due, fault := parseDeckDate(c.text("duedate"), true)
	if fault != nil {
		return nil, fault
	}
	start, fault := parseDeckDate(c.text("startdate"), true)
	if fault != nil {
		return nil, fault
	}
	order := 999
	if c.has("order") {
		order = c.number("order")
	}
	k := c.app.addCard(st, c.text("title"), c.a.id, order, c.now)
	k.description, k.due, k.start = c.text("description"), due, start
	if c.has("type") {
		k.kind = c.text("type")
	}
	if c.has("color") {
		k.color = new(c.text("color"))
	}
	c.app.touchUp(k, c.now)
	return c.s.deckCardAnswer(k, cardWhole), nil
}

func (c *deckCall) getCard() (any, *deckFault) {
	k, fault := c.card(deckRead)
	if fault != nil {
		return nil, fault
	}
	if c.etag(deckTag(k.modified)) {
		return nil, nil
	}
	answer := c.s.deckCardAnswer(k, cardWhole)
	if list := c.attachments(k); len(list) > 0 {
		answer["attachments"] = list
	}
	return answer, nil
}

// updateCard writes all of a card: what is not given is wiped, but for the colour and whether it is archived. The stack
// is the one of the path, so that a card moves with it, and a deleted card comes back.
func (c *deckCall) updateCard() (any, *deckFault) {
	id, fault := c.id("card")
	if fault != nil {
		return nil, fault
	}
	k, fault := c.cardOf(id, deckEdit, true)
	if fault != nil {
		return nil, fault
	}
	st, fault := c.stack(deckEdit)
	if fault != nil {
		return nil, fault
	}
	if _, given := c.params["type"]; !c.has("title") || !given || !c.has("owner") {
		return nil, deckNoParameter
	}
	if fault := checkTitle(c.text("title"), 255); fault != nil {
		return nil, fault
	}
	if k.archived && c.text("archived") == "1" {
		return nil, deckCardArchived
	}
	due, fault := parseDeckDate(c.text("duedate"), false)
	if fault != nil {
		return nil, fault
	}
	start, fault := parseDeckDate(c.text("startdate"), false)
	if fault != nil {
		return nil, fault
	}
	done, fault := parseDeckDate(c.text("done"), false)
	if fault != nil {
		return nil, fault
	}
	if k.before == nil {
		k.before = new(k.description)
	}
	k.title, k.kind, k.order, k.description, k.due, k.start, k.done, k.deletedAt = c.text("title"), c.text("type"), c.number("order"), c.text("description"), due, start, done, 0
	if c.has("archived") {
		k.archived = c.text("archived") == "1"
	}
	if color, given := c.params["color"]; given {
		k.color = nil
		if text := phpText(color); text != "" {
			k.color = &text
		}
	}
	before := k.editor
	c.app.touch(k, c.a.id, c.now)
	if from := c.app.stacks[k.stack]; from != nil && from.board != st.board {
		k.stack = st.id
		if k.archived && len(k.labels) > 0 {
			// Deck: it has moved, and then its labels cannot follow.
			return nil, deckCardArchived
		}
		c.relabel(k, c.app.boards[st.board])
	}
	k.stack = st.id
	c.app.touchUp(k, c.now)
	answer := c.s.deckCardAnswer(k, cardWhole)
	// Deck: the answer names who changed it before.
	answer["lastEditor"] = before
	return answer, nil
}

// relabel gives a card that moved to another board the labels of the same titles there; missing ones are made by those
// who may.
func (c *deckCall) relabel(k *deckCard, b *deckBoard) {
	var labels []int
	for _, id := range k.labels {
		old := c.app.labels[id]
		if old == nil {
			continue
		}
		all := c.app.labelsOf(b.id)
		if i := slices.IndexFunc(all, func(l *deckLabel) bool { return l.title == old.title }); i >= 0 {
			labels = append(labels, all[i].id)
		} else if b.can(c.a.id, deckManage) {
			labels = append(labels, c.app.addLabel(b, old.title, old.color, c.now).id)
		}
	}
	k.labels = labels
}

func (c *deckCall) deleteCard() (any, *deckFault) {
	k, fault := c.card(deckEdit)
	if fault != nil {
		return nil, fault
	}
	k.deletedAt = c.now
	c.app.touch(k, c.a.id, c.now)
	return c.s.deckCardAnswer(k, cardChanged), nil
}

func (c *deckCall) archiveCard() (any, *deckFault) {
	k, fault := c.card(deckEdit)
	if fault != nil {
		return nil, fault
	}
	k.archived = strings.HasSuffix(c.URL.Path, "/archive")
	c.app.touch(k, c.a.id, c.now)
	return c.s.deckCardAnswer(k, cardChanged), nil
}

// unarchived is a card that may be changed as archived ones may not.
func (c *deckCall) unarchived() (*deckCard, *deckFault) {
	k, fault := c.card(deckEdit)
	if fault == nil && k.archived {
		return nil, deckCardArchived
	}
	return k, fault
}

// reorderCard puts a card at a place of a stack, of whichever board.
func (c *deckCall) reorderCard() (any, *deckFault) {
	k, fault := c.unarchived()
	if fault != nil {
		return nil, fault
	}
	// Deck: the stack of the path wins over that of the body.
	st, fault := c.stack(deckEdit)
	if fault != nil {
		return nil, fault
	}
	c.app.touch(k, c.a.id, c.now)
	k.stack = st.id
	order, i := c.number("order"), 0
	list := c.app.cardsByStack(false)[st.id]
	for _, other := range list {
		if i == order {
			i++
		}
		if other == k {
			k.order = order
			continue
		}
		other.order, other.modified = i, c.now
		i++
	}
	c.app.touch(k, c.a.id, c.now)
	byOrder := map[int]*deckCard{}
	var orders []int
	for _, other := range list {
		if byOrder[other.order] == nil {
			orders = append(orders, other.order)
		}
		byOrder[other.order] = other
	}
	slices.Sort(orders)
	out := []any{}
	for _, n := range orders {
		out = append(out, c.s.deckCardAnswer(byOrder[n], cardBare))
	}
	return out, nil
}

func (c *deckCall) assignLabel() (any, *deckFault) {
	k, fault := c.unarchived()
	if fault != nil {
		return nil, fault
	}
	if !c.has("labelId") {
		return nil, deckNoParameter
	}
	l := c.app.labels[c.number("labelId")]
	switch {
	case l == nil || c.app.board(l.board, c.a.id, deckRead, false) == nil:
		return nil, deckDenied
	case l.board != c.app.boardOfCard(k).id:
		return nil, &deckFault{http.StatusInternalServerError, "Operation not allowed. Label does not exist."}
	}
	c.app.touch(k, c.a.id, c.now)
	// Deck: the answer is the card as it was, and the same label can be there twice.
	answer := c.s.deckCardAnswer(k, cardChanged)
	k.labels = append(k.labels, l.id)
	return answer, nil
}

func (c *deckCall) removeLabel() (any, *deckFault) {
	k, fault := c.unarchived()
	if fault != nil {
		return nil, fault
	}
	l := c.app.labels[c.number("labelId")]
	if l == nil || c.app.board(l.board, c.a.id, deckRead, false) == nil {
		return nil, deckDenied
	}
	c.app.touch(k, c.a.id, c.now)
	answer := c.s.deckCardAnswer(k, cardChanged)
	k.labels = slices.DeleteFunc(k.labels, func(id int) bool { return id == l.id })
	return answer, nil
}

func (c *deckCall) assignUser() (any, *deckFault) {
	k, fault := c.card(deckEdit)
	if fault != nil {
		return nil, fault
	}
	uid := c.text("userId")
	switch {
	case uid == "":
		return nil, deckNoParameter
	case slices.ContainsFunc(k.assigned, func(x deckAssignment) bool { return x.uid == uid }):
		return nil, deckInvalid("The user is already assigned to the card")
	case !slices.Contains(c.app.boardOfCard(k).members(), uid):
		return nil, deckInvalid("The user is not part of the board")
	}
	c.app.last.assignment++
	x := deckAssignment{c.app.last.assignment, uid}
	k.assigned = append(k.assigned, x)
	c.app.touch(k, c.a.id, c.now)
	return c.s.deckAssignmentAnswer(k, x), nil
}

func (c *deckCall) unassignUser() (any, *deckFault) {
	k, fault := c.card(deckEdit)
	if fault != nil {
		return nil, fault
	}
	uid := c.text("userId")
	i := slices.IndexFunc(k.assigned, func(x deckAssignment) bool { return x.uid == uid })
	if i < 0 {
		return nil, &deckFault{http.StatusNotFound, "No assignment for " + uid + "found."}
	}
	x := k.assigned[i]
	k.assigned = slices.Delete(k.assigned, i, i+1)
	c.app.touch(k, c.a.id, c.now)
	return c.s.deckAssignmentAnswer(k, x), nil
}

func (c *deckCall) changeDependency() (any, *deckFault) {
	k, fault := c.unarchived()
	if fault != nil {
		return nil, fault
	}
	id, fault := c.id("other")
	if fault != nil {
		return nil, fault
	}
	if _, fault := c.cardOf(id, deckRead, false); fault != nil {
		return nil, fault
	}
	at := slices.Index(k.dependencies, id)
	if c.Method == http.MethodPost {
		if at < 0 && id != k.id {
			k.dependencies = append(k.dependencies, id)
		}
	} else if at >= 0 {
		k.dependencies = slices.Delete(k.dependencies, at, at+1)
	}
	c.app.touch(k, c.a.id, c.now)
	return c.s.deckCardAnswer(k, cardWhole), nil
}

// SampleBoard is a board to put into the Deck app before or while a test or demo runs.
type SampleBoard struct {
	Title   string
	Color   string   // hexadecimal, without #
	Members []string // people who may change cards
	Stacks  []SampleStack
}

// SampleStack is a list of a sample board.
type SampleStack struct {
	Title string
	Cards []SampleCard
}

// SampleCard is a card of a sample board.
type SampleCard struct {
	Title, Description string
	Due                time.Time // none when zero
	Done, Archived     bool
	Labels             []string // those of a new board: Finished, To review, Action needed, Later
	Assigned           []string
}

// AddDeckBoard makes a board of a user and returns its id, 0 when there is no such user.
func (s *Server) AddDeckBoard(userID string, in SampleBoard) int {
	if s.account(userID) == nil {
		return 0
	}
	d := &s.deck
	d.mu.Lock()
	defer d.mu.Unlock()
	now := s.now().Unix()
	b := d.addBoard(userID, in.Title, in.Color, now)
	for _, uid := range in.Members {
		if s.account(uid) != nil {
			d.last.acl++
			b.acl = append(b.acl, &deckACL{id: d.last.acl, participant: uid, edit: true})
		}
	}
	for i, st := range in.Stacks {
		stack := d.addStack(b, st.Title, i)
		stack.modified = now
		for j, sample := range st.Cards {
			d.addSample(b, d.addCard(stack, sample.Title, userID, j, now), sample)
		}
	}
	return b.id
}

func (d *deckApp) addSample(b *deckBoard, k *deckCard, in SampleCard) {
	k.description, k.archived = in.Description, in.Archived
	if !in.Due.IsZero() {
		k.due = new(in.Due.UTC())
	}
	if in.Done {
		k.done = new(time.Unix(k.modified, 0).UTC())
	}
	for _, l := range d.labelsOf(b.id) {
		if slices.Contains(in.Labels, l.title) {
			k.labels = append(k.labels, l.id)
		}
	}
	for _, uid := range in.Assigned {
		d.last.assignment++
		k.assigned = append(k.assigned, deckAssignment{d.last.assignment, uid})
	}
}
