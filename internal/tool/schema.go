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

// inputSchema is the schema of a tool's arguments: closed, without null, with
// the enums of closed sets.
func inputSchema(t reflect.Type) (*jsonschema.Schema, error) {
	s, err := infer(t)
	if err != nil {
		return nil, err
	}
	simplify(s)
	return s, nil
}

// outputSchema is the schema of a tool's structured result. It names the
// fields of the result and leaves nested objects open: clients check against
// it, and models pay for each byte of it.
func outputSchema(t reflect.Type) (*jsonschema.Schema, error) {
	s, err := infer(t)
	if err != nil {
		return nil, err
	}
	simplify(s)
	s.AdditionalProperties = nil
	for _, p := range s.Properties {
		flatten(p)
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
		values, _ := reflect.Zero(t).Interface().(Enum)
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

// flatten leaves of a nested value only its type.
func flatten(s *jsonschema.Schema) {
	switch s.Type {
	case "object":
		s.Properties, s.Required, s.AdditionalProperties, s.PropertyOrder = nil, nil, nil, nil
	case "array":
		if s.Items != nil {
			flatten(s.Items)
		}
	}
}

func encodeSchema(s *jsonschema.Schema) (json.RawMessage, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode schema: %w", err)
	}
	return b, nil
}
