package tool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// arguments checks what a model sent and brings it into the form the tool
// declares. Models send null for what they leave out, numbers and lists as
// strings and older names; all of that is understood, at any depth. Anything
// else that is wrong is reported together, in words a model can act on.
type arguments struct {
	schema   *jsonschema.Schema
	resolved *jsonschema.Resolved
	aliases  map[string]string
}

func newArguments(schema *jsonschema.Schema, aliases map[string]string) (*arguments, error) {
	resolved, err := schema.Resolve(nil)
	if err != nil {
		return nil, fmt.Errorf("resolve schema: %w", err)
	}
	return &arguments{schema, resolved, aliases}, nil
}

func (a *arguments) read(raw json.RawMessage) (json.RawMessage, error) {
	if len(bytes.TrimSpace(raw)) == 0 || string(bytes.TrimSpace(raw)) == "null" {
		raw = json.RawMessage("{}")
	}
	args, problems, err := members(raw)
	if err != nil {
		return nil, Invalidf("arguments have to be a JSON object")
	}
	// What is left out and what is null mean the same.
	maps.DeleteFunc(args, func(name string, v any) bool { return v == nil && a.knows(name) })
	for _, old := range slices.Sorted(maps.Keys(a.aliases)) {
		v, ok := args[old]
		if !ok {
			continue
		}
		name := a.aliases[old]
		if _, both := args[name]; both {
			problems = append(problems, fmt.Sprintf("%q is an older name of %q: give only the latter", old, name))
		}
		args[name] = v
		delete(args, old)
	}
	unknown := false
	for _, name := range slices.Sorted(maps.Keys(args)) {
		prop := a.schema.Properties[name]
		if prop == nil {
			problems = append(problems, fmt.Sprintf("unknown argument %q", shorten(name)))
			unknown = true
			continue
		}
		args[name] = coerce(args[name], prop)
	}
	for _, name := range a.schema.Required {
		if _, ok := args[name]; !ok {
			problems = append(problems, fmt.Sprintf("argument %q is missing", name))
		}
	}
	if unknown {
		problems = append(problems, a.known())
	}
	if len(problems) > 0 {
		return nil, invalidList(problems)
	}
	clean, err := json.Marshal(args)
	if err != nil {
		return nil, Invalidf("arguments have to be a JSON object")
	}
	var plain any
	if err := json.Unmarshal(clean, &plain); err != nil {
		return nil, Invalidf("arguments have to be a JSON object")
	}
	if err := a.resolved.Validate(plain); err != nil {
		return nil, invalidList(a.explain(plain))
	}
	return clean, nil
}

// maxProblems is how many problems are reported at once.
const maxProblems = 10

// invalidList is one refusal for several problems.
func invalidList(problems []string) error {
	if n := len(problems); n > maxProblems {
		problems = append(problems[:maxProblems:maxProblems], fmt.Sprintf("and %d more", n-maxProblems))
	}
	return Invalidf("%s", strings.Join(problems, "; "))
}

// members are the members of a JSON object, numbers as json.Number. A name
// that is given twice is a problem: one of the two would be lost.
func members(raw json.RawMessage) (args map[string]any, problems []string, err error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, errors.New("not an object")
	}
	args = map[string]any{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, nil, err
		}
		var v any
		if err := dec.Decode(&v); err != nil {
			return nil, nil, err
		}
		name, _ := t.(string)
		if _, twice := args[name]; twice {
			problems = append(problems, fmt.Sprintf("argument %q is given twice", shorten(name)))
		}
		args[name] = v
	}
	_, err = dec.Token()
	return args, problems, err
}

// shorten bounds a foreign name in an error text, in characters.
func shorten(name string) string {
	const most = 64
	if r := []rune(name); len(r) > most {
		return string(r[:most]) + "…"
	}
	return name
}

// coerce turns a value that means the right thing into the right type.
func coerce(v any, s *jsonschema.Schema) any {
	if s == nil {
		return v
	}
	switch v := v.(type) {
	case string:
		return coerceText(v, s)
	case json.Number:
		return coerceNumber(v, s)
	case []any:
		if s.Type == "array" {
			for i := range v {
				v[i] = coerce(v[i], s.Items)
			}
		}
	case map[string]any:
		for name, prop := range s.Properties {
			inner, ok := v[name]
			switch {
			case ok && inner == nil:
				delete(v, name)
			case ok:
				v[name] = coerce(inner, prop)
			}
		}
	}
	return v
}

