package contract

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/deck"
	"nextcloud-mcp-server/internal/nextcloud/notes"
)

// inList are the titles of the cards of a list, in their order.
func (r *deckRig) inList(t *testing.T, stack int64, archived bool) []string {
	t.Helper()
	var out []string
	_, skipped, err := r.c.EachCard(t.Context(), r.board.ID, archived, func(k *deck.Card) {
		if k.StackID == stack {
			out = append(out, k.Title)
		}
	})
	if err != nil || len(skipped) > 0 {
		t.Fatalf("%v, %v", skipped, err)
	}
	return out
}

func (r *deckRig) order(t *testing.T) {
	stack, err := r.c.CreateStack(t.Context(), r.board.ID, "Ordered", 9)
	if err != nil {
		t.Fatal(err)
	}
	var ids []int64
	for i := range 3 {
		n := int64(i)
		k, err := r.c.CreateCard(t.Context(), r.board.ID, stack.ID, deck.Draft{Title: fmt.Sprint("card ", i), Order: &n})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, k.ID)
	}
	if err := r.c.Reorder(t.Context(), ids[2], stack.ID, 0); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(r.inList(t, stack.ID, false), ","); got != "card 2,card 0,card 1" {
		t.Errorf("order is %s", got)
	}
	if err := r.c.Reorder(t.Context(), ids[0], r.later.ID, 0); err != nil {
		t.Fatal(err)
	}
	if got := r.read(t, ids[0]).StackID; got != r.later.ID {
		t.Errorf("it is in list %d, not %d", got, r.later.ID)
	}
	if err := r.c.Reorder(t.Context(), ids[0], stack.ID, -1); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Error(err)
	}
	stacks, _, err := r.c.EachCard(t.Context(), r.board.ID, false, func(*deck.Card) {})
	if err != nil || !slices.ContainsFunc(stacks, func(s deck.Stack) bool { return s.ID == stack.ID && s.Title == "Ordered" && s.Order == 9 }) {
		t.Errorf("%+v, %v", stacks, err)
	}
}

