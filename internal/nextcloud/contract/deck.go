package contract

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/deck"
)

// deckRig is a board with two lists that is deleted after the test.
type deckRig struct {
	env          *Env
	c            *deck.Client
	board        *deck.Board
	first, later *deck.Stack
}

func newDeckRig(t *testing.T, env *Env) *deckRig {
	t.Helper()
	r := &deckRig{env: env, c: deck.New(env.Client(t))}
	var err error
	r.board, err = r.c.CreateBoard(t.Context(), unique("Contract"), "#0082C9")
	if errors.Is(err, nextcloud.ErrAppMissing) {
		t.Skip("this Nextcloud has no Deck")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.c.DeleteBoard(context.WithoutCancel(t.Context()), r.board.ID); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	if r.first, err = r.c.CreateStack(t.Context(), r.board.ID, "First", 0); err != nil {
		t.Fatal(err)
	}
	if r.later, err = r.c.CreateStack(t.Context(), r.board.ID, "Later", 1); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *deckRig) card(t *testing.T, d deck.Draft) *deck.Card {
	t.Helper()
	k, err := r.c.CreateCard(t.Context(), r.board.ID, r.first.ID, d)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (r *deckRig) read(t *testing.T, id int64) *deck.Card {
	t.Helper()
	k, err := r.c.Card(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (r *deckRig) label(t *testing.T, title string) deck.Label {
	t.Helper()
	b, err := r.c.Board(t.Context(), r.board.ID)
	if err != nil {
		t.Fatal(err)
	}
	l, err := b.Label(title)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func runDeck(t *testing.T, env *Env) {
	r := newDeckRig(t, env)
	t.Run("boards", r.boards)
	t.Run("stacks", r.stacks)
	t.Run("labels", r.labels)
	t.Run("card keeps what is not changed", r.keeps)
	t.Run("dates lose no offset", r.dates)
	t.Run("order and lists", r.order)
	t.Run("archived", r.archived)
	t.Run("deleted and restored", r.deleted)
	t.Run("another board", r.otherBoard)
	t.Run("people", r.people)
	t.Run("dependencies", r.dependencies)
	t.Run("comments", r.comments)
	t.Run("attachments", r.attachments)
	t.Run("refusals", r.refusals)
}

func (r *deckRig) boards(t *testing.T) {
	list, err := r.c.Boards(t.Context())
	if err != nil || len(list.Skipped) > 0 {
		t.Fatalf("%v, %v", list, err)
	}
	i := slices.IndexFunc(list.Items, func(b *deck.Board) bool { return b.ID == r.board.ID })
	if i < 0 || list.Items[i].Title != r.board.Title || !list.Items[i].MayEdit {
		t.Fatalf("the board is not listed: %+v", list.Items)
	}
	b, err := r.c.Board(t.Context(), r.board.ID)
	if err != nil || len(b.Labels) != 4 || len(b.Users) != 1 || !b.MayAdmin || b.Color != "0082c9" {
		t.Fatalf("%+v, %v", b, err)
	}
	if id, err := r.c.BoardID(t.Context(), strings.ToUpper(r.board.Title)); err != nil || id != r.board.ID {
		t.Errorf("by title: %d, %v", id, err)
	}
	if _, err := r.c.BoardID(t.Context(), "no such board"); !errors.Is(err, nextcloud.ErrNotFound) || !strings.Contains(err.Error(), r.board.Title) {
		t.Errorf("no candidates: %v", err)
	}
	other, err := r.c.CreateBoard(t.Context(), unique("Contract"), "f00")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.c.DeleteBoard(t.Context(), other.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := r.c.Board(t.Context(), other.ID); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("a deleted board: %v", err)
	}
	if _, err := r.c.BoardID(t.Context(), other.Title); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("a deleted board by title: %v", err)
	}
	if err := r.c.UndeleteBoard(t.Context(), other.ID); err != nil {
		t.Error(err)
	}
	if b, err := r.c.Board(t.Context(), other.ID); err != nil || b.Title != other.Title {
		t.Errorf("%+v, %v", b, err)
	}
	if err := r.c.DeleteBoard(t.Context(), other.ID); err != nil {
		t.Error(err)
	}
}

func (r *deckRig) stacks(t *testing.T) {
	order := int64(7)
	s, err := r.c.CreateStack(t.Context(), r.board.ID, "Third", 5)
	if err != nil {
		t.Fatal(err)
	}
	title := "Last"
	if s, err = r.c.UpdateStack(t.Context(), r.board.ID, s.ID, &title, nil); err != nil || s.Title != title || s.Order != 5 {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err = r.c.UpdateStack(t.Context(), r.board.ID, s.ID, nil, &order); err != nil || s.Title != title || s.Order != 7 {
		t.Errorf("%+v, %v", s, err)
	}
	k, err := r.c.CreateCard(t.Context(), r.board.ID, s.ID, deck.Draft{Title: "in it"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.c.DeleteStack(t.Context(), r.board.ID, s.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := r.c.UpdateStack(t.Context(), r.board.ID, s.ID, &title, &order); err != nil {
		t.Fatal(err)
	}
	found := false
	if _, _, err := r.c.EachCard(t.Context(), r.board.ID, false, func(c *deck.Card) { found = found || c.ID == k.ID }); err != nil || !found {
		t.Errorf("a restored list has lost its card: %v", err)
	}
	if _, err := r.c.DeleteStack(t.Context(), r.board.ID, s.ID); err != nil {
		t.Fatal(err)
	}
}

func (r *deckRig) labels(t *testing.T) {
	l, err := r.c.CreateLabel(t.Context(), r.board.ID, "Urgent", "F0A")
	if err != nil || l.Color != "ff00aa" {
		t.Fatalf("%+v, %v", l, err)
	}
	if _, err := r.c.CreateLabel(t.Context(), r.board.ID, "Urgent", "ff00aa"); !errors.Is(err, nextcloud.ErrConflict) {
		t.Errorf("the same title: %v", err)
	}
	title := "Very urgent"
	if l, err = r.c.UpdateLabel(t.Context(), r.board.ID, l.ID, &title, nil); err != nil || l.Title != title || l.Color != "ff00aa" {
		t.Errorf("%+v, %v", l, err)
	}
	k := r.card(t, deck.Draft{Title: "labelled"})
	for _, want := range []bool{true, false} {
		if changed, err := r.c.SetLabel(t.Context(), k.ID, l.ID, true); err != nil || changed != want {
			t.Errorf("%v, %v, want %v", changed, err, want)
		}
	}
	if got := r.read(t, k.ID).Labels; len(got) != 1 || got[0].Title != title {
		t.Errorf("%+v", got)
	}
	if _, err := r.c.SetLabel(t.Context(), k.ID, l.ID, false); err != nil || len(r.read(t, k.ID).Labels) != 0 {
		t.Error(err)
	}
	if _, err := r.c.DeleteLabel(t.Context(), r.board.ID, l.ID); err != nil {
		t.Error(err)
	}
	if _, err := r.c.Label(t.Context(), r.board.ID, l.ID); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Error(err)
	}
}

// keeps: a change of one part leaves all others as they were.
func (r *deckRig) keeps(t *testing.T) {
	order := int64(3)
	due := time.Date(2030, 12, 24, 18, 0, 0, 0, time.UTC)
	start := due.AddDate(0, 0, -4)
	k := r.card(t, deck.Draft{Title: "Card", Description: "**text**\n\n- [ ] a", Type: "plain", Order: &order, Due: &due, Start: &start, Color: "00ff00"})
	done := "2030-01-02T03:04:05+00:00"
	if _, err := r.c.UpdateCard(t.Context(), k.ID, "", deck.Change{Done: &done}); err != nil {
		t.Fatal(err)
	}
	before := r.read(t, k.ID)
	if before.Done == "" || before.Due == "" || before.Start == "" || before.Color != "00ff00" || before.Order != 3 {
		t.Fatalf("%+v", before)
	}
	title := "Renamed"
	if _, err := r.c.UpdateCard(t.Context(), k.ID, before.ETag, deck.Change{Title: &title}); err != nil {
		t.Fatal(err)
	}
	after := r.read(t, k.ID)
	if after.Title != title {
		t.Errorf("the title is %q", after.Title)
	}
	for what, pair := range map[string][2]any{
		"description": {before.Description, after.Description}, "due": {before.Due, after.Due}, "start": {before.Start, after.Start},
		"done": {before.Done, after.Done}, "order": {before.Order, after.Order}, "type": {before.Type, after.Type}, "color": {before.Color, after.Color},
		"owner": {before.Owner.ID, after.Owner.ID}, "list": {before.StackID, after.StackID}, "archived": {before.Archived, after.Archived},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s was %v and is %v", what, pair[0], pair[1])
		}
	}
	empty := ""
	if _, err := r.c.UpdateCard(t.Context(), k.ID, "", deck.Change{Due: &empty, Start: &empty, Done: &empty, Color: &empty, Description: &empty}); err != nil {
		t.Fatal(err)
	}
	if got := r.read(t, k.ID); got.Due+got.Start+got.Done+got.Color+got.Description != "" || got.Title != title {
		t.Errorf("%+v", got)
	}
	if _, err := r.c.UpdateCard(t.Context(), k.ID, "d41d8cd98f00b204e9800998ecf8427e", deck.Change{Title: &empty}); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("an empty title: %v", err)
	}
	if _, err := r.c.UpdateCard(t.Context(), k.ID, "d41d8cd98f00b204e9800998ecf8427e", deck.Change{Title: &title}); !errors.Is(err, nextcloud.ErrPrecondition) {
		t.Errorf("a stale etag: %v", err)
	}
}

func (r *deckRig) dates(t *testing.T) {
	due := time.Date(2030, 12, 24, 18, 0, 0, 0, time.FixedZone("", 3600))
	k := r.card(t, deck.Draft{Title: "Dated", Due: &due})
	same := func(text string) bool {
		got, err := time.Parse(time.RFC3339, text)
		return err == nil && got.Equal(due)
	}
	if got := r.read(t, k.ID).Due; !same(got) {
		t.Errorf("made: %s", got)
	}
	text := "2030-12-24T12:00:00-05:00"
	if _, err := r.c.UpdateCard(t.Context(), k.ID, "", deck.Change{Due: &text}); err != nil {
		t.Fatal(err)
	}
	if got := r.read(t, k.ID).Due; !same(got) {
		t.Errorf("changed: %s", got)
	}
}
