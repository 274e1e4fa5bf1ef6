package contract

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/talk"
)

func runTalk(t *testing.T, env *Env) {
	nc := env.Client(t)
	c := talk.New(nc)
	if _, _, _, err := c.List(t.Context(), talk.ListQuery{}); errors.Is(err, nextcloud.ErrAppMissing) {
		t.Skip("this Nextcloud has no Talk")
	} else if err != nil {
		t.Fatal(err)
	}
	name := unique("Contract talk")
	room, existed, err := c.Create(t.Context(), talk.Group, name, "")
	if err != nil || existed || room.Name != name || room.Kind != talk.Group || room.Role != "owner" {
		t.Fatalf("%+v, %v, %v", room, existed, err)
	}
	t.Cleanup(func() {
		p, _ := nextcloud.Path("/ocs/v2.php/apps/spreed/api/v4/room", room.Token)
		err := nc.OCS(context.WithoutCancel(t.Context()), nextcloud.Request{Op: "clean up", Method: http.MethodDelete, Path: p}, nil)
		if err != nil {
			t.Error(err)
		}
	})
	r := &talkRoom{c, room.Token, env}
	t.Run("messages", r.messages)
	t.Run("reactions", r.reactions)
	t.Run("change", r.change)
	t.Run("marks", r.marks)
	t.Run("refusals", r.refusals)
	t.Run("two people", r.two)
}

// talkRoom is a conversation of the suite's own.
type talkRoom struct {
	*talk.Client
	token string
	env   *Env
}

func (r *talkRoom) send(t *testing.T, d talk.Draft) *talk.Message {
	t.Helper()
	m, err := r.Send(t.Context(), r.token, d)
	if err != nil || m.ID <= 0 || m.Text != d.Text || m.Token != r.token {
		t.Fatalf("%+v, %v", m, err)
	}
	return m
}

func (r *talkRoom) messages(t *testing.T) {
	first := r.send(t, talk.Draft{Text: "one {actor} *two*"})
	reply := r.send(t, talk.Draft{Text: "a reply", ReplyTo: first.ID, Silent: true})
	if reply.Parent == nil || reply.Parent.ID != first.ID {
		t.Errorf("%+v", reply)
	}
	for range 5 {
		r.send(t, talk.Draft{Text: "more"})
	}
	var last, before int64
	var texts []string
	for range 20 {
		list, skipped, next, err := r.Messages(t.Context(), r.token, talk.Page{Before: before, Limit: 3})
		if err != nil || len(skipped) > 0 {
			t.Fatalf("%v, %v", skipped, err)
		}
		for _, m := range list {
			if last > 0 && m.ID >= last {
				t.Errorf("message %d comes after %d", m.ID, last)
			}
			last = m.ID
			texts = append(texts, m.Text)
		}
		if before = next; next == 0 {
			break
		}
	}
	if n := len(texts); before != 0 || n < 8 || texts[n-3] != "a reply" || texts[n-2] != "one {actor} *two*" {
		t.Errorf("%q, then before %d", texts, before)
	}
	if m, err := r.Message(t.Context(), r.token, first.ID); err != nil || m.Text != first.Text {
		t.Errorf("%+v, %v", m, err)
	}
	if list, _, next, err := r.Messages(t.Context(), r.token, talk.Page{Before: 1, Limit: 3}); err != nil || len(list) != 0 || next != 0 {
		t.Errorf("before everything: %v, %d, %v", list, next, err)
	}
}

func (r *talkRoom) reactions(t *testing.T) {
	m := r.send(t, talk.Draft{Text: "react"})
	for range 2 {
		list, err := r.React(t.Context(), r.token, m.ID, "👍")
		if err != nil || len(list) != 1 || list[0].Emoji != "👍" || list[0].Count != 1 || len(list[0].Who) != 1 {
			t.Fatalf("%+v, %v", list, err)
		}
	}
	if got, err := r.Message(t.Context(), r.token, m.ID); err != nil || got.Reactions["👍"] != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if list, err := r.Unreact(t.Context(), r.token, m.ID, "👍"); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err := r.Reactions(t.Context(), r.token, m.ID, ""); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := r.React(t.Context(), r.token, m.ID, "word"); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Error(err)
	}
}

