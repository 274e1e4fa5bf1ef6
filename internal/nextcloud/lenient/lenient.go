// Package lenient reads JSON the way PHP writes it: numbers as strings, flags
// as 0 and 1, an empty object as [], a list with gaps as an object, null for
// anything. It is separate because every area needs it, and none may let one
// odd field or one bad item take a whole answer with it.
package lenient

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// Int is a whole number that may be written as a string or as 5.0. Null, false
// and the empty string are 0.
type Int int64

// UnmarshalJSON implements json.Unmarshaler.
func (i *Int) UnmarshalJSON(data []byte) error {
	switch s := strings.TrimSpace(strings.Trim(string(data), `"`)); s {
	case "null", "false", "":
		*i = 0
	case "true":
		*i = 1
	default:
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			f, ferr := strconv.ParseFloat(s, 64)
			if ferr != nil || f != float64(int64(f)) {
				return errors.New("not a whole number")
			}
			n = int64(f)
		}
		*i = Int(n)
	}
	return nil
}

// Float is a number that may be written as a string. Null, false and the empty
// string are 0.
type Float float64

// UnmarshalJSON implements json.Unmarshaler.
func (f *Float) UnmarshalJSON(data []byte) error {
	switch s := strings.TrimSpace(strings.Trim(string(data), `"`)); s {
	case "null", "false", "":
		*f = 0
	default:
		n, err := strconv.ParseFloat(s, 64)
		if err != nil || n != n || n-n != 0 {
			return errors.New("not a number")
		}
		*f = Float(n)
	}
	return nil
}

// Text is a string that may be written as a number, false or null: the title
// "2024", an empty file.
type Text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *Text) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '"':
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return err
		}
		*t = Text(s)
	case 'n', 'f':
		*t = ""
	case '{', '[', 't':
		return errors.New("not a text")
	default:
		*t = Text(data)
	}
	return nil
}

// Bool is true or false, and may be written as 0, 1 or a string of them.
type Bool bool

// UnmarshalJSON implements json.Unmarshaler.
func (b *Bool) UnmarshalJSON(data []byte) error {
	switch strings.Trim(string(data), `"`) {
	case "true", "1":
		*b = true
	case "false", "0", "null", "":
		*b = false
	default:
		return errors.New("not true or false")
	}
	return nil
}

// Object is an object that may be written as [] or null when it is empty.
type Object[V any] map[string]V

// UnmarshalJSON implements json.Unmarshaler.
func (o *Object[V]) UnmarshalJSON(data []byte) error {
	if empty(data) {
		*o = nil
		return nil
	}
	m := map[string]V{}
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	*o = m
	return nil
}

// Maybe is an object that may be missing, null, false or [], and is left nil
// then, or when it cannot be read: what hangs on it is optional.
type Maybe[T any] struct{ Value *T }

// UnmarshalJSON implements json.Unmarshaler.
func (m *Maybe[T]) UnmarshalJSON(data []byte) error {
	m.Value = nil
	if empty(data) || string(data) == "false" {
		return nil
	}
	v := new(T)
	if json.Unmarshal(data, v) == nil {
		m.Value = v
	}
	return nil
}

func empty(data []byte) bool {
	s := bytes.TrimSpace(data)
	return len(s) == 0 || string(s) == "null" || len(s) >= 2 && s[0] == '[' && len(bytes.TrimSpace(s[1:len(s)-1])) == 0
}
