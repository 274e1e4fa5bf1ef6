package lenient

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
)

// Skipped is an item of a list that could not be read.
type Skipped struct {
	ID  string `json:"id,omitempty"` // as far as it could be read
	Why string `json:"why"`
}

// List is a list whose items are read one by one: an item that cannot be read
// is reported and takes no other with it. PHP's lists with gaps, which it
// writes as objects, are read in the order of their keys' numbers.
type List[T any] struct {
	Items   []T
	Skipped []Skipped
}

// errNoID is what an item's Check answers that lacks what identifies it.
var errNoID = errors.New("has no id")

// NoID is the error of an item that lacks what identifies it.
func NoID() error { return errNoID }

// Checker is implemented by items that are not worth anything without some of
// their fields.
type Checker interface {
	// Check says what is wrong; nil when nothing is.
	Check() error
}

// UnmarshalJSON implements json.Unmarshaler.
func (l *List[T]) UnmarshalJSON(data []byte) error {
	*l = List[T]{}
	if empty(data) {
		return nil
	}
	raw, err := items(bytes.TrimSpace(data))
	if err != nil {
		return err
	}
	for _, item := range raw {
		var v T
		err := json.Unmarshal(item, &v)
		if err == nil {
			if c, ok := any(&v).(Checker); ok {
				err = c.Check()
			}
		}
		if err != nil {
			why := "unreadable answer of the server"
			if errors.Is(err, errNoID) {
				why = "the server gave it no id"
			}
			l.Skipped = append(l.Skipped, Skipped{idOf(item), why})
			continue
		}
		l.Items = append(l.Items, v)
	}
	return nil
}

func items(data []byte) ([]json.RawMessage, error) {
	if data[0] != '{' {
		var list []json.RawMessage
		err := json.Unmarshal(data, &list)
		return list, err
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return nil, err
	}
	keys := make([]int, 0, len(object))
	for key := range object {
		n, err := strconv.Atoi(key)
		if err != nil {
			return nil, errors.New("an object where a list was expected")
		}
		keys = append(keys, n)
	}
	slices.Sort(keys)
	list := make([]json.RawMessage, 0, len(keys))
	for _, key := range keys {
		list = append(list, object[strconv.Itoa(key)])
	}
	return list, nil
}

// idOf is the id of an item that cannot be read otherwise.
func idOf(item json.RawMessage) string {
	var v struct {
		ID Text `json:"id"`
	}
	if json.Unmarshal(item, &v) != nil {
		return ""
	}
	return string(v.ID)
}