func (r *deckRig) archived(t *testing.T) {
	k := r.card(t, deck.Draft{Title: "To archive"})
	l := r.label(t, "Later")
	if _, err := r.c.SetLabel(t.Context(), k.ID, l.ID, true); err != nil {
		t.Fatal(err)
	}
	if got, err := r.c.Archive(t.Context(), k.ID, true); err != nil || !got.Archived {
		t.Fatalf("%+v, %v", got, err)
	}
	if !slices.Contains(r.inList(t, r.first.ID, true), "To archive") || slices.Contains(r.inList(t, r.first.ID, false), "To archive") {
		t.Error("it is not among the archived ones")
	}
	title := "Archived, renamed"
	if got, err := r.c.UpdateCard(t.Context(), k.ID, "", deck.Change{Title: &title}); err != nil || !got.Archived || got.Title != title {
		t.Errorf("an archived card cannot be changed: %+v, %v", got, err)
	}
	if err := r.c.Reorder(t.Context(), k.ID, r.later.ID, 0); !errors.Is(err, nextcloud.ErrConflict) || !strings.Contains(err.Error(), "unarchive it first") {
		t.Errorf("moved: %v", err)
	}
	if _, err := r.c.SetLabel(t.Context(), k.ID, l.ID, false); !errors.Is(err, nextcloud.ErrConflict) {
		t.Errorf("unlabelled: %v", err)
	}
	no := false
	if got, err := r.c.UpdateCard(t.Context(), k.ID, "", deck.Change{Archived: &no}); err != nil || got.Archived {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := r.c.Archive(t.Context(), k.ID, false); err != nil || got.Archived {
		t.Errorf("%+v, %v", got, err)
	}
}

func (r *deckRig) deleted(t *testing.T) {
	k := r.card(t, deck.Draft{Title: "To delete", Description: "keep me"})
	done := "2030-01-02T03:04:05Z"
	if _, err := r.c.UpdateCard(t.Context(), k.ID, "", deck.Change{Done: &done}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.c.DeleteCard(t.Context(), k.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := r.c.Card(t.Context(), k.ID); !errors.Is(err, nextcloud.ErrNotFound) || !strings.Contains(err.Error(), "deleted") {
		t.Error(err)
	}
	if _, err := r.c.UpdateCard(t.Context(), k.ID, "", deck.Change{Done: &done}); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("a change brings a deleted card back: %v", err)
	}
	if _, err := r.c.RestoreCard(t.Context(), r.board.ID, k.ID); err != nil {
		t.Fatal(err)
	}
	if got := r.read(t, k.ID); got.Title != "To delete" || got.Description != "keep me" || got.Done == "" || got.StackID != r.first.ID {
		t.Errorf("%+v", got)
	}
	if _, err := r.c.RestoreCard(t.Context(), r.board.ID, k.ID); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("restored what is there: %v", err)
	}
}

func (r *deckRig) otherBoard(t *testing.T) {
	other, err := r.c.CreateBoard(t.Context(), unique("Contract"), "00ff00")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.c.DeleteBoard(context.WithoutCancel(t.Context()), other.ID); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	target, err := r.c.CreateStack(t.Context(), other.ID, "Target", 0)
	if err != nil {
		t.Fatal(err)
	}
	own, err := r.c.CreateLabel(t.Context(), r.board.ID, "Only here", "123456")
	if err != nil {
		t.Fatal(err)
	}
	k := r.card(t, deck.Draft{Title: "Traveller", Description: "with bags"})
	for _, l := range []int64{r.label(t, "Later").ID, own.ID} {
		if _, err := r.c.SetLabel(t.Context(), k.ID, l, true); err != nil {
			t.Fatal(err)
		}
	}
	done := "2030-01-02T03:04:05Z"
	if _, err := r.c.UpdateCard(t.Context(), k.ID, "", deck.Change{Done: &done}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.c.Move(t.Context(), k.ID, other.ID, r.first.ID, 0); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("a list of another board: %v", err)
	}
	moved, err := r.c.Move(t.Context(), k.ID, other.ID, target.ID, 0)
	if err != nil || len(moved.LostLabels) > 0 {
		t.Fatalf("%+v, %v", moved, err)
	}
	got := r.read(t, k.ID)
	var labels []string
	for _, l := range got.Labels {
		labels = append(labels, l.Title)
	}
	slices.Sort(labels)
	if got.StackID != target.ID || got.Done == "" || got.Description != "with bags" || strings.Join(labels, ",") != "Later,Only here" {
		t.Errorf("%+v", got)
	}
	b, err := r.c.Board(t.Context(), other.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range got.Labels {
		if !slices.ContainsFunc(b.Labels, func(x deck.Label) bool { return x.ID == l.ID }) {
			t.Errorf("label %d is not one of the new board", l.ID)
		}
	}
}

func (r *deckRig) people(t *testing.T) {
	me, err := r.c.Me(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	k := r.card(t, deck.Draft{Title: "Assigned"})
	for _, step := range []struct{ on, changed bool }{{true, true}, {true, false}, {false, true}, {false, false}} {
		if changed, err := r.c.SetAssigned(t.Context(), k.ID, me, step.on); err != nil || changed != step.changed {
			t.Errorf("%+v: %v, %v", step, changed, err)
		}
		if got := r.read(t, k.ID).Assigned; (len(got) == 1 && got[0].ID == me) != step.on {
			t.Errorf("%+v: %+v", step, got)
		}
	}
	if _, err := r.c.SetAssigned(t.Context(), k.ID, "nobody-"+me, true); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Error(err)
	}
}

func (r *deckRig) dependencies(t *testing.T) {
	a, b := r.card(t, deck.Draft{Title: "waits"}), r.card(t, deck.Draft{Title: "first"})
	got, err := r.c.SetDependency(t.Context(), a.ID, b.ID, true)
	if errors.Is(err, nextcloud.ErrAppMissing) {
		t.Skip("Deck is older than 1.18")
	}
	if err != nil || !slices.Equal(got.DependsOn, []int64{b.ID}) {
		t.Fatalf("%+v, %v", got, err)
	}
	if got, err = r.c.SetDependency(t.Context(), a.ID, b.ID, false); err != nil || len(got.DependsOn) > 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := r.c.SetDependency(t.Context(), a.ID, 1<<30, true); err == nil {
		t.Error("a card that is not there")
	}
}

func (r *deckRig) comments(t *testing.T) {
	k := r.card(t, deck.Draft{Title: "Discussed"})
	first, err := r.c.CreateComment(t.Context(), k.ID, " first \n", 0)
	if err != nil || first.Message != "first" {
		t.Fatalf("%+v, %v", first, err)
	}
	reply, err := r.c.CreateComment(t.Context(), k.ID, "reply", first.ID)
	if err != nil || reply.ReplyTo != first.ID {
		t.Fatalf("%+v, %v", reply, err)
	}
	longest := strings.Repeat("😀", deck.MaxComment)
	if _, err := r.c.CreateComment(t.Context(), k.ID, " "+longest+"\t", 0); err != nil {
		t.Errorf("the longest: %v", err)
	}
	for _, message := range []string{longest + "x", " \n", longest + "\u00a0"} {
		if _, err := r.c.CreateComment(t.Context(), k.ID, message, 0); !errors.Is(err, nextcloud.ErrInvalid) {
			t.Errorf("%.10q: %v", message, err)
		}
		if _, err := r.c.UpdateComment(t.Context(), k.ID, first.ID, message); !errors.Is(err, nextcloud.ErrInvalid) {
			t.Errorf("%.10q: %v", message, err)
		}
	}
	if _, err := r.c.CreateComment(t.Context(), k.ID, "lost", 1<<30); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("an answer to nothing: %v", err)
	}
	if got, err := r.c.UpdateComment(t.Context(), k.ID, first.ID, "edited"); err != nil || got.Message != "edited" {
		t.Errorf("%+v, %v", got, err)
	}
	page, skipped, err := r.c.Comments(t.Context(), k.ID, 2, 1)
	if err != nil || len(skipped) > 0 || len(page) != 2 || page[0].ID != reply.ID || page[0].ReplyTo != first.ID || page[1].Message != "edited" {
		t.Errorf("%+v, %v, %v", page, skipped, err)
	}
	if err := r.c.DeleteComment(t.Context(), k.ID, reply.ID); err != nil {
		t.Error(err)
	}
	if err := r.c.DeleteComment(t.Context(), k.ID, reply.ID); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
	if _, _, err := r.c.Comments(t.Context(), 1<<30, 5, 0); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("of no card: %v", err)
	}
}

