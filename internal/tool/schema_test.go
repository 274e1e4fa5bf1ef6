package tool

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"
)

type color string

func (color) Values() []string { return []string{"red", "blue"} }

type leaf struct {
	Name  string  `json:"name" jsonschema:"its name"`
	Color *color  `json:"color,omitempty" jsonschema:"its color"`
	Sub   []int64 `json:"sub,omitempty" jsonschema:"its numbers"`
}

type everything struct {
	ID     int64             `json:"id" jsonschema:"its id"`
	Title  *string           `json:"title,omitempty" jsonschema:"its title"`
	At     time.Time         `json:"at,omitzero" jsonschema:"its time"`
	Tags   []string          `json:"tags,omitempty" jsonschema:"words"`
	Color  color             `json:"color,omitempty" jsonschema:"a color"`
	Colors []color           `json:"colors,omitempty" jsonschema:"colors"`
	Leaf   *leaf             `json:"leaf,omitempty" jsonschema:"one leaf"`
	Leaves []*leaf           `json:"leaves,omitempty" jsonschema:"leaves"`
	ByName map[string]string `json:"by_name,omitempty" jsonschema:"texts by name"`
	Hidden string            `json:"-"`
}

// built is a schema as it goes over the wire.
func built(t *testing.T, build func(reflect.Type) (*jsonschema.Schema, error), of reflect.Type) any {
	t.Helper()
	s, err := build(of)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := encodeSchema(s)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func parsed(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestInputSchema(t *testing.T) {
	const leafSchema = `{"type":"object","additionalProperties":false,"required":["name"],"properties":{
		"name":{"type":"string","description":"its name"},
		"color":{"type":"string","enum":["red","blue"],"description":"its color"},
		"sub":{"type":"array","items":{"type":"integer"},"description":"its numbers"}}`
	want := parsed(t, `{"type":"object","additionalProperties":false,"required":["id"],"properties":{
		"id":{"type":"integer","description":"its id"},
		"title":{"type":"string","description":"its title"},
		"at":{"type":"string","description":"its time"},
		"tags":{"type":"array","items":{"type":"string"},"description":"words"},
		"color":{"type":"string","enum":["red","blue"],"description":"a color"},
		"colors":{"type":"array","items":{"type":"string","enum":["red","blue"]},"description":"colors"},
		"leaf":`+leafSchema+`,"description":"one leaf"},
		"leaves":{"type":"array","items":`+leafSchema+`},"description":"leaves"},
		"by_name":{"type":"object","additionalProperties":{"type":"string"},"description":"texts by name"}}}`)
	for _, of := range []reflect.Type{reflect.TypeFor[everything](), reflect.TypeFor[*everything]()} {
		if diff := cmp.Diff(want, built(t, inputSchema, of)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", of, diff)
		}
	}
	if diff := cmp.Diff(parsed(t, `{"type":"object","additionalProperties":false}`), built(t, inputSchema, reflect.TypeFor[struct{}]())); diff != "" {
		t.Errorf("no arguments (-want +got)\n%s", diff)
	}
}

func TestPublicInput(t *testing.T) {
	want := parsed(t, `{"type":"object","required":["id"],"properties":{
		"id":{"type":"integer","description":"its id"},
		"title":{"type":"string","description":"its title"},
		"at":{"type":"string","description":"its time"},
		"tags":{"type":"array","items":{"type":"string"},"description":"words"},
		"color":{"type":"string","enum":["red","blue"],"description":"a color"},
		"colors":{"type":"array","items":{"type":"string","enum":["red","blue"]},"description":"colors"},
		"leaf":{"type":"object","additionalProperties":false,"required":["name"],"description":"one leaf","properties":{
			"name":{"type":"string","description":"its name"},
			"color":{"type":"string","enum":["red","blue"],"description":"its color"},
			"sub":{"type":"array","items":{"type":"integer"},"description":"its numbers"}}},
		"leaves":{"type":"array","items":{"type":"object"},"description":"leaves"},
		"by_name":{"type":"object","additionalProperties":{"type":"string"},"description":"texts by name"}}}`)
	public := func(of reflect.Type) (*jsonschema.Schema, error) {
		s, err := inputSchema(of)
		if err != nil {
			return nil, err
		}
		return publicInput(s), nil
	}
	if diff := cmp.Diff(want, built(t, public, reflect.TypeFor[everything]())); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestOutputSchema(t *testing.T) {
	want := parsed(t, `{"type":"object","properties":{
		"id":{"type":"integer"}, "title":{"type":"string"}, "at":{"type":"string"}, "tags":{"type":"array"},
		"color":{"type":"string"}, "colors":{"type":"array"}, "leaf":{"type":"object"}, "leaves":{"type":"array"},
		"by_name":{"type":"object"}}}`)
	of := func(e Effect) func(reflect.Type) (*jsonschema.Schema, error) {
		return func(t reflect.Type) (*jsonschema.Schema, error) { return outputSchema(t, e) }
	}
	if diff := cmp.Diff(want, built(t, of(Reads), reflect.TypeFor[*everything]())); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, e := range []Effect{Creates, Updates, Deletes} {
		if diff := cmp.Diff(parsed(t, `{"type":"object"}`), built(t, of(e), reflect.TypeFor[*everything]())); diff != "" {
			t.Errorf("%s (-want +got)\n%s", e, diff)
		}
	}
}

func TestSchemaOfWhatIsNoStruct(t *testing.T) {
	for _, of := range []reflect.Type{reflect.TypeFor[string](), reflect.TypeFor[[]leaf](), reflect.TypeFor[map[string]int](), reflect.TypeFor[any]()} {
		if _, err := inputSchema(of); err == nil {
			t.Errorf("input %s is taken", of)
		}
		if _, err := outputSchema(of, Creates); err == nil {
			t.Errorf("output %s is taken", of)
		}
	}
}
