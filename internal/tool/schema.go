package tool

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/google/jsonschema-go/jsonschema"
)

// Enum is a string type with a closed set of values. Its zero value must mean
// the same as the first value, since an optional argument may be left out.
type Enum interface {
	// Values are the values that a caller may give, in the order to show.
	Values() []string
}

var enumType = reflect.TypeFor[Enum]()

// inputSchema is the schema that a tool's arguments are checked against: closed,
// without null, with the enums of closed sets.
func inputSchema(t reflect.Type) (*jsonschema.Schema, error) {
	s, err := infer(t)
	if err != nil {
		return nil, err
	}
	simplify(s)
	return s, nil
}

// publicInput is an input schema as clients see it. Models pay for each byte,
// so it leaves out what a description and an error say better: that unknown
// arguments are refused, the fields of objects inside of lists, and that an
// object may hold anything.
func publicInput(s *jsonschema.Schema) *jsonschema.Schema {
	s = s.CloneSchemas()
	s.AdditionalProperties = nil
	hideItems(s)
	return s
}

// hideItems leaves out the fields of objects inside of lists, also in objects
// of objects.
func hideItems(s *jsonschema.Schema) {
	for _, p := range s.Properties {
		switch {
		case p.Items != nil && p.Items.Type == "object":
			p.Items = &jsonschema.Schema{Type: "object"}
		case p.Type == "object" && len(p.Properties) > 0:
			hideItems(p)
		case p.Type == "object" && p.AdditionalProperties != nil && p.AdditionalProperties.Type == "" && len(p.AdditionalProperties.Types) == 0:
			p.AdditionalProperties = nil
		}
	}
}

// outputSchema is the schema of a tool's structured result: the names and
// types of its fields, without what is inside of them, and for what is written
// only that it is an object. Clients check against it; few models see it, and
// those pay for each byte.
func outputSchema(t reflect.Type, effect Effect) (*jsonschema.Schema, error) {
	s, err := infer(t)
	if err != nil {
		return nil, err
	}
	if effect != Reads {
		return &jsonschema.Schema{Type: "object"}, nil
	}
	simplify(s)
	s.AdditionalProperties, s.Required = nil, nil
	for name, p := range s.Properties {
		s.Properties[name] = &jsonschema.Schema{Type: p.Type}
	}
	return s, nil
}

func infer(t reflect.Type) (*jsonschema.Schema, error) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%s is not a struct", t)
	}
	types := map[reflect.Type]*jsonschema.Schema{}
	collectEnums(t, types, map[reflect.Type]bool{})
	return jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: types})
}

func collectEnums(t reflect.Type, into map[reflect.Type]*jsonschema.Schema, seen map[reflect.Type]bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if seen[t] {
		return
	}
	seen[t] = true
	if t.Implements(enumType) {
		values, _ := reflect.TypeAssert[Enum](reflect.Zero(t))
		s := &jsonschema.Schema{Type: "string"}
		for _, v := range values.Values() {
			s.Enum = append(s.Enum, v)
		}
		into[t] = s
		return
	}
	if t.Kind() != reflect.Struct {
		return
	}
	for f := range t.Fields() {
		if f.IsExported() {
			collectEnums(f.Type, into, seen)
		}
	}
}

// simplify drops "null" from types, which some model providers refuse.
func simplify(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	if len(s.Types) > 0 {
		types := slices.DeleteFunc(slices.Clone(s.Types), func(t string) bool { return t == "null" })
		if len(types) == 1 {
			s.Type, s.Types = types[0], nil
		}
	}
	for _, p := range s.Properties {
		simplify(p)
	}
	simplify(s.Items)
	if s.Type != "object" || s.Properties == nil {
		simplify(s.AdditionalProperties)
	}
}

// encodeInput is encodeSchema for a public input schema.
func encodeInput(s *jsonschema.Schema) (json.RawMessage, error) {
	if len(s.Properties) == 0 {
		// Some model providers refuse an object without properties.
		return json.RawMessage(`{"type":"object","properties":{}}`), nil
	}
	return encodeSchema(s)
}

func encodeSchema(s *jsonschema.Schema) (json.RawMessage, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode schema: %w", err)
	}
	return b, nil
}
