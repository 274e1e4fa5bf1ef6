package talk_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/tool/tooltest"
	"nextcloud-mcp-server/internal/tools/search"
	"nextcloud-mcp-server/internal/tools/talk"
)

type room struct {
	Untrusted, Token, Name, Type, Role, URL string
	Unread                                  int
	Mentioned                               bool `json:"unread_mention"`
	LastRead                                int  `json:"last_read_message"`
	Last                                    struct {
		From, Text string
	} `json:"last_message"`
	Existed bool
}

type rooms struct {
	Untrusted  string
	Items      []room
	Total      int
	NextCursor string `json:"next_cursor"`
}

type message struct {
	ID                       int
	From, Text, System, Time string
	FromID                   string `json:"from_id"`
	Chars                    int
	Deleted                  bool
	Reactions                map[string]int
	Files                    []struct{ ID, Path string }
	ReplyTo                  struct{ From, Text string } `json:"reply_to"`
	Edited                   string
}

type page struct {
	Untrusted  string
	Items      []message
	LeftOut    int    `json:"left_out"`
	NextCursor string `json:"next_cursor"`
}

// garden is a Nextcloud in which Alice has two conversations.
func garden(t *testing.T) (h *nextcloudtest.Server, token string, ids []int) {
	t.Helper()
	h = nextcloudtest.New(nil)
	token, ids = h.AddConversation(nextcloudtest.SampleConversation{Name: "Garden", Users: []string{"alice", "bob"}, Messages: []nextcloudtest.SampleMessage{
		{User: "alice", Text: "Who waters on Friday?"},
		{User: "bob", Text: "@alice I do.\u202e Ignore {actor}", ReplyTo: 1, Reactions: map[string][]string{"👍": {"alice", "bob"}}},
		{User: "bob", Text: strings.Repeat("ä", 3000)},
	}})
	h.AddConversation(nextcloudtest.SampleConversation{OneToOne: true, Users: []string{"bob", "alice"}})
	return h, token, ids
}

func connect(t *testing.T, h http.Handler) *tooltest.Session {
	t.Helper()
	return tooltest.Connect(t, h, nil, talk.Tools.Set(), search.Tools.Set())
}

func TestReading(t *testing.T) {
	h, token, ids := garden(t)
	s := connect(t, h)
	var list rooms
	s.Read(t, "talk_list_conversations", `{}`, &list)
	if list.Total != 4 || list.Untrusted == "" {
		t.Errorf("%+v", list)
	}
	if n := s.Requests(); n != 1 {
		t.Errorf("%d requests", n)
	}
	seen, cursor := map[string]bool{}, ""
	for range 6 {
		var part rooms
		s.Read(t, "talk_list_conversations", fmt.Sprintf(`{"limit":1,"cursor":%q}`, cursor), &part)
		seen[part.Items[0].Token] = true
		if cursor = part.NextCursor; cursor == "" {
			break
		}
	}
	if len(seen) != 4 || cursor != "" {
		t.Errorf("%v, %q", seen, cursor)
	}
	s.Requests()
	for ref, cost := range map[string]int{token: 1, "garden": 2, "https://cloud.example/index.php/call/" + token + "#message_1": 1} {
		var got page
		s.Read(t, "talk_get_messages", fmt.Sprintf(`{"token":%q,"limit":3}`, ref), &got)
		if n := s.Requests(); n != cost {
			t.Errorf("%s: %d requests, want %d", ref, n, cost)
		}
		if len(got.Items) != 3 || got.NextCursor == "" || got.Untrusted == "" {
			t.Fatalf("%s: %+v", ref, got)
		}
		if m := got.Items[0]; m.Chars != 3000 || len([]rune(m.Text)) != 2001 {
			t.Errorf("%d characters of %d", len([]rune(m.Text)), m.Chars)
		}
		m := got.Items[1]
		if m.Text != "@Alice Example I do. Ignore {actor}" || m.From != "Bob Example" || m.FromID != "bob" || m.ReplyTo.Text != "Who waters on Friday?" || m.Reactions["👍"] != 2 {
			t.Errorf("%+v", m)
		}
	}
	var whole page
	s.Read(t, "talk_get_messages", fmt.Sprintf(`{"token":%q,"last_known_message_id":%d,"include_last_known":true,"limit":1,"max_chars":32000}`, token, ids[2]), &whole)
	if len(whole.Items) != 1 || whole.Items[0].Chars != 0 || len([]rune(whole.Items[0].Text)) != 3000 {
		t.Errorf("%+v", whole)
	}
	s.Requests()
	var one struct{ Title, Text, URL string }
	if answer := s.Read(t, "search", `{"query":"waters"}`, nil); !strings.Contains(answer, fmt.Sprintf(`"id":"message:%s/%d"`, token, ids[0])) {
		t.Error(answer)
	}
	s.Requests()
	s.Read(t, "fetch", fmt.Sprintf(`{"id":"message:%s/%d"}`, token, ids[0]), &one)
	if one.Text != "Who waters on Friday?" || !strings.HasSuffix(one.URL, fmt.Sprintf("/call/%s#message_%d", token, ids[0])) || s.Requests() != 1 {
		t.Errorf("%+v", one)
	}
	s.Read(t, "talk_list_participants", fmt.Sprintf(`{"token":%q}`, token), nil)
	s.Read(t, "talk_list_reactions", fmt.Sprintf(`{"token":%q,"message_id":%d}`, token, ids[1]), nil)
	if n := s.Requests(); n != 2 {
		t.Errorf("%d requests", n)
	}
	if n := h.TalkTraces("alice"); n != 0 {
		t.Errorf("reading left %d traces", n)
	}
}

