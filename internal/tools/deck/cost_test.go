package deck_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/tool/tooltest"
	"nextcloud-mcp-server/internal/tools/deck"
)

// TestRequests: what each tool costs Nextcloud, with ids. A name costs one
// request more, which is answered from memory while nothing changes.
func TestRequests(t *testing.T) {
	for _, test := range []struct {
		name, args string
		want       int
	}{
		{"deck_get_boards", `{}`, 1},
		{"deck_get_board", `{"board_id":"%b"}`, 1},
		{"deck_get_board", `{"board_id":"Plans"}`, 2},
		{"deck_get_board_overview", `{"board_id":"%b"}`, 2},
		{"deck_get_board_overview", `{"board_id":"%b","status":"all"}`, 3},
		{"deck_get_stacks", `{"board_id":"%b"}`, 1},
		{"deck_get_stack", `{"board_id":"%b","stack_id":"1"}`, 1},
		{"deck_get_archived_stacks", `{"board_id":"%b"}`, 1},
		{"deck_get_cards", `{"board_id":"%b"}`, 1},
		{"deck_get_cards", `{"board_id":"%b","status":"all"}`, 2},
		{"deck_get_card", `{"card_id":%Alpha}`, 1},
		{"deck_get_card", `{"board_id":%b,"stack_id":1,"card_id":%Alpha}`, 1},
		{"deck_get_labels", `{"board_id":"%b"}`, 1},
		{"deck_get_label", `{"board_id":"%b","label_id":"1"}`, 1},
		{"deck_create_board", `{"title":"x","color":"ff0000"}`, 1},
		{"deck_create_stack", `{"board_id":"%b","title":"x","order":3}`, 1},
		{"deck_create_stack", `{"board_id":"%b","title":"x"}`, 2},
		{"deck_update_stack", `{"board_id":"%b","stack_id":"1","title":"x"}`, 2},
		{"deck_delete_stack", `{"board_id":"%b","stack_id":"1"}`, 1},
		{"deck_create_card", `{"board_id":"%b","stack_id":"1","title":"x"}`, 1},
		{"deck_update_card", `{"card_id":%Alpha,"title":"x"}`, 2},
		{"deck_delete_card", `{"card_id":%Alpha}`, 1},
		{"deck_archive_card", `{"card_id":%Alpha}`, 1},
		{"deck_unarchive_card", `{"card_id":%Gamma}`, 1},
		{"deck_reorder_card", `{"board_id":"%b","card_id":%Alpha,"order":0,"target_stack_id":2}`, 3},
		{"deck_create_label", `{"board_id":"%b","title":"x","color":"ff0000"}`, 1},
		{"deck_update_label", `{"board_id":"%b","label_id":"1","title":"x"}`, 2},
		{"deck_delete_label", `{"board_id":"%b","label_id":"1"}`, 1},
		{"deck_assign_label_to_card", `{"card_id":%Alpha,"label_id":"1"}`, 2},
		{"deck_assign_label_to_card", `{"board_id":"%b","card_id":%Alpha,"label_id":"To review"}`, 3},
		{"deck_remove_label_from_card", `{"card_id":%Alpha,"label_id":"4"}`, 1},
		{"deck_assign_user_to_card", `{"card_id":%Delta,"user_id":"bob"}`, 1},
		{"deck_unassign_user_from_card", `{"card_id":%Delta,"user_id":"alice"}`, 1},
		{"deck_assign_dependent_card", `{"card_id":%Delta,"dependent_card_id":%Alpha}`, 1},
		{"deck_remove_dependent_card", `{"card_id":%Delta,"dependent_card_id":%Alpha}`, 1},
		{"deck_get_card_comments", `{"card_id":%Alpha}`, 1},
		{"deck_create_card_comment", `{"card_id":%Alpha,"message":"x"}`, 1},
		{"deck_list_attachments", `{"card_id":%Alpha}`, 1},
	} {
		r := newRig(t)
		r.Read(t, test.name, r.args(test.args), nil)
		if got := r.Requests(); got != test.want {
			t.Errorf("%s %s: %d requests, want %d", test.name, test.args, got, test.want)
		}
	}
}

// TestBytes: what a card costs a model in each list, of the sample data.
func TestBytes(t *testing.T) {
	h := nextcloudtest.New(&nextcloudtest.Options{SampleData: true})
	s := tooltest.Connect(t, h, nil, deck.Tools.Set())
	for _, test := range []struct {
		name, args string
		items, max int // bytes of an item
	}{
		{"deck_get_boards", `{}`, 2, 100},
		{"deck_get_board_overview", `{"board_id":"Website relaunch","status":"all"}`, 7, 200},
		{"deck_get_cards", `{"board_id":"Website relaunch","status":"all"}`, 7, 200},
		{"deck_get_stacks", `{"board_id":"Website relaunch","status":"all"}`, 7, 200},
		{"deck_get_cards", `{"board_id":"Website relaunch","status":"all","detail":"full"}`, 7, 340},
	} {
		text := s.Read(t, test.name, test.args, nil)
		n := strings.Count(text, `"title"`)
		switch test.name { // boards and lists have titles too
		case "deck_get_board_overview":
			n -= 4
		case "deck_get_stacks":
			n -= 3
		}
		if n != test.items || len(text) > test.items*test.max {
			t.Errorf("%s %s: %d items in %d bytes, %d each: %s", test.name, test.args, n, len(text), len(text)/max(n, 1), text)
		}
	}
}

func BenchmarkCards(b *testing.B) {
	for _, n := range []int{500, 5000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			h := nextcloudtest.New(nil)
			st := nextcloudtest.SampleStack{Title: "All"}
			for i := range n {
				st.Cards = append(st.Cards, nextcloudtest.SampleCard{Title: fmt.Sprint("card ", i), Description: strings.Repeat("text ", 40)})
			}
			h.AddDeckBoard("alice", nextcloudtest.SampleBoard{Title: "Large", Color: "ff0000", Stacks: []nextcloudtest.SampleStack{st}})
			s := tooltest.Connect(b, h, nil, deck.Tools.Set())
			b.ReportAllocs()
			for b.Loop() {
				var got cards
				s.Read(b, "deck_get_cards", `{"board_id":"1","limit":50}`, &got)
				if len(got.Items) != 50 || got.Total != n {
					b.Fatalf("%d of %d", len(got.Items), got.Total)
				}
			}
		})
	}
}
