package deck_test

import (
	"fmt"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/tool/tooltest"
	"nextcloud-mcp-server/internal/tools/deck"
)

func TestAttachments(t *testing.T) {
	r := newRig(t)
	note := r.h.AddNote("alice", nextcloudtest.SampleNote{Title: "Minutes", Category: "Work", Content: "text"})
	r.h.AddNote("alice", nextcloudtest.SampleNote{Title: "Other", Content: "text"})
	var got result
	r.Read(t, "deck_attach_note", r.args(fmt.Sprintf(`{"card_id":%%Alpha,"note_id":%d}`, note)), &got)
	first := got.Attach
	r.Read(t, "deck_attach_file", r.args(`{"card_id":%Alpha,"path":"/Notes//Other.md"}`), &got)
	var list struct {
		Items []struct {
			ID         int64
			Path, Type string
		}
	}
	r.Read(t, "deck_list_attachments", r.args(`{"board_id":1,"stack_id":1,"card_id":%Alpha}`), &list)
	if len(list.Items) != 2 || list.Items[0].Path != "/Notes/Work/Minutes.md" || list.Items[1].Path != "/Notes/Other.md" {
		t.Fatalf("%+v", list)
	}
	for args, want := range map[string]string{
		`{"card_id":%Alpha,"path":"/Notes/Other.md"}`:      `attached to this card already`,
		`{"card_id":%Alpha,"path":"/Notes/None.md"}`:       `there is no such file`,
		`{"card_id":%Alpha,"path":"Notes/Other.md"}`:       `starts with /`,
		`{"card_id":%Alpha,"path":"/x/../Notes/Other.md"}`: `. or ..`,
		`{"card_id":9999,"path":"/Notes/Other.md"}`:        `there is no such card`,
	} {
		if text := r.Refused(t, "deck_attach_file", r.args(args)); !strings.Contains(text, want) {
			t.Errorf("%s: %s", args, text)
		}
	}
	limited := tooltest.Connect(t, r.h, &tooltest.Options{Policy: policy.Policy{Folders: []string{"/Notes/Work"}}}, deck.Tools.Set())
	for _, args := range []string{`{"card_id":%Delta,"path":"/Notes/Other.md"}`, `{"card_id":%Delta,"path":"/Notes/Work/../Other.md"}`} {
		if text := limited.Refused(t, "deck_attach_file", r.args(args)); !strings.Contains(text, "limits this connection") && !strings.Contains(text, ". or ..") {
			t.Errorf("%s: %s", args, text)
		}
	}
	limited.Read(t, "deck_attach_file", r.args(`{"card_id":%Delta,"path":"/Notes/Work/Minutes.md"}`), nil)
	own := r.h.AddDeckFile("alice", int(r.ids["Alpha"]), "own.txt")
	r.Read(t, "deck_delete_attachment", r.args(fmt.Sprintf(`{"card_id":%%Alpha,"attachment_id":%d}`, first)), &got)
	if !strings.Contains(got.Undo, "untouched") {
		t.Error(got.Undo)
	}
	r.Read(t, "deck_delete_attachment", r.args(fmt.Sprintf(`{"card_id":%%Alpha,"attachment_id":%d}`, own)), &got)
	if !strings.Contains(got.Undo, "restore it in Deck") {
		t.Error(got.Undo)
	}
	if text := r.Refused(t, "deck_delete_attachment", r.args(fmt.Sprintf(`{"card_id":%%Alpha,"attachment_id":%d}`, own))); !strings.Contains(text, "has no attachment") {
		t.Error(text)
	}
}

// TestExcludedFiles: what a tag keeps from assistants is neither attached nor
// told of.
func TestExcludedFiles(t *testing.T) {
	r := newRig(t)
	r.h.AddNote("alice", nextcloudtest.SampleNote{Title: "Open", Content: "text"})
	secret := r.h.AddNote("alice", nextcloudtest.SampleNote{Title: "Secret", Content: "text"})
	r.Read(t, "deck_attach_file", r.args(`{"card_id":%Alpha,"path":"/Notes/Open.md"}`), nil)
	r.Read(t, "deck_attach_file", r.args(`{"card_id":%Alpha,"path":"/Notes/Secret.md"}`), nil)
	r.h.AddTag("alice", "no-ai", "Notes/Secret.md")
	s := tooltest.Connect(t, r.h, &tooltest.Options{ExcludedTags: []string{"no-ai"}}, deck.Tools.Set())
	if text := s.Refused(t, "deck_attach_file", r.args(`{"card_id":%Delta,"path":"/Notes/Secret.md"}`)); !strings.Contains(text, "there is no such file") {
		t.Error(text)
	}
	if text := s.Refused(t, "deck_attach_note", r.args(fmt.Sprintf(`{"card_id":%%Delta,"note_id":%d}`, secret))); !strings.Contains(text, "may not reach") || strings.Contains(text, "Secret") {
		t.Error(text)
	}
	text := s.Read(t, "deck_list_attachments", r.args(`{"card_id":%Alpha}`), nil)
	if !strings.Contains(text, "Open.md") || strings.Contains(text, "Secret") {
		t.Error(text)
	}
	limited := tooltest.Connect(t, r.h, &tooltest.Options{Policy: policy.Policy{Folders: []string{"/x"}}}, deck.Tools.Set())
	if text := limited.Read(t, "deck_list_attachments", r.args(`{"card_id":%Alpha}`), nil); strings.Contains(text, "/Notes/") {
		t.Error(text)
	}
}
