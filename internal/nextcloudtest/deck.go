package nextcloudtest

import (
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"
)

// maxDeckCards bounds the cards of all boards.
const maxDeckCards = 50_000

// deckApp is the Deck app. It is one for all accounts, since people share boards; the zero value is ready.
type deckApp struct {
	mu          sync.Mutex // guards the fields below
	boards      map[int]*deckBoard
	stacks      map[int]*deckStack
	cards       map[int]*deckCard
	labels      map[int]*deckLabel
	comments    []*deckComment
	attachments []*deckAttachment
	last        deckIDs
}

// deckIDs are the last ids that were given.
type deckIDs struct {
	board, stack, card, label, acl, assignment, comment, attachment int
}

type deckBoard struct {
	id           int
	title, color string
	owner        string
	archived     bool
	deletedAt    int64
	modified     int64
	acl          []*deckACL
}

// deckACL is somebody with whom a board is shared.
type deckACL struct {
	id                  int
	participant         string
	edit, share, manage bool
}

type deckStack struct {
	id, board, order int
	title            string
	deletedAt        int64
	modified         int64
}

type deckLabel struct {
	id, board    int
	title, color string
	modified     int64
}

type deckCard struct {
	id, stack, order   int
	title, description string
	before             *string // the description before the last change
	color              *string
	kind, owner        string
	editor             *string
	created, modified  int64
	archived           bool
	done, due, start   *time.Time
	deletedAt          int64
	labels             []int // Deck: one can be there twice
	assigned           []deckAssignment
	dependencies       []int
}

type deckAssignment struct {
	id  int
	uid string
}

type deckComment struct {
	id, card, parent int
	by, message      string
	at               time.Time
}

// deckAttachment is a file of the person's files that hangs on a card, or one of Deck's own.
type deckAttachment struct {
	id, card           int
	kind               string // "file" or "deck_file"
	name, path, by     string
	size               int
	mime               string
	fileID             int
	createdAt, changed int64
	deletedAt          int64
}

// deckPermission is what somebody may do with a board.
type deckPermission int

const (
	deckRead deckPermission = iota
	deckEdit
	deckManage
	deckShare
)

func (b *deckBoard) can(uid string, p deckPermission) bool {
	if b.owner == uid {
		return true
	}
	for _, acl := range b.acl {
		if acl.participant == uid {
			return p == deckRead || p == deckEdit && acl.edit || p == deckManage && acl.manage || p == deckShare && acl.share
		}
	}
	return false
}

func (b *deckBoard) members() []string {
	out := []string{b.owner}
	for _, acl := range b.acl {
		out = append(out, acl.participant)
	}
	return out
}

func (d *deckApp) addBoard(owner, title, color string, now int64) *deckBoard {
	if d.boards == nil {
		d.boards, d.stacks, d.cards, d.labels = map[int]*deckBoard{}, map[int]*deckStack{}, map[int]*deckCard{}, map[int]*deckLabel{}
	}
	d.last.board++
	b := &deckBoard{id: d.last.board, title: title, color: color, owner: owner, modified: now}
	d.boards[b.id] = b
	for _, l := range [][2]string{{"Finished", "31CC7C"}, {"To review", "317CCC"}, {"Action needed", "FF7A66"}, {"Later", "F1DB50"}} {
		d.addLabel(b, l[0], l[1], now)
	}
	return b
}

func (d *deckApp) addLabel(b *deckBoard, title, color string, now int64) *deckLabel {
	d.last.label++
	l := &deckLabel{id: d.last.label, board: b.id, title: title, color: color, modified: now}
	d.labels[l.id] = l
	return l
}

func (d *deckApp) addStack(b *deckBoard, title string, order int) *deckStack {
	d.last.stack++
	st := &deckStack{id: d.last.stack, board: b.id, title: title, order: order}
	d.stacks[st.id] = st
	return st
}

func (d *deckApp) addCard(st *deckStack, title, owner string, order int, now int64) *deckCard {
	d.last.card++
	c := &deckCard{id: d.last.card, stack: st.id, title: title, owner: owner, order: order, kind: "plain", created: now, modified: now}
	d.cards[c.id] = c
	return c
}

// board is one that the person may use as asked, deleted ones only when they are wanted.
func (d *deckApp) board(id int, uid string, p deckPermission, deleted bool) *deckBoard {
	b := d.boards[id]
	if b == nil || b.deletedAt > 0 && !deleted || !b.can(uid, p) {
		return nil
	}
	return b
}

func (d *deckApp) boardOfCard(c *deckCard) *deckBoard {
	st := d.stacks[c.stack]
	if st == nil {
		return nil
	}
	return d.boards[st.board]
}

func (d *deckApp) labelsOf(board int) []*deckLabel {
	return slices.SortedFunc(func(yield func(*deckLabel) bool) {
		for _, l := range d.labels {
			if l.board == board && !yield(l) {
				return
			}
		}
	}, func(a, b *deckLabel) int { return a.id - b.id })
}

func (d *deckApp) stacksOf(board int) []*deckStack {
	var out []*deckStack
	for _, id := range slices.Sorted(maps.Keys(d.stacks)) {
		if st := d.stacks[id]; st.board == board && st.deletedAt == 0 {
			out = append(out, st)
		}
	}
	// Deck: not in their order; how they come depends on the database.
	return out
}

// cardsByStack are the cards of stacks in their order, archived or not.
func (d *deckApp) cardsByStack(archived bool) map[int][]*deckCard {
	out := map[int][]*deckCard{}
	for _, c := range d.cards {
		if c.archived == archived && c.deletedAt == 0 {
			out[c.stack] = append(out[c.stack], c)
		}
	}
	for _, list := range out {
		slices.SortFunc(list, func(a, b *deckCard) int {
			if a.order != b.order {
				return a.order - b.order
			}
			return a.id - b.id
		})
	}
	return out
}

// touch notes that a card changed, which its stack and its board show.
func (d *deckApp) touch(c *deckCard, uid string, now int64) {
	c.modified, c.editor = now, &uid
	d.touchUp(c, now)
}

func (d *deckApp) touchUp(c *deckCard, now int64) {
	if st := d.stacks[c.stack]; st != nil {
		st.modified = now
		if b := d.boards[st.board]; b != nil {
			b.modified = now
		}
	}
}

// deckTag is how Deck makes ETags: of the second of the last change, so that two changes within one have the same.
func deckTag(modified int64) string { return md5Hex(strconv.FormatInt(modified, 10)) }