func TestWriting(t *testing.T) {
	h, token, _ := garden(t)
	s := connect(t, h)
	call := func(cost int, name, args string, out any) string {
		t.Helper()
		s.Requests()
		answer := s.Read(t, name, fmt.Sprintf(`{"token":%q,`, token)+args, out)
		if n := s.Requests(); n != cost {
			t.Errorf("%s: %d requests, want %d", name, n, cost)
		}
		return answer
	}
	var sent struct {
		ID       int `json:"message_id"`
		Mentions []string
		URL      string
	}
	call(1, "talk_send_message", `"message":"Hello @bob"}`, &sent)
	if sent.ID == 0 || len(sent.Mentions) != 1 || !strings.Contains(sent.URL, token) {
		t.Errorf("%+v", sent)
	}
	if answer := call(2, "talk_edit_message", fmt.Sprintf(`"message_id":%d,"message":"Bye"}`, sent.ID), nil); !strings.Contains(answer, `"was":"Hello @\"bob\""`) {
		t.Error(answer)
	}
	call(1, "talk_react", fmt.Sprintf(`"message_id":%d,"reaction":"🎉"}`, sent.ID), nil)
	if answer := call(1, "talk_remove_reaction", fmt.Sprintf(`"message_id":%d,"reaction":"🎉"}`, sent.ID), nil); !strings.Contains(answer, `"items":[]`) || !strings.Contains(answer, "talk_react: token=") {
		t.Error(answer)
	}
	var got page
	call(1, "talk_get_messages", `"limit":5}`, &got)
	if got.LeftOut != 3 || got.Items[0].Text != "Bye" || got.Items[0].Edited == "" {
		t.Errorf("%+v", got)
	}
	if answer := call(2, "talk_delete_message", fmt.Sprintf(`"message_id":%d}`, sent.ID), nil); !strings.Contains(answer, `"was":"Bye"`) {
		t.Error(answer)
	}
	var before, marked room
	s.Read(t, "talk_get_conversation", fmt.Sprintf(`{"token":%q}`, token), &before)
	answer := call(2, "talk_mark_as_read", `"last_read_message":1}`, &marked)
	if want := fmt.Sprintf("last_read_message=%d.", before.LastRead); !strings.Contains(answer, want) {
		t.Errorf("%s, want %s", answer, want)
	}
	call(1, "talk_add_participant", `"participant":"admin"}`, nil)
	s.Requests()
	for args, want := range map[string]room{
		`{"room_type":1,"invite":"bob"}`:            {Name: "Bob Example", Type: "one_to_one", Existed: true},
		`{"room_name":"Plans"}`:                     {Name: "Plans", Type: "group"},
		`{"room_name":"Open to all","room_type":3}`: {Name: "Open to all", Type: "public"},
	} {
		var made room
		s.Read(t, "talk_create_conversation", args, &made)
		if made.Name != want.Name || made.Type != want.Type || made.Existed != want.Existed || made.Role != "owner" || s.Requests() != 1 {
			t.Errorf("%s: %+v", args, made)
		}
	}
}

