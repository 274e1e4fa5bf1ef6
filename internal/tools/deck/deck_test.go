package deck_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/tool/tooltest"
	"nextcloud-mcp-server/internal/tools/deck"
	"nextcloud-mcp-server/internal/tools/search"
)

type item struct {
	ID          int64    `json:"id"`
	Title       string   `json:"title"`
	StackID     int64    `json:"stack_id"`
	Description string   `json:"description"`
	Truncated   bool     `json:"truncated"`
	Labels      []string `json:"labels"`
	Assigned    []string `json:"assigned"`
	ETag        string   `json:"etag"`
}

type cards struct {
	Items  []item `json:"items"`
	Total  int    `json:"total"`
	Next   string `json:"next_cursor"`
	Notice string `json:"notice"`
}

type stacks struct {
	Items []struct {
		ID    int64  `json:"id"`
		Title string `json:"title"`
		Count int    `json:"card_count"`
		Cards []item `json:"cards"`
	} `json:"items"`
	Total int    `json:"total_cards"`
	Next  string `json:"next_cursor"`
}

type result struct {
	CardID  int64    `json:"card_id"`
	StackID int64    `json:"stack_id"`
	BoardID int64    `json:"board_id"`
	Comment int64    `json:"comment_id"`
	Parts   []int64  `json:"part_ids"`
	Attach  int64    `json:"attachment_id"`
	Label   int64    `json:"label_id"`
	Labels  []string `json:"labels"`
	ETag    string   `json:"etag"`
	Notice  string   `json:"notice"`
	Undo    string   `json:"undo"`
	URL     string   `json:"url"`
}

// rig is a Nextcloud with one board of alice, which bob may change, and the
// cards of it by title.
type rig struct {
	*tooltest.Session
	h     *nextcloudtest.Server
	board int
	ids   map[string]int64
}

func newRig(t *testing.T) *rig {
	t.Helper()
	h := nextcloudtest.New(nil)
	due := time.Date(2030, 5, 6, 12, 0, 0, 0, time.UTC)
	r := &rig{h: h, ids: map[string]int64{}}
	r.board = h.AddDeckBoard("alice", nextcloudtest.SampleBoard{
		Title: "Plans", Color: "ff0000", Members: []string{"bob"},
		Stacks: []nextcloudtest.SampleStack{
			{Title: "To do", Cards: []nextcloudtest.SampleCard{
				{Title: "Alpha", Description: strings.Repeat("ä", 300), Due: due, Labels: []string{"Later"}, Assigned: []string{"bob"}},
				{Title: "Beta", Done: true},
				{Title: "Gamma", Archived: true, Labels: []string{"Later"}, Assigned: []string{"bob"}},
			}},
			{Title: "Doing", Cards: []nextcloudtest.SampleCard{{Title: "Delta", Assigned: []string{"alice"}}}},
		},
	})
	r.Session = tooltest.Connect(t, h, nil, deck.Tools.Set(), search.Tools.Set())
	var all cards
	r.Read(t, "deck_get_cards", fmt.Sprintf(`{"board_id":"%d","status":"all"}`, r.board), &all)
	for _, k := range all.Items {
		r.ids[k.Title] = k.ID
	}
	r.Requests()
	return r
}

// args puts ids into arguments: %b is the board, %Alpha a card.
func (r *rig) args(text string) string {
	for title, id := range r.ids {
		text = strings.ReplaceAll(text, "%"+title, strconv.FormatInt(id, 10))
	}
	return strings.ReplaceAll(text, "%b", strconv.Itoa(r.board))
}

func names(items []item) string {
	var out []string
	for _, k := range items {
		out = append(out, k.Title)
	}
	return strings.Join(out, " ")
}