func coerceText(text string, s *jsonschema.Schema) any {
	trimmed := strings.TrimSpace(text)
	switch s.Type {
	case "integer", "number":
		if n, ok := number(trimmed); ok {
			return coerceNumber(n, s)
		}
	case "boolean":
		switch strings.ToLower(trimmed) {
		case "true":
			return true
		case "false":
			return false
		}
	case "object", "array":
		// Some models send JSON as text.
		open := map[string]string{"object": "{", "array": "["}[s.Type]
		if strings.HasPrefix(trimmed, open) {
			dec := json.NewDecoder(strings.NewReader(trimmed))
			dec.UseNumber()
			var inner any
			if dec.Decode(&inner) == nil && dec.InputOffset() == int64(len(trimmed)) {
				return coerce(inner, s)
			}
		}
		// A model that has one value often leaves the list out, and the object
		// of which it would be the only needed field.
		switch {
		case s.Type == "array" && s.Items != nil && s.Items.Type == "string":
			return []any{text}
		case s.Type == "array" && onlyValue(s.Items):
			return []any{map[string]any{"value": text}}
		case onlyValue(s):
			return map[string]any{"value": text}
		}
	}
	return text
}

// onlyValue reports whether an object needs nothing but a text called value.
func onlyValue(s *jsonschema.Schema) bool {
	return s != nil && s.Type == "object" && len(s.Required) == 1 && s.Required[0] == "value" && s.Properties["value"] != nil
}

// number is text as a JSON number, if it is one.
func number(text string) (json.Number, bool) {
	var n json.Number
	if text == "" || text[0] == '"' || text == "null" || json.Unmarshal([]byte(text), &n) != nil {
		return "", false
	}
	return n, true
}

func coerceNumber(n json.Number, s *jsonschema.Schema) any {
	switch s.Type {
	case "string":
		return n.String()
	case "integer":
		// 5.0 and 5e0 are integers in JSON, and none for Go. Beyond 2^53 a
		// float is not exact, and the text is kept as it is.
		const exact = 1 << 53
		if f, err := n.Float64(); err == nil && f == math.Trunc(f) && math.Abs(f) < exact {
			return int64(f)
		}
	}
	return n
}

// explain says of each argument that does not fit what it has to be.
func (a *arguments) explain(plain any) []string {
	args, _ := plain.(map[string]any)
	var problems []string
	for _, name := range slices.Sorted(maps.Keys(args)) {
		prop := a.schema.Properties[name]
		resolved, err := prop.CloneSchemas().Resolve(nil)
		if err != nil || resolved.Validate(args[name]) == nil {
			continue
		}
		problems = append(problems, fmt.Sprintf("%q has to be %s", name, wanted(prop)))
	}
	if len(problems) == 0 {
		return []string{"the arguments do not fit the tool's input schema"}
	}
	return problems
}

// wanted is a schema in words.
func wanted(s *jsonschema.Schema) string {
	switch {
	case len(s.Enum) > 0:
		words := make([]string, len(s.Enum))
		for i, v := range s.Enum {
			words[i] = fmt.Sprint(v)
		}
		return "one of " + strings.Join(words, ", ")
	case s.Type == "array" && s.Items != nil:
		return "a list, each item " + wanted(s.Items)
	case s.Type == "object" && len(s.Properties) > 0:
		words := slices.Sorted(maps.Keys(s.Properties))
		for i, name := range words {
			if slices.Contains(s.Required, name) {
				words[i] += " (needed)"
			}
		}
		return "an object with " + strings.Join(words, ", ")
	}
	words := "of type " + s.Type
	if s.Minimum != nil {
		words += fmt.Sprintf(", at least %v", *s.Minimum)
	}
	if s.Maximum != nil {
		words += fmt.Sprintf(", at most %v", *s.Maximum)
	}
	return words
}

func (a *arguments) knows(name string) bool {
	return a.schema.Properties[name] != nil || a.aliases[name] != ""
}

// known names the known arguments, so that the next try can be right.
func (a *arguments) known() string {
	names := slices.Sorted(maps.Keys(a.schema.Properties))
	if len(names) == 0 {
		return "the tool takes no arguments"
	}
	return "known arguments: " + strings.Join(names, ", ")
}