func (r *deckRig) attachments(t *testing.T) {
	n := notes.New(r.env.Client(t))
	note, err := n.Create(t.Context(), notes.Draft{Title: unique("Attached"), Content: "text"})
	if errors.Is(err, nextcloud.ErrAppMissing) {
		t.Skip("this Nextcloud has no Notes app to make a file with")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := n.Delete(context.WithoutCancel(t.Context()), note.ID, ""); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	path, err := r.c.NotePath(t.Context(), note.ID)
	if err != nil || path != note.Path {
		t.Fatalf("%q, %v, want %q", path, err, note.Path)
	}
	k := r.card(t, deck.Draft{Title: "With a file"})
	id, err := r.c.Attach(t.Context(), k.ID, path)
	if err != nil || id <= 0 {
		t.Fatalf("%d, %v", id, err)
	}
	if _, err := r.c.Attach(t.Context(), k.ID, path); !errors.Is(err, nextcloud.ErrConflict) {
		t.Errorf("attached twice: %v", err)
	}
	if _, err := r.c.Attach(t.Context(), k.ID, path+".missing"); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := r.c.Attach(t.Context(), 1<<30, path); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("a card that is not there: %v", err)
	}
	list, skipped, err := r.c.Attachments(t.Context(), k.ID)
	if err != nil || len(skipped) > 0 || len(list) != 1 || list[0].ID != id || list[0].Type != "file" || list[0].Path != path {
		t.Fatalf("%+v, %v, %v", list, skipped, err)
	}
	if got := r.read(t, k.ID); got.AttachmentsN != 1 {
		t.Errorf("the card counts %d", got.AttachmentsN)
	}
	if err := r.c.DeleteAttachment(t.Context(), k.ID, list[0]); err != nil {
		t.Error(err)
	}
	if list, _, err := r.c.Attachments(t.Context(), k.ID); err != nil || len(list) > 0 {
		t.Errorf("%+v, %v", list, err)
	}
	if again, err := n.Get(t.Context(), note.ID); err != nil || again.Content != "text" {
		t.Errorf("the file is gone with the attachment: %v", err)
	}
}

func (r *deckRig) refusals(t *testing.T) {
	const none = 1 << 30
	for what, call := range map[string]func() error{
		"board":       func() error { _, err := r.c.Board(t.Context(), none); return err },
		"cards":       func() error { _, _, err := r.c.EachCard(t.Context(), none, false, func(*deck.Card) {}); return err },
		"card":        func() error { _, err := r.c.Card(t.Context(), none); return err },
		"label":       func() error { _, err := r.c.Label(t.Context(), r.board.ID, none); return err },
		"attachments": func() error { _, _, err := r.c.Attachments(t.Context(), none); return err },
	} {
		if err := call(); !errors.Is(err, nextcloud.ErrNotFound) {
			t.Errorf("no %s: %v", what, err)
		}
	}
	if _, err := r.c.CreateCard(t.Context(), r.board.ID, none, deck.Draft{Title: "x"}); !errors.Is(err, nextcloud.ErrForbidden) || !strings.Contains(err.Error(), "none with this id") {
		t.Error(err)
	}
	for _, title := range []string{"", "  ", strings.Repeat("ä", 256)} {
		if _, err := r.c.CreateCard(t.Context(), r.board.ID, r.first.ID, deck.Draft{Title: title}); !errors.Is(err, nextcloud.ErrInvalid) {
			t.Errorf("%.10q: %v", title, err)
		}
	}
	if k := r.card(t, deck.Draft{Title: strings.Repeat("ä", 255)}); len([]rune(r.read(t, k.ID).Title)) != 255 {
		t.Error("the longest title is cut")
	}
	for _, color := range []string{"", "red", "#12345", "1234567"} {
		if _, err := r.c.CreateBoard(t.Context(), "x", color); !errors.Is(err, nextcloud.ErrInvalid) {
			t.Errorf("%q: %v", color, err)
		}
	}
}