func TestFilters(t *testing.T) {
	r := newRig(t)
	for args, want := range map[string]string{
		`{"board_id":"%b"}`:                                      "Alpha Delta",
		`{"board_id":"%b","status":"open"}`:                      "Alpha Delta",
		`{"board_id":"%b","status":"done"}`:                      "Beta",
		`{"board_id":"%b","status":"archived"}`:                  "Gamma",
		`{"board_id":"%b","status":"all"}`:                       "Alpha Beta Delta Gamma",
		`{"board_id":"plans","stack_id":"to DO","status":"all"}`: "Alpha Beta Gamma",
		`{"board_id":%b,"stack_id":2}`:                           "Delta",
		`{"board_id":"%b","label":"later","status":"all"}`:       "Alpha Gamma",
		`{"board_id":"%b","label":"Finished"}`:                   "",
		`{"board_id":"%b","assigned_to":"bob"}`:                  "Alpha",
		`{"board_id":"%b","assigned_to":"Alice Example"}`:        "Delta",
		`{"board_id":"%b","assigned_to":"me"}`:                   "Delta",
		`{"board_id":"%b","assigned_to":"bob","status":"all"}`:   "Alpha",
		`{"board_id":"%b","detail":"full","label":"Later"}`:      "Alpha",
		`{"board_id":"%b","description_preview_length":0}`:       "Alpha Delta",
		`{"board_id":"%b","limit":1}`:                            "Alpha",
	} {
		var got cards
		r.Read(t, "deck_get_cards", r.args(args), &got)
		if names(got.Items) != want || got.Items == nil {
			t.Errorf("%s: %q, want %q", args, names(got.Items), want)
		}
		if strings.Contains(args, `bob","status":"all`) != strings.Contains(got.Notice, "archived") {
			t.Errorf("%s: notice %q", args, got.Notice)
		}
	}
	var got cards
	r.Read(t, "deck_get_cards", r.args(`{"board_id":"%b","label":"Later"}`), &got)
	if k := got.Items[0]; len([]rune(k.Description)) != 140 || !k.Truncated {
		t.Errorf("preview of %d characters, cut: %v", len([]rune(k.Description)), k.Truncated)
	}
	r.Read(t, "deck_get_cards", r.args(`{"board_id":"%b","label":"Later","detail":"full"}`), &got)
	if k := got.Items[0]; len([]rune(k.Description)) != 300 || k.ETag == "" || !slices.Equal(k.Assigned, []string{"bob"}) {
		t.Errorf("%+v", k)
	}
	for args, want := range map[string]string{
		`{"board_id":"Nope"}`:                           `there is no board "Nope". There are: "Plans" (1)`,
		`{"board_id":""}`:                               `board_id is missing`,
		`{"board_id":"%b","stack_id":"Nope"}`:           `there is no list "Nope". There are: "To do" (1), "Doing" (2)`,
		`{"board_id":"%b","stack_id":"99"}`:             `has no list 99`,
		`{"board_id":"999"}`:                            `there is none with this id that the person may see`,
		`{"board_id":"%b","limit":201}`:                 `limit has to be between 1 and 200`,
		`{"board_id":"%b","cursor":"x"}`:                `no cursor of this list`,
		`{"board_id":"%b","status":"mine"}`:             `one of open, done, archived, all`,
		`{"board_id":"%b","description_max_length":-1}`: `cannot be negative`,
	} {
		if text := r.Refused(t, "deck_get_cards", r.args(args)); !strings.Contains(text, want) {
			t.Errorf("%s: %s", args, text)
		}
	}
}

