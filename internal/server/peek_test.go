package server

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

func TestParseMessages(t *testing.T) {
	allow := cmp.AllowUnexported(message{})
	for body, want := range map[string][]message{
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"n","arguments":{"a":1,"a":2,"NAME":3}}}`: {{method: "tools/call", tool: "n"}},
		` {"method":"resources/read","params":{"uri":"u"}} `:                                                      {{method: "resources/read", uri: "u"}}, //nolint:gocritic // the spaces are what is tested
		`{"method":"completion/complete","params":{"uri":"u","ref":{"uri":"r"}}}`:                                 {{method: "completion/complete", uri: "u", ref: "r"}},
		`{"method":"m","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"v","other":1}}}`:             {{method: "m", meta: "v"}},
		`{"method":"m","params":null}`:                          {{method: "m"}},
		`{"method":"m","params":[1]}`:                           {{method: "m"}},
		`{"method":7,"params":{"name":7,"ref":7,"_meta":7}}`:    {{}},
		`{"jsonrpc":"2.0","id":1,"result":{"Name":1,"name":2}}`: {{}},
		`[{"method":"a"},{"method":"b"}]`:                       {{method: "a"}, {method: "b"}},
		`[]`:                                                    {},
		`{}`:                                                    {{}},
	} {
		got, err := parseMessages([]byte(body))
		if err != nil {
			t.Errorf("%s: %v", body, err)
		}
		if diff := cmp.Diff(want, got, allow); diff != "" {
			t.Errorf("%s (-want +got)\n%s", body, diff)
		}
	}
}

// tricks are bodies that two readers could read differently, or that cost more
// than they are worth.
func tricks() map[string]string {
	call := func(fields string) string { return `{"jsonrpc":"2.0","id":1,` + fields + `}` }
	var wide strings.Builder
	for range maxFields {
		wide.WriteString(`"` + strings.Repeat("k", wide.Len()%200) + `x` + strings.Repeat("y", wide.Len()/200) + `":0,`)
	}
	return map[string]string{
		"nothing":              "",
		"space":                "  \n",
		"cut":                  `{"jsonrpc":"2.0"`,
		"text":                 "hello",
		"string":               `"x"`,
		"null":                 `null`,
		"two values":           `{"method":"ping"}{"method":"tools/call"}`,
		"trailing":             `{"method":"ping"} x`,
		"byte order mark":      "\ufeff" + `{"method":"ping"}`,
		"no-break space":       "\u00a0" + `{"method":"ping"}`,
		"not UTF-8":            call(`"method":"resources/read","params":{"uri":"nc://notes/` + "\xff" + `"}`),
		"UTF-16":               "{\x00}\x00",
		"method in other case": call(`"Method":"tools/call","params":{"name":"nc_read"}`),
		"both cases":           call(`"method":"ping","METHOD":"tools/call"`),
		"params in other case": call(`"method":"tools/call","Params":{"name":"nc_read"}`),
		"name in other case":   call(`"method":"tools/call","params":{"Name":"nc_read"}`),
		"uri in other case":    call(`"method":"resources/read","params":{"URI":"nc://notes/1"}`),
		"long s":               call(`"method":"tools/call","param` + "\u017f" + `":{"name":"nc_read"}`),
		"ref in other case":    call(`"method":"completion/complete","params":{"Ref":{"uri":"nc://notes/1"}}`),
		"uri of ref":           call(`"method":"completion/complete","params":{"ref":{"Uri":"nc://notes/1"}}`),
		"meta in other case":   call(`"method":"ping","params":{"_META":{}}`),
		"version, other case":  call(`"method":"ping","params":{"_meta":{"io.modelcontextprotocol/ProtocolVersion":"2026-07-28"}}`),
		"method twice":         call(`"method":"ping","method":"tools/call"`),
		"method twice, hidden": call(`"method":"ping","m\u0065thod":"tools/call"`),
		"params twice":         call(`"method":"tools/call","params":{"name":"whoami"},"params":{"name":"nc_read"}`),
		"name twice":           call(`"method":"tools/call","params":{"name":"whoami","name":"nc_read"}`),
		"arguments twice":      call(`"method":"tools/call","params":{"name":"whoami","arguments":{},"arguments":{}}`),
		"NUL in a key":         call(`"method":"tools/call","params":{"name\u0000":"nc_read"}`),
		"batch in a batch":     `[[{"method":"ping"}]]`,
		"batch of others":      `[{"method":"ping"},7]`,
		"large batch":          "[" + strings.Repeat(`{"method":"ping"},`, maxBatch) + `{"method":"ping"}]`,
		"wide":                 call(wide.String() + `"method":"ping"`),
		"deep":                 strings.Repeat("[", 100_000),
		"deep params":          call(`"method":"ping","params":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)),
	}
}

func TestTricks(t *testing.T) {
	s := newStack(t, nil, nil)
	for name, body := range tricks() {
		t.Run(name, func(t *testing.T) {
			a := s.send(t, request{token: "powerless", body: body})
			if a.status != 400 || !strings.Contains(a.body, `"code":-32700`) || a.header.Get("Content-Type") != "application/json" {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
}

func TestBodyLimit(t *testing.T) {
	s := newStack(t, nil, nil)
	fill := func(size int) string {
		const frame = `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"x":""}}`
		return strings.Replace(frame, `""`, `"`+strings.Repeat("a", size-len(frame))+`"`, 1)
	}
	if a := s.send(t, request{token: "alice", body: fill(maxBody + 1)}); a.status != 413 || !strings.Contains(a.body, "8388608 bytes") {
		t.Errorf("one byte too much: %d %s", a.status, a.body)
	}
	// At the limit the body is read; there is no session for it.
	if a := s.send(t, request{token: "alice", body: fill(maxBody)}); a.status == 413 {
		t.Errorf("at the limit: %d", a.status)
	}
	// Compressed bodies are not taken apart.
	if a := s.send(t, request{token: "alice", body: "\x1f\x8b\x08\x00", header: http.Header{"Content-Encoding": {"gzip"}}}); a.status != 400 {
		t.Errorf("compressed: %d", a.status)
	}
	if a := s.send(t, request{token: "alice", body: older("tools/list", "{}"), header: http.Header{"Content-Type": {"text/plain"}}}); a.status != 415 {
		t.Errorf("text/plain: %d", a.status)
	}
}

// FuzzParseMessages checks that no body brings the reader down, and that the
// SDK reads the same method from what it takes: the gate decides by that.
func FuzzParseMessages(f *testing.F) {
	for _, body := range tricks() {
		if len(body) < 1000 {
			f.Add([]byte(body))
		}
	}
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"n","_meta":{}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		msgs, err := parseMessages(body)
		if err != nil {
			return
		}
		if len(msgs) > maxBatch {
			t.Fatalf("%d messages", len(msgs))
		}
		sdk, err := jsonrpc.DecodeMessage(body)
		if r, ok := sdk.(*jsonrpc.Request); err == nil && ok && (len(msgs) != 1 || msgs[0].method != r.Method) {
			t.Fatalf("%q here, %q there", msgs, r.Method)
		}
	})
}
