package deck_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode"

	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/tool/tooltest"
	"nextcloud-mcp-server/internal/tools/deck"
)

type comments struct {
	Items []struct {
		ID        int64  `json:"id"`
		Message   string `json:"message"`
		Author    string `json:"author"`
		ReplyTo   int64  `json:"reply_to"`
		Truncated bool   `json:"truncated"`
	} `json:"items"`
	Next string `json:"next_cursor"`
}

func TestComments(t *testing.T) {
	r := newRig(t)
	for i := range 5 {
		r.Read(t, "deck_create_card_comment", r.args(fmt.Sprintf(`{"card_id":%%Alpha,"message":"comment %d"}`, i)), nil)
	}
	var seen []string
	cursor := ""
	for range 4 {
		var got comments
		r.Read(t, "deck_get_card_comments", r.args(fmt.Sprintf(`{"card_id":%%Alpha,"limit":2,"cursor":%q}`, cursor)), &got)
		for _, x := range got.Items {
			seen = append(seen, x.Message[len("comment "):])
		}
		if cursor = got.Next; cursor == "" {
			break
		}
	}
	if strings.Join(seen, "") != "43210" || cursor != "" {
		t.Errorf("%q, then %q", seen, cursor)
	}
	var got comments
	r.Read(t, "deck_get_card_comments", r.args(`{"card_id":%Alpha,"limit":2,"offset":1,"order":"oldest","message_max_length":3}`), &got)
	if len(got.Items) != 2 || got.Items[0].Message != "com" || !got.Items[0].Truncated || got.Items[0].ID > got.Items[1].ID || got.Items[0].Author != "alice" {
		t.Errorf("%+v", got)
	}
	for args, want := range map[string]string{
		`{"card_id":%Alpha,"limit":201}`:             `limit has to be between 1 and 200`,
		`{"card_id":%Alpha,"cursor":"-1"}`:           `is no cursor of this list`,
		`{"card_id":99999}`:                          `that the person may see`,
		`{"card_id":%Alpha,"message_max_length":-1}`: `cannot be negative`,
	} {
		if text := r.Refused(t, "deck_get_card_comments", r.args(args)); !strings.Contains(text, want) {
			t.Errorf("%s: %s", args, text)
		}
	}
	id := got.Items[1].ID
	r.Read(t, "deck_update_card_comment", r.args(fmt.Sprintf(`{"card_id":%%Alpha,"comment_id":%d,"message":"edited"}`, id)), nil)
	text := r.Read(t, "deck_delete_card_comment", r.args(fmt.Sprintf(`{"card_id":%%Alpha,"comment_id":%d}`, id)), nil)
	if !strings.Contains(text, "cannot be undone") {
		t.Error(text)
	}
	if text := r.Refused(t, "deck_delete_card_comment", r.args(fmt.Sprintf(`{"card_id":%%Alpha,"comment_id":%d}`, id))); !strings.Contains(text, "No comment found") {
		t.Error(text)
	}
}

func comment(t *testing.T, message, more string) string {
	t.Helper()
	b, err := json.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	return `{"card_id":%Alpha,"message":` + string(b) + more + `}`
}

// TestLongComments: a comment is refused with its length, or posted in parts
// that lose no word and no mention.
func TestLongComments(t *testing.T) {
	r := newRig(t)
	long := strings.TrimSpace(strings.Repeat("Grüße an alle, @\"Bob Example\" und @bob sehen es. ", 60))
	if text := r.Refused(t, "deck_create_card_comment", r.args(comment(t, long, ""))); !strings.Contains(text, fmt.Sprintf("has %d characters, %d more", len([]rune(long)), len([]rune(long))-1000)) || !strings.Contains(text, "for 3 comments") {
		t.Error(text)
	}
	var got result
	r.Read(t, "deck_create_card_comment", r.args(comment(t, long, `,"overflow":"split"`)), &got)
	if len(got.Parts) != 3 || got.Comment != got.Parts[0] {
		t.Fatalf("%+v", got)
	}
	var list comments
	r.Read(t, "deck_get_card_comments", r.args(`{"card_id":%Alpha,"order":"oldest","detail":"full"}`), &list)
	var words []string
	for i, x := range list.Items {
		if len([]rune(x.Message)) > 1000 || !strings.HasPrefix(x.Message, fmt.Sprintf("(%d/3) ", i+1)) || i > 0 && x.ReplyTo != got.Comment || strings.Count(x.Message, `"`)%2 != 0 {
			t.Errorf("part %d: %+v", i, x)
		}
		words = append(words, strings.Fields(x.Message)[1:]...)
	}
	if strings.Join(words, " ") != long {
		t.Error("words are lost")
	}
	if text := r.Refused(t, "deck_create_card_comment", r.args(comment(t, strings.Repeat("x", 11_000), `,"overflow":"split"`))); !strings.Contains(text, "Nothing was posted") {
		t.Error(text)
	}
	r.Requests()
	if text := r.Refused(t, "deck_create_card_comment", r.args(comment(t, " \n ", ""))); !strings.Contains(text, "empty") || r.Requests() != 0 {
		t.Error(text)
	}
	r.h.Fault(nextcloudtest.Fault{Method: "POST", PathPrefix: "/ocs/v2.php/apps/deck", Status: 429, Times: 1})
	if text := r.Refused(t, "deck_create_card_comment", r.args(comment(t, long, `,"overflow":"split"`))); !strings.Contains(text, "slow down") || r.Requests() != 1 {
		t.Errorf("more than the first part: %s", text)
	}
}

// TestPartlyPosted: when a later part fails, the error says what is posted and
// where to go on.
func TestPartlyPosted(t *testing.T) {
	sim := nextcloudtest.New(nil)
	sim.AddDeckBoard("alice", nextcloudtest.SampleBoard{Title: "Plans", Color: "ff0000", Stacks: []nextcloudtest.SampleStack{{Title: "To do", Cards: []nextcloudtest.SampleCard{{Title: "Alpha"}}}}})
	posted := 0
	s := tooltest.Connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			if posted++; posted == 3 {
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
		}
		sim.ServeHTTP(w, r)
	}), nil, deck.Tools.Set())
	message := strings.Repeat("word ", 500)
	text := s.Refused(t, "deck_create_card_comment", strings.ReplaceAll(comment(t, message, `,"overflow":"split"`), "%Alpha", "1"))
	for _, want := range []string{"only partly done", "parts 1 to 2 of 3", "comments [1 2]", "answers to comment 1", "Do not repeat the call"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
}

// blackened is text without white space and what else Nextcloud trims.
func blackened(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == 0 {
			return -1
		}
		return r
	}, text)
}

// FuzzSplit: parts hold what the message held, each within Nextcloud's limit.
func FuzzSplit(f *testing.F) {
	f.Add(strings.Repeat("word ", 500))
	f.Add(strings.Repeat("@bob", 700))
	f.Add(strings.Repeat("x", 990) + ` @"A very long name of somebody" y`)
	f.Add(strings.Repeat("😀", 5000))
	f.Fuzz(func(t *testing.T, message string) {
		parts := deck.Split(message)
		for i, p := range parts {
			if n := len([]rune(p)); len(parts) <= 10 && (n > 1000 || len(parts) > 1 && (n > 992 || n == 0)) {
				t.Fatalf("part %d of %d has %d characters", i, len(parts), n)
			}
		}
		if want := blackened(string([]rune(message))); len(parts) > 1 && blackened(strings.Join(parts, "")) != want {
			t.Fatalf("%d parts do not hold the message", len(parts))
		}
	})
}
