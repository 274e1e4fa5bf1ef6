package talk

import (
	"encoding/json"
	"testing"
)

func TestPlaceholders(t *testing.T) {
	const params = `{"mention-user1":{"type":"user","id":"bob","name":"Bob {file}","mention-id":"bob"},"actor":{"type":"user","id":"a","name":"Alice"},
		"file":{"type":"file","id":"7","name":"plan.md","path":"Talk/plan.md"},"object":{"type":"talk-poll","id":"2","name":"Lunch?"},"odd":"text"}`
	for text, want := range map[string][2]string{
		"plain":                     {"plain", "plain"},
		"hi {mention-user1}!":       {"hi @Bob {file}!", `hi @"bob"!`},
		"{actor} sent {file}":       {"Alice sent [file: plan.md]", "Alice sent [file: plan.md]"},
		"{object}":                  {"[poll: Lunch?]", "[poll: Lunch?]"},
		"{unknown} {odd} {":         {"{unknown} {odd} {", "{unknown} {odd} {"},
		"if {a { {actor} }":         {"if {a { Alice }", "if {a { Alice }"},
		"{{actor}} and } then {fil": {"{Alice} and } then {fil", "{Alice} and } then {fil"},
	} {
		var w wireMessage
		body, err := json.Marshal(map[string]any{"id": 1, "message": text, "messageParameters": json.RawMessage(params)})
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(body, &w); err != nil {
			t.Fatal(err)
		}
		m := w.message()
		if got := [2]string{m.Text, m.Source}; got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
		if len(m.Files) != 1 || m.Files[0] != (File{"7", "plan.md", "Talk/plan.md"}) || len(m.Mentions) != 1 {
			t.Errorf("%+v", m)
		}
	}
}
