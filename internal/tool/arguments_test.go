package tool_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// raw sends the arguments as they are written.
func raw(s string) json.RawMessage { return json.RawMessage(s) }

func TestArgumentsUnderstood(t *testing.T) {
	session := connect(t, setup{})
	for _, test := range []struct{ args, want string }{
		{`{"id":5}`, `{"id":5}`},
		{`{"id":"5"}`, `{"id":5}`},
		{`{"id":" 5 "}`, `{"id":5}`},
		{`{"id":5.0}`, `{"id":5}`},
		{`{"id":5e2}`, `{"id":500}`},
		{`{"id":"5.0"}`, `{"id":5}`},
		{`{"id":9007199254740993}`, `{"id":9007199254740993}`},
		{`{"id":"9223372036854775807"}`, `{"id":9223372036854775807}`},
		{`{"note_id":7}`, `{"id":7}`},
		{`{"note_id":7,"id":null}`, `{"id":7}`},
		{`{"note_id":null,"id":7}`, `{"id":7}`},
		{`{"id":1,"text":null,"tags":null,"part":null,"done":null}`, `{"id":1}`},
		{`{"id":1,"text":12}`, `{"id":1,"text":"12"}`},
		{`{"id":1,"text":" kept \n<&> "}`, `{"id":1,"text":" kept \n<&> "}`},
		{`{"id":1,"label":"old name"}`, `{"id":1,"text":"old name"}`},
		{`{"id":1,"done":"true"}`, `{"id":1,"done":true}`},
		{`{"id":1,"done":"False"}`, `{"id":1,"done":false}`},
		{`{"id":1,"ratio":"0.5"}`, `{"id":1,"ratio":0.5}`},
		{`{"id":1,"tags":"one"}`, `{"id":1,"tags":["one"]}`},
		{`{"id":1,"tags":"[1] is no list"}`, `{"id":1,"tags":["[1] is no list"]}`},
		{`{"id":1,"tags":"[\"a\",\"b\"]"}`, `{"id":1,"tags":["a","b"]}`},
		{`{"id":1,"tags":["a",2]}`, `{"id":1,"tags":["a","2"]}`},
		{`{"id":1,"days":["1",2.0]}`, `{"id":1,"days":[1,2]}`},
		{`{"id":1,"mode":"slow"}`, `{"id":1,"mode":"slow"}`},
		{`{"id":1,"modes":"slow"}`, `{"id":1,"modes":["slow"]}`},
		{`{"id":1,"part":{"name":"n","count":"3","mode":null}}`, `{"id":1,"part":{"name":"n","count":3}}`},
		{`{"id":1,"part":"{\"name\":\"n\"}"}`, `{"id":1,"part":{"name":"n"}}`},
		{`{"id":1,"parts":[{"name":"n","count":null},{"name":2}]}`, `{"id":1,"parts":[{"name":"n"},{"name":"2"}]}`},
	} {
		t.Run(test.args, func(t *testing.T) {
			text, failed := call(t, session, "nc_echo", raw(test.args))
			if failed {
				t.Fatal(text)
			}
			want := `{"got":` + test.want + `}`
			if text != want {
				t.Errorf("got  %s\nwant %s", text, want)
			}
		})
	}
}

