package clients

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// object is a JSON object whose members are found by their exact names.
// encoding/json would take any spelling of case, and the last of several, where
// another reader takes another one.
type object map[string]json.RawMessage

var (
	errNoObject  = errors.New("it must be one JSON object")
	errDuplicate = errors.New("it must not have a member twice")
)

// parseObject is the object that data consists of.
func parseObject(data []byte) (object, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	if token, err := dec.Token(); err != nil || token != json.Delim('{') {
		return nil, errNoObject
	}
	out := object{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, errNoObject
		}
		name, ok := token.(string)
		if !ok {
			return nil, errNoObject
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, errNoObject
		}
		if _, twice := out[name]; twice {
			return nil, errDuplicate
		}
		out[name] = value
	}
	if _, err := dec.Token(); err != nil {
		return nil, errNoObject
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errNoObject
	}
	return out, nil
}

// has reports whether there is a value other than null.
func (o object) has(name string) bool {
	value, ok := o[name]
	return ok && string(value) != "null"
}

// text is a string; empty when there is none.
func (o object) text(name string) (string, error) {
	if !o.has(name) {
		return "", nil
	}
	var out string
	if err := json.Unmarshal(o[name], &out); err != nil {
		return "", fmt.Errorf("%s must be a string", name)
	}
	return out, nil
}

// list is an array of strings; nil when there is none.
func (o object) list(name string) ([]string, error) {
	if !o.has(name) {
		return nil, nil
	}
	var values []*string
	if err := json.Unmarshal(o[name], &values); err != nil {
		return nil, fmt.Errorf("%s must be an array of strings", name)
	}
	out := make([]string, len(values))
	for i, value := range values {
		if value == nil {
			return nil, fmt.Errorf("%s must be an array of strings", name)
		}
		out[i] = *value
	}
	return out, nil
}
