package tool

import (
	"encoding/json"
	"reflect"
	"testing"
)

func BenchmarkReadArguments(b *testing.B) {
	type input struct {
		ID    int64    `json:"id" jsonschema:"id"`
		Title string   `json:"title" jsonschema:"title"`
		Tags  []string `json:"tags,omitempty" jsonschema:"words"`
		Limit int      `json:"limit,omitempty" jsonschema:"how many"`
	}
	schema, err := inputSchema(reflect.TypeFor[input]())
	if err != nil {
		b.Fatal(err)
	}
	args, err := newArguments(schema, map[string]string{"note_id": "id"})
	if err != nil {
		b.Fatal(err)
	}
	raw := json.RawMessage(`{"note_id":"17","title":"Shopping","tags":["a","b"],"limit":20}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := args.read(raw); err != nil {
			b.Fatal(err)
		}
	}
}