func TestArgumentsRefused(t *testing.T) {
	session := connect(t, setup{})
	const known = `known arguments: days, done, id, mode, modes, part, parts, ratio, small, tags, text`
	for _, test := range []struct{ args, want string }{
		{`{}`, `argument "id" is missing`},
		{`null`, `argument "id" is missing`},
		{`{"id":null}`, `argument "id" is missing`},
		{`{"id":"five"}`, `"id" has to be of type integer`},
		{`{"id":5.5}`, `"id" has to be of type integer`},
		{`{"id":""}`, `"id" has to be of type integer`},
		{`{"id":"null"}`, `"id" has to be of type integer`},
		{`{"id":true}`, `"id" has to be of type integer`},
		{`{"id":[5]}`, `"id" has to be of type integer`},
		{`{"id":9223372036854775808}`, `"id" is out of range`},
		{`{"id":1,"small":300}`, `"small" has to be of type integer, at least -128, at most 127`},
		{`{"id":1,"ratio":"NaN"}`, `"ratio" has to be of type number`},
		{`{"id":1,"ratio":"0x1p4"}`, `"ratio" has to be of type number`},
		{`{"id":1,"done":"maybe"}`, `"done" has to be of type boolean`},
		{`{"id":1,"done":1}`, `"done" has to be of type boolean`},
		{`{"id":1,"text":{}}`, `"text" has to be of type string`},
		{`{"id":1,"mode":"middle"}`, `"mode" has to be one of fast, slow`},
		{`{"id":1,"modes":["middle"]}`, `"modes" has to be a list, each item one of fast, slow`},
		{`{"id":1,"days":"x"}`, `"days" has to be a list, each item of type integer`},
		{`{"id":1,"part":{"nam":"n"}}`, `"part" has to be an object with count, mode, name (needed)`},
		{`{"id":1,"part":{"name":null}}`, `"part" has to be an object with count, mode, name (needed)`},
		{`{"id":1,"Text":"case"}`, `unknown argument "Text"; ` + known},
		{`{"id":1,"Hidden":"x"}`, `unknown argument "Hidden"; ` + known},
		{`{"id":1,"extra":null}`, `unknown argument "extra"; ` + known},
		{`{"b":1,"a":2}`, `unknown argument "a"; unknown argument "b"; argument "id" is missing; ` + known},
		{`{"id":"x","mode":"y","done":3}`, `"done" has to be of type boolean; "id" has to be of type integer; "mode" has to be one of fast, slow`},
		{`{"id":1,"note_id":2}`, `"note_id" is an older name of "id": give only the latter`},
		{`{"id":1,"id":2}`, `argument "id" is given twice`},
		{`{"id":1,"\u0069d":2}`, `argument "id" is given twice`},
		{`[]`, `arguments have to be a JSON object`},
		{`"x"`, `arguments have to be a JSON object`},
		{`7`, `arguments have to be a JSON object`},
	} {
		t.Run(test.args, func(t *testing.T) {
			text, failed := call(t, session, "nc_echo", raw(test.args))
			if !failed || text != test.want {
				t.Errorf("failed %v\ngot  %s\nwant %s", failed, text, test.want)
			}
		})
	}
	if text, failed := call(t, session, "nc_write", raw(`{"id":1}`)); !failed || text != `unknown argument "id"; the tool takes no arguments` {
		t.Errorf("%v %s", failed, text)
	}
	if text, failed := call(t, session, "nc_write", nil); failed {
		t.Errorf("a tool without arguments wants some: %s", text)
	}
}

// TestArgumentsBounded checks that a refusal never gives back a flood.
func TestArgumentsBounded(t *testing.T) {
	session := connect(t, setup{})
	var many strings.Builder
	for range 3000 {
		many.WriteString(`"` + strings.Repeat("n", 100) + string(rune('a'+many.Len()%26)) + strings.Repeat("x", many.Len()%300) + `":0,`)
	}
	text, failed := call(t, session, "nc_echo", raw(`{`+many.String()+`"id":1}`))
	if !failed || len(text) > 2000 {
		t.Errorf("failed %v, %d bytes: %.300s", failed, len(text), text)
	}
}

func TestLargeArgument(t *testing.T) {
	session := connect(t, setup{})
	long := strings.Repeat("0123456789abcdef", 1<<16) // 1 MiB
	res, failed := call(t, session, "nc_echo", map[string]any{"id": 1, "text": long})
	var got Echo
	if err := json.Unmarshal([]byte(res), &got); failed || err != nil || got.Got.Text != long {
		t.Errorf("failed %v, %v, %d bytes back", failed, err, len(got.Got.Text))
	}
}

// TestDeepArgument checks that nesting ends in an answer and not in a crash.
func TestDeepArgument(t *testing.T) {
	session := connect(t, setup{})
	deep := strings.Repeat("[", 900) + strings.Repeat("]", 900)
	text, failed := call(t, session, "nc_echo", raw(`{"id":1,"tags":`+deep+`}`))
	if !failed {
		t.Error(text)
	}
	quoted, err := json.Marshal(strings.Repeat("[", 100_000))
	if err != nil {
		t.Fatal(err)
	}
	if text, failed := call(t, session, "nc_echo", raw(`{"id":1,"days":`+string(quoted)+`}`)); !failed {
		t.Error(text)
	}
}

func TestStructuredContentIsTheText(t *testing.T) {
	session := connect(t, setup{})
	res, err := session.CallTool(t.Context(), callParams("nc_echo", `{"id":1,"text":"a<b"}`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"got": map[string]any{"id": 1.0, "text": "a<b"}}
	if diff := cmp.Diff(want, res.StructuredContent); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
