package tool

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

type valued struct {
	Value string   `json:"value" jsonschema:"value"`
	Types []string `json:"types,omitempty" jsonschema:"types"`
}

type valuedInput struct {
	Data struct {
		Mail []valued `json:"mail,omitempty" jsonschema:"each value and types"`
		One  *valued  `json:"one,omitempty" jsonschema:"one"`
	} `json:"data" jsonschema:"data"`
}

// TestBareValue: who has only a value may leave out the object around it, and
// the list around that.
func TestBareValue(t *testing.T) {
	schema, err := inputSchema(reflect.TypeFor[valuedInput]())
	if err != nil {
		t.Fatal(err)
	}
	args, err := newArguments(schema, nil)
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		`{"data":{"mail":"a@b"}}`:                             `{"data":{"mail":[{"value":"a@b"}]}}`,
		`{"data":{"mail":["a@b",{"value":"c","types":"x"}]}}`: `{"data":{"mail":[{"value":"a@b"},{"types":["x"],"value":"c"}]}}`,
		`{"data":{"one":"v"}}`:                                `{"data":{"one":{"value":"v"}}}`,
		`{"data":{"mail":"[{\"value\":\"a\"}]"}}`:             `{"data":{"mail":[{"value":"a"}]}}`,
		`{"data":"{\"mail\":\"a\"}"}`:                         `{"data":{"mail":[{"value":"a"}]}}`,
		`{"data":{"mail":[{"value":"a","types":["b","c"]}]}}`: `{"data":{"mail":[{"types":["b","c"],"value":"a"}]}}`,
	} {
		got, err := args.read(json.RawMessage(in))
		if err != nil || string(got) != want {
			t.Errorf("%s: %s, %v", in, got, err)
		}
	}
	if _, err := args.read(json.RawMessage(`{"data":{"mail":[7]}}`)); err == nil {
		t.Error("a number is no value")
	}
	// Clients are not shown the fields of what is in lists, however deep.
	public, err := encodeInput(publicInput(schema))
	if err != nil || !strings.Contains(string(public), `"items":{"type":"object"}`) {
		t.Errorf("%v %s", err, public)
	}
}