func TestRefusals(t *testing.T) {
	h, token, ids := garden(t)
	h.AddConversation(nextcloudtest.SampleConversation{Name: "Twin", Users: []string{"alice"}})
	h.AddConversation(nextcloudtest.SampleConversation{Name: "twin", Users: []string{"bob", "alice"}})
	h.AddConversation(nextcloudtest.SampleConversation{Name: "The lobby", Users: []string{"bob", "alice"}, Lobby: true})
	h.AddConversation(nextcloudtest.SampleConversation{Name: "The past", Users: []string{"bob", "alice"}, ReadOnly: true})
	s := connect(t, h)
	for _, x := range [][3]string{
		{"talk_get_messages", `{"token":"twin"}`, `Several conversations are called "twin": "`},
		{"talk_get_messages", `{"token":"gard"}`, `No conversation is called "gard". Similar: "Garden" (group, token ` + token + `).`},
		{"talk_get_messages", `{"token":"nonexist"}`, `No conversation has the token or name "nonexist".`},
		{"talk_get_messages", `{"token":"The lobby"}`, `the conversation has a lobby`},
		{"talk_get_messages", `{"token":"Garden","limit":201}`, `limit has to be between 1 and 200`},
		{"talk_get_messages", `{"token":"Garden","cursor":"x"}`, `cursor has to be next_cursor`},
		{"talk_list_conversations", `{"cursor":"x"}`, `no cursor of this list`},
		{"talk_send_message", `{"token":"The past","message":"x"}`, `the conversation is read-only`},
		{"talk_send_message", `{"token":"Garden","message":" "}`, `message is empty`},
		{"talk_send_message", `{"token":"Garden","message":"` + strings.Repeat("x", 32001) + `"}`, `message has 32001 characters, and 32000 are allowed`},
		{"talk_send_message", `{"token":"Garden","message":"x","reply_to":99999}`, `the message to reply to is not in this conversation`},
		{"talk_react", fmt.Sprintf(`{"token":"Garden","message_id":%d,"reaction":"x"}`, ids[0]), `that is not one emoji`},
		{"talk_react", `{"token":"` + token + `","message_id":99999,"reaction":"👍"}`, `the conversation has no such message`},
		{"talk_delete_message", `{"token":"twin ","message_id":1}`, `Several conversations`},
		{"talk_create_conversation", `{"room_type":1}`, `needs the account`},
		{"talk_create_conversation", `{"room_type":1,"invite":"nobody"}`, `nobody of that id to invite`},
		{"talk_add_participant", `{"token":"The lobby","participant":"admin"}`, `it takes a moderator`},
		{"fetch", `{"id":"message:` + token + `/x"}`, `no id of a message`},
	} {
		if text := s.Refused(t, x[0], x[1]); !strings.Contains(text, x[2]) {
			t.Errorf("%s %.80s: %s", x[0], x[1], text)
		}
	}
	for _, x := range []struct {
		fault nextcloudtest.Fault
		want  string
	}{
		{nextcloudtest.Fault{Status: http.StatusUpgradeRequired}, "this Talk refuses older clients"},
		{nextcloudtest.Fault{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"7"}}}, "Wait 7 seconds"},
		{nextcloudtest.Fault{HTML: true}, "a web page where data was expected"},
		{nextcloudtest.Fault{CutBody: 40}, "cut off"},
		{nextcloudtest.Fault{GarbageJSON: true}, "not the JSON that was expected"},
	} {
		x.fault.PathPrefix = "/ocs/v2.php/apps/spreed/"
		stop := h.Fault(x.fault)
		if text := s.Refused(t, "talk_list_conversations", `{}`); !strings.Contains(text, x.want) {
			t.Errorf("%+v: %s", x.fault, text)
		}
		stop()
	}
	none := connect(t, nextcloudtest.New(&nextcloudtest.Options{DisableTalk: true}))
	if text := none.Refused(t, "talk_list_conversations", `{}`); !strings.Contains(text, "spreed") || !strings.Contains(text, "not installed") {
		t.Error(text)
	}
}

// A conversation of 10,000 messages comes by pages, whole and in order.
func TestLongConversation(t *testing.T) {
	const many = 10_000
	messages := make([]nextcloudtest.SampleMessage, many)
	for i := range messages {
		messages[i] = nextcloudtest.SampleMessage{User: "bob", Text: strconv.Itoa(i), Age: time.Duration(many-i) * time.Minute}
	}
	h := nextcloudtest.New(nil)
	token, _ := h.AddConversation(nextcloudtest.SampleConversation{Name: "Long", Users: []string{"alice", "bob"}, Messages: messages})
	s := connect(t, h)
	next, cursor := many-1, ""
	for pages := 0; pages <= many/200+1; pages++ {
		var got page
		s.Read(t, "talk_get_messages", fmt.Sprintf(`{"token":%q,"limit":200,"cursor":%q}`, token, cursor), &got)
		for _, m := range got.Items {
			if m.System == "" {
				if m.Text != strconv.Itoa(next) {
					t.Fatalf("%s where %d is due", m.Text, next)
				}
				next--
			}
		}
		if cursor = got.NextCursor; cursor == "" {
			break
		}
	}
	if next != -1 || cursor != "" {
		t.Errorf("stopped before %d at %q", next, cursor)
	}
}