func TestOverviewAndStacks(t *testing.T) {
	r := newRig(t)
	text := r.Read(t, "deck_get_board_overview", `{"board_id":"Plans"}`, nil)
	for _, want := range []string{`"title":"Plans"`, `"labels":["Finished","To review","Action needed","Later"]`, `"total_cards":2`, `"card_count":1`, `"has_description":true`, `"untrusted"`, `/apps/deck/board/1"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if strings.Contains(text, "äää") {
		t.Error("an overview holds descriptions")
	}
	if text := r.Refused(t, "deck_get_board_overview", `{"board_id":"Plans","label":"Nope"}`); !strings.Contains(text, `There are: "Finished"`) {
		t.Error(text)
	}
	var got stacks
	r.Read(t, "deck_get_stacks", `{"board_id":"Plans","include_cards":false}`, &got)
	if len(got.Items) != 2 || got.Items[0].Cards != nil || got.Items[0].Count != 1 || got.Next != "" {
		t.Errorf("%+v", got)
	}
	r.Read(t, "deck_get_stack", `{"board_id":"Plans","stack_id":"Doing"}`, &got)
	if len(got.Items) != 1 || names(got.Items[0].Cards) != "Delta" {
		t.Errorf("%+v", got)
	}
	r.Read(t, "deck_get_archived_stacks", `{"board_id":"Plans"}`, &got)
	if got.Total != 1 || names(got.Items[0].Cards) != "Gamma" {
		t.Errorf("%+v", got)
	}
}

// TestPages: pages hold each card once, whatever their size, also when the
// board changes between them.
func TestPages(t *testing.T) {
	h := nextcloudtest.New(nil)
	var board nextcloudtest.SampleBoard
	board.Title, board.Color = "Large", "00ff00"
	for i := range 7 {
		st := nextcloudtest.SampleStack{Title: fmt.Sprint("List ", i)}
		for j := range i * 5 {
			st.Cards = append(st.Cards, nextcloudtest.SampleCard{Title: fmt.Sprintf("%d-%d", i, j), Archived: j%3 == 0})
		}
		board.Stacks = append(board.Stacks, st)
	}
	h.AddDeckBoard("alice", board)
	s := tooltest.Connect(t, h, nil, deck.Tools.Set())
	const total = 105
	for _, limit := range []int{1, 7, 50, 105, 200} {
		seen, cursor := map[string]bool{}, ""
		for range total + 1 {
			var got cards
			s.Read(t, "deck_get_cards", fmt.Sprintf(`{"board_id":"1","status":"all","limit":%d,"cursor":%q}`, limit, cursor), &got)
			if got.Total != total {
				t.Fatalf("total %d", got.Total)
			}
			for _, k := range got.Items {
				if seen[k.Title] {
					t.Fatalf("limit %d: %s twice", limit, k.Title)
				}
				seen[k.Title] = true
			}
			if cursor = got.Next; cursor == "" {
				break
			}
		}
		if len(seen) != total || cursor != "" {
			t.Errorf("limit %d: %d cards, then cursor %q", limit, len(seen), cursor)
		}
	}
	var got stacks
	s.Read(t, "deck_get_stacks", `{"board_id":"1","limit":10}`, &got)
	s.Read(t, "deck_get_stacks", fmt.Sprintf(`{"board_id":"1","limit":10,"cursor":%q}`, got.Next), &got)
	n := 0
	for _, st := range got.Items {
		n += len(st.Cards)
	}
	if n != 10 || got.Next == "" {
		t.Errorf("the second page: %+v", got)
	}
}

// TestCardLife: what a model does with a card, by the names that people use.
func TestCardLife(t *testing.T) {
	r := newRig(t)
	var made, got result
	r.Read(t, "deck_create_card", `{"board_id":"Plans","stack_id":"Doing","title":"New","description":"text","duedate":"2030-12-24T18:00:00+01:00"}`, &made)
	r.ids["New"] = made.CardID
	if made.BoardID != 1 || made.StackID != 2 || !strings.HasSuffix(made.URL, fmt.Sprintf("/index.php/apps/deck/board/1/card/%d", made.CardID)) {
		t.Errorf("%+v", made)
	}
	r.Read(t, "deck_assign_label_to_card", r.args(`{"board_id":"Plans","card_id":%New,"label_id":"to review"}`), &got)
	r.Read(t, "deck_assign_label_to_card", r.args(`{"board_id":"Plans","card_id":%New,"label_id":"To review"}`), &got)
	if !strings.Contains(got.Notice, "so already") {
		t.Errorf("%+v", got)
	}
	r.Read(t, "deck_assign_user_to_card", r.args(`{"board_id":"Plans","card_id":%New,"user_id":"Bob Example"}`), &got)
	r.Read(t, "deck_update_card", r.args(`{"board_id":1,"stack_id":1,"card_id":%New,"done":"now"}`), &got)
	if got.StackID != 2 {
		t.Error("a stale stack_id moves the card")
	}
	text := r.Read(t, "deck_get_card", r.args(`{"card_id":%New}`), nil)
	for _, want := range []string{`"due":"2030-12-24T17:00:00+00:00"`, `"done":"20`, `"description":"text"`, `"title":"To review"`, `"id":"bob"`, fmt.Sprintf(`/apps/deck/card/%d"`, made.CardID)} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	r.Read(t, "deck_update_card", r.args(`{"card_id":%New,"done":"","owner":"bob"}`), &got)
	if !strings.Contains(got.Notice, "does not change the owner") {
		t.Errorf("%+v", got)
	}
	r.Read(t, "deck_reorder_card", r.args(`{"board_id":"Plans","card_id":%New,"order":0,"target_stack_id":"To do"}`), &got)
	if got.StackID != 1 {
		t.Errorf("%+v", got)
	}
	var page cards
	r.Read(t, "deck_get_cards", `{"board_id":"Plans","stack_id":"To do"}`, &page)
	if names(page.Items) != "New Alpha" {
		t.Errorf("%q", names(page.Items))
	}
	r.Read(t, "deck_delete_card", r.args(`{"board_id":"Plans","card_id":%New}`), &got)
	if !strings.Contains(got.Undo, r.args(`deck_restore_card with board_id 1 and card_id %New`)) {
		t.Error(got.Undo)
	}
	if text := r.Refused(t, "deck_get_card", r.args(`{"card_id":%New}`)); !strings.Contains(text, "the card was deleted") {
		t.Error(text)
	}
	r.Read(t, "deck_restore_card", r.args(`{"board_id":"Plans","card_id":%New}`), nil)
	text = r.Read(t, "deck_get_card", r.args(`{"card_id":%New}`), nil)
	if !strings.Contains(text, `"due":"2030-12-24T17:00:00+00:00"`) || !strings.Contains(text, `"id":"bob"`) {
		t.Errorf("restored: %s", text)
	}
	var doc struct {
		Title, Text, URL string
	}
	r.Read(t, "fetch", r.args(`{"id":"card:1/card/%New"}`), &doc)
	if doc.Title != "New" || doc.Text != "New\n\ntext" || !strings.HasSuffix(doc.URL, r.args("/board/1/card/%New")) {
		t.Errorf("%+v", doc)
	}
	r.Read(t, "deck_create_card_comment", r.args(`{"card_id":%New,"message":"penguins"}`), nil)
	for query, title := range map[string]string{"new": "New", "penguins": "Alice Example on New"} {
		var found struct {
			Results []struct{ ID, Title string }
		}
		r.Read(t, "search", fmt.Sprintf(`{"query":%q}`, query), &found)
		if len(found.Results) != 1 || found.Results[0].Title != title {
			t.Fatalf("%s: %+v", query, found)
		}
		r.Read(t, "fetch", fmt.Sprintf(`{"id":%q}`, found.Results[0].ID), &doc)
		if doc.Title != "New" || doc.Text != "New\n\ntext" {
			t.Errorf("%s: %s is %+v", query, found.Results[0].ID, doc)
		}
	}
	if text := r.Refused(t, "fetch", `{"id":"card:7"}`); !strings.Contains(text, "is no id of a card") {
		t.Error(text)
	}
}

func TestMove(t *testing.T) {
	r := newRig(t)
	r.h.AddDeckBoard("alice", nextcloudtest.SampleBoard{Title: "Other", Color: "00ff00", Stacks: []nextcloudtest.SampleStack{{Title: "Inbox"}}})
	var got result
	r.Read(t, "deck_move_card_to_board", r.args(`{"source_board_id":1,"source_stack_id":1,"card_id":%Alpha,"target_board_id":"Other","target_stack_id":"Inbox"}`), &got)
	if got.BoardID != 2 || !slices.Equal(got.Labels, []string{"Later"}) || got.Notice != "" {
		t.Errorf("%+v", got)
	}
	for args, want := range map[string]string{
		`{"board_id":"Plans","card_id":%Alpha,"order":0}`:                           `is not on the board "Plans". deck_move_card_to_board`,
		`{"board_id":"Plans","card_id":%Delta,"order":0,"target_stack_id":"Inbox"}`: `there is no list "Inbox"`,
		`{"board_id":"Plans","card_id":%Gamma,"order":0}`:                           `unarchive it first`,
	} {
		if text := r.Refused(t, "deck_reorder_card", r.args(args)); !strings.Contains(text, want) {
			t.Errorf("%s: %s", args, text)
		}
	}
	if text := r.Refused(t, "deck_move_card_to_board", r.args(`{"card_id":%Gamma,"target_board_id":"Other","target_stack_id":"Inbox"}`)); !strings.Contains(text, "unarchive it first") {
		t.Error(text)
	}
	// Somebody who may not make labels there loses those that it does not have.
	r.h.AddDeckBoard("alice", nextcloudtest.SampleBoard{Title: "Shared", Color: "00ff00", Members: []string{"bob"}, Stacks: []nextcloudtest.SampleStack{{Title: "Inbox"}}})
	r.Read(t, "deck_create_label", `{"board_id":"Plans","title":"Mine","color":"fff"}`, nil)
	r.Read(t, "deck_assign_label_to_card", r.args(`{"board_id":"Plans","card_id":%Delta,"label_id":"Mine"}`), nil)
	bob := tooltest.Connect(t, r.h, &tooltest.Options{User: "bob", Password: "bob-password-1"}, deck.Tools.Set())
	var lost result
	bob.Read(t, "deck_move_card_to_board", r.args(`{"card_id":%Delta,"target_board_id":"Shared","target_stack_id":"Inbox"}`), &lost)
	if !strings.Contains(lost.Notice, "Mine") || len(lost.Labels) != 0 {
		t.Errorf("%+v", lost)
	}
}

func TestPermissions(t *testing.T) {
	r := newRig(t)
	bob := tooltest.Connect(t, r.h, &tooltest.Options{User: "bob", Password: "bob-password-1"}, deck.Tools.Set())
	bob.Read(t, "deck_update_card", r.args(`{"card_id":%Alpha,"title":"By Bob"}`), nil)
	for name, args := range map[string]string{
		"deck_create_stack": `{"board_id":"Plans","title":"x","order":1}`,
		"deck_delete_stack": `{"board_id":"Plans","stack_id":"Doing"}`,
		"deck_delete_label": `{"board_id":"Plans","label_id":"Later"}`,
	} {
		if text := bob.Refused(t, name, args); !strings.Contains(text, "may not change it") {
			t.Errorf("%s: %s", name, text)
		}
	}
	stranger := tooltest.Connect(t, r.h, &tooltest.Options{User: "admin", Password: "admin-password-1"}, deck.Tools.Set())
	if text := stranger.Refused(t, "deck_get_card", r.args(`{"card_id":%Alpha}`)); !strings.Contains(text, "that the person may see") {
		t.Error(text)
	}
	text := bob.Refused(t, "deck_assign_user_to_card", r.args(`{"card_id":%Alpha,"user_id":"admin"}`))
	if !strings.Contains(text, "not a member of the board") {
		t.Error(text)
	}
	if text := bob.Refused(t, "deck_assign_user_to_card", r.args(`{"board_id":"Plans","card_id":%Alpha,"user_id":"admin"}`)); !strings.Contains(text, `"Alice Example" (alice)`) {
		t.Error(text)
	}
}

func TestFaults(t *testing.T) {
	for _, test := range []struct {
		fault nextcloudtest.Fault
		want  string
	}{
		{nextcloudtest.Fault{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"30"}}}, "slow down"},
		{nextcloudtest.Fault{HTML: true}, "web page"},
		{nextcloudtest.Fault{GarbageJSON: true}, "not the JSON that was expected"},
		{nextcloudtest.Fault{CutBody: 40}, "cut off"},
		{nextcloudtest.Fault{Status: http.StatusBadGateway, HTML: true}, "not available"},
		{nextcloudtest.Fault{Status: http.StatusInternalServerError, Body: "SELECT secret FROM oc_deck"}, "not available"},
	} {
		r := newRig(t)
		test.fault.PathPrefix = "/index.php/apps/deck/"
		r.h.Fault(test.fault)
		// The last one is done although its answer is damaged.
		for _, call := range [][2]string{
			{"deck_get_boards", `{}`},
			{"deck_get_cards", `{"board_id":1}`},
			{"deck_get_card", `{"card_id":%Alpha}`},
			{"deck_get_board_overview", `{"board_id":1}`},
			{"deck_update_card", `{"card_id":%Alpha,"title":"x"}`},
			{"deck_delete_card", `{"card_id":%Alpha}`},
		} {
			if text := r.Refused(t, call[0], r.args(call[1])); !strings.Contains(text, test.want) || strings.Contains(text, "secret") {
				t.Errorf("%+v: %s: %s", test.fault, call[0], text)
			}
		}
	}
	h := nextcloudtest.New(&nextcloudtest.Options{DisableDeck: true})
	s := tooltest.Connect(t, h, nil, deck.Tools.Set())
	for name, args := range map[string]string{"deck_get_boards": `{}`, "deck_get_card": `{"card_id":1}`, "deck_get_card_comments": `{"card_id":1}`, "deck_create_card": `{"board_id":1,"stack_id":1,"title":"x"}`} {
		if text := s.Refused(t, name, args); !strings.Contains(text, `it needs the app "deck"`) || !strings.Contains(text, "not installed") {
			t.Errorf("%s: %s", name, text)
		}
	}
}
