package lenient_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

type item struct {
	ID    lenient.Int                              `json:"id"`
	Title lenient.Text                             `json:"title"`
	Done  lenient.Bool                             `json:"done"`
	Part  lenient.Float                            `json:"part"`
	Tags  lenient.Object[lenient.Text]             `json:"tags"`
	Owner lenient.Maybe[struct{ ID lenient.Text }] `json:"owner"`
}

func (i *item) Check() error {
	if i.ID == 0 {
		return lenient.NoID()
	}
	return nil
}

func TestItem(t *testing.T) {
	owner := lenient.Maybe[struct{ ID lenient.Text }]{Value: &struct{ ID lenient.Text }{"alice"}}
	for text, want := range map[string]item{
		`{"id":7,"title":"x","done":true,"part":1.5,"tags":{"a":"b"},"owner":{"id":"alice"}}`: {7, "x", true, 1.5, lenient.Object[lenient.Text]{"a": "b"}, owner},
		`{"id":"7","title":2024,"done":"1","part":"1.5","tags":[],"owner":[]}`:                {ID: 7, Title: "2024", Done: true, Part: 1.5},
		`{"id":7.0,"title":null,"done":0,"part":null,"tags":null,"owner":false}`:              {ID: 7},
		`{"id":"","title":false,"done":"","part":"","owner":"alice"}`:                         {},
		`{}`: {},
	} {
		var got item
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Errorf("%s: %v", text, err)
		} else if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
	}
	for _, text := range []string{
		`{"id":"x"}`, `{"id":1.5}`, `{"id":[]}`, `{"id":1e300}`, `{"title":{}}`, `{"title":[]}`, `{"title":true}`,
		`{"done":"maybe"}`, `{"done":2}`, `{"part":"NaN"}`, `{"part":"Inf"}`, `{"part":[]}`, `{"tags":"x"}`,
	} {
		if err := json.Unmarshal([]byte(text), &item{}); err == nil {
			t.Errorf("%s was read", text)
		}
	}
}

func TestList(t *testing.T) {
	for text, want := range map[string]lenient.List[item]{
		`[{"id":1},{"id":"x"},{"id":2},{"title":"none"},null,[],"x",{"id":3,"title":[]}]`: {
			Items: []item{{ID: 1}, {ID: 2}},
			Skipped: []lenient.Skipped{
				{"x", "unreadable answer of the server"},
				{"", "the server gave it no id"},
				{"", "the server gave it no id"},
				{"", "unreadable answer of the server"},
				{"", "unreadable answer of the server"},
				{"3", "unreadable answer of the server"},
			},
		},
		`{"10":{"id":3},"2":{"id":2},"0":{"id":1}}`: {Items: []item{{ID: 1}, {ID: 2}, {ID: 3}}},
		`[]`: {}, `{}`: {}, `null`: {}, `[ ]`: {},
	} {
		var got lenient.List[item]
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Errorf("%s: %v", text, err)
		} else if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
	}
	for _, text := range []string{`{"error":"x"}`, `"x"`, `7`, `true`} {
		if err := json.Unmarshal([]byte(text), &lenient.List[item]{}); err == nil {
			t.Errorf("%s was read as a list", text)
		}
	}
	if errors.Is((&item{ID: 1}).Check(), lenient.NoID()) {
		t.Error("an item with an id has none")
	}
}
