package tool

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// arguments checks what a model sent and brings it into the form the tool
// declares. Models send null for what they leave out, numbers as strings and
// older names; all of that is understood. Anything else that is wrong is
// reported together, in words a model can act on.
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
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var args map[string]any
	if err := dec.Decode(&args); err != nil {
		return nil, Invalidf("arguments have to be a JSON object")
	}
	for old, name := range a.aliases {
		if v, ok := args[old]; ok {
			if _, both := args[name]; !both {
				args[name] = v
			}
			delete(args, old)
		}
	}
	var problems []string
	for _, name := range slices.Sorted(maps.Keys(args)) {
		prop, known := a.schema.Properties[name]
		if !known {
			problems = append(problems, fmt.Sprintf("unknown argument %q%s", name, a.known()))
			continue
		}
		if args[name] == nil {
			delete(args, name)
			continue
		}
		args[name] = coerce(args[name], prop)
	}
	for _, name := range a.schema.Required {
		if _, ok := args[name]; !ok {
			problems = append(problems, fmt.Sprintf("argument %q is missing", name))
		}
	}
	if len(problems) > 0 {
		return nil, Invalidf("%s", strings.Join(problems, "; "))
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
		return nil, Invalidf("arguments: %s", a.explain(plain))
	}
	return clean, nil
}

// coerce turns a value that means the right thing into the right type.
func coerce(v any, s *jsonschema.Schema) any {
	switch text := v.(type) {
	case string:
		trimmed := strings.TrimSpace(text)
		switch s.Type {
		case "integer":
			if n, err := strconv.ParseInt(trimmed, 10, 64); err == nil {
				return n
			}
		case "number":
			if n, err := strconv.ParseFloat(trimmed, 64); err == nil {
				return n
			}
		case "boolean":
			if b, err := strconv.ParseBool(strings.ToLower(trimmed)); err == nil {
				return b
			}
		case "array":
			// A model that has one value often leaves the list out.
			if s.Items != nil && s.Items.Type == "string" && !strings.HasPrefix(trimmed, "[") {
				return []any{text}
			}
		}
	case json.Number:
		switch s.Type {
		case "string":
			return text.String()
		case "integer":
			if n, err := text.Float64(); err == nil && n == float64(int64(n)) {
				return int64(n)
			}
		}
	}
	return v
}

// explain says of each argument that does not fit what it has to be.
func (a *arguments) explain(plain any) string {
	args, _ := plain.(map[string]any)
	var problems []string
	for _, name := range slices.Sorted(maps.Keys(args)) {
		prop := a.schema.Properties[name]
		resolved, err := prop.CloneSchemas().Resolve(nil)
		if err != nil || resolved.Validate(args[name]) == nil {
			continue
		}
		want := "of type " + prop.Type
		if len(prop.Enum) > 0 {
			words := make([]string, len(prop.Enum))
			for i, v := range prop.Enum {
				words[i] = fmt.Sprint(v)
			}
			want = "one of " + strings.Join(words, ", ")
		}
		problems = append(problems, fmt.Sprintf("%q has to be %s", name, want))
	}
	if len(problems) == 0 {
		return "they do not fit the tool's input schema"
	}
	return strings.Join(problems, "; ")
}

// known names the known arguments, so that the next try can be right.
func (a *arguments) known() string {
	names := slices.Sorted(maps.Keys(a.schema.Properties))
	if len(names) == 0 {
		return " (the tool takes none)"
	}
	return " (known: " + strings.Join(names, ", ") + ")"
}