func (r *talkRoom) change(t *testing.T) {
	m := r.send(t, talk.Draft{Text: "before"})
	if _, err := r.Edit(t.Context(), r.token, m.ID, "after"); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Message(t.Context(), r.token, m.ID); err != nil || got.Text != "after" || got.Edited == "" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := r.Delete(t.Context(), r.token, m.ID); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Message(t.Context(), r.token, m.ID); err != nil || !got.Deleted || strings.Contains(got.Text, "after") {
		t.Errorf("%+v, %v", got, err)
	}
}

func (r *talkRoom) marks(t *testing.T) {
	first := r.send(t, talk.Draft{Text: "read up to here"})
	second := r.send(t, talk.Draft{Text: "and not to here"})
	room, err := r.MarkRead(t.Context(), r.token, first.ID)
	if err != nil || room.LastRead != first.ID || room.Unread != 1 {
		t.Errorf("%+v, %v", room, err)
	}
	// Reading moves no mark.
	if _, _, _, err := r.Messages(t.Context(), r.token, talk.Page{Limit: 10}); err != nil {
		t.Error(err)
	}
	if room, err = r.Get(t.Context(), r.token); err != nil || room.LastRead != first.ID || room.Unread != 1 {
		t.Errorf("%+v, %v", room, err)
	}
	if room, err = r.MarkRead(t.Context(), r.token, 0); err != nil || room.LastRead < second.ID || room.Unread != 0 {
		t.Errorf("%+v, %v", room, err)
	}
}

func (r *talkRoom) refusals(t *testing.T) {
	for what, x := range map[string]struct {
		draft talk.Draft
		kind  error
	}{
		"too long": {talk.Draft{Text: strings.Repeat("x", talk.MaxMessage+1)}, nextcloud.ErrTooLarge},
		"empty":    {talk.Draft{}, nextcloud.ErrInvalid},
		"no reply": {talk.Draft{Text: "x", ReplyTo: 1 << 30}, nextcloud.ErrInvalid},
	} {
		if _, err := r.Send(t.Context(), r.token, x.draft); !errors.Is(err, x.kind) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := r.Get(t.Context(), "nonexist"); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Error(err)
	}
	if _, err := r.Message(t.Context(), r.token, 1<<30); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Error(err)
	}
	if _, err := r.Invite(t.Context(), r.token, "nobody-of-that-name", "users"); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Error(err)
	}
}

func (r *talkRoom) two(t *testing.T) {
	if r.env.Other == nil {
		t.Skip("there is no second person")
	}
	nc := r.env.Other(t)
	them, err := nc.UserID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other := talk.New(nc)
	if _, err := other.Get(t.Context(), r.token); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("a stranger reads it: %v", err)
	}
	for range 2 {
		if opened, err := r.Invite(t.Context(), r.token, string(them), "users"); err != nil || opened {
			t.Fatal(opened, err)
		}
	}
	people, skipped, err := r.Participants(t.Context(), r.token, true)
	if err != nil || len(skipped) > 0 || len(people) != 2 {
		t.Fatalf("%+v, %v, %v", people, skipped, err)
	}
	i := slices.IndexFunc(people, func(p talk.Participant) bool { return p.ID == string(them) })
	if i < 0 || people[i].Role != "member" || people[1-i].Role != "owner" {
		t.Errorf("%+v", people)
	}
	m, err := r.Send(t.Context(), r.token, talk.Draft{Text: `for @"` + string(them) + `"`})
	if err != nil || !slices.Equal(m.Mentions, []string{people[i].Name}) || m.Text != "for @"+people[i].Name || m.Source != `for @"`+string(them)+`"` {
		t.Errorf("%+v, %v", m, err)
	}
	if room, err := other.Get(t.Context(), r.token); err != nil || !room.Mentioned || room.Unread == 0 {
		t.Errorf("%+v, %v", room, err)
	}
	if _, err := other.Edit(t.Context(), r.token, m.ID, "theirs"); !errors.Is(err, nextcloud.ErrForbidden) {
		t.Errorf("somebody else edits it: %v", err)
	}
	first, _, err := r.Create(t.Context(), talk.OneToOne, "", string(them))
	if err != nil || first.Kind != talk.OneToOne {
		t.Fatalf("%+v, %v", first, err)
	}
	if again, existed, err := other.Create(t.Context(), talk.OneToOne, "", people[1-i].ID); err != nil || !existed || again.Token != first.Token {
		t.Errorf("%+v, %v, %v", again, existed, err)
	}
}
