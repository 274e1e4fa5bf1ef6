// Package drift checks that a typed client survives what other versions of an
// app may answer: each field of a recorded answer missing, null, of another
// type, and fields that nobody knows. It is for tests, and a package of its own
// because every area's client needs it.
package drift

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
)

// Mutations are the variants of a JSON document in which one value, at any
// depth, is dropped, null or of another type, or has an unknown neighbour. The
// name says where and how: "ocs/data/0/id retyped".
func Mutations(doc []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		var root any
		if err := json.Unmarshal(doc, &root); err != nil {
			panic(fmt.Sprintf("drift: the document is no JSON: %v", err))
		}
		mutate(root, "", func(name string) bool {
			out, err := json.Marshal(root)
			if err != nil {
				panic(err)
			}
			return yield(name, out)
		})
	}
}

// mutate changes one value below v at a time, and puts it back after emit.
func mutate(v any, at string, emit func(string) bool) bool {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			was, here := v[key], at+key
			delete(v, key)
			ok := emit(here + " dropped")
			for how, other := range others(was) {
				v[key] = other
				ok = ok && emit(here+" "+how)
			}
			v[key] = was
			if !ok || !mutate(was, here+"/", emit) {
				return false
			}
		}
		v["unknown_field"] = map[string]any{"a": []any{1.0}}
		ok := emit(at + " extra")
		delete(v, "unknown_field")
		return ok
	case []any:
		for i, was := range v {
			here := fmt.Sprintf("%s%d", at, i)
			for how, other := range others(was) {
				v[i] = other
				if !emit(here + " " + how) {
					return false
				}
			}
			v[i] = was
			if !mutate(was, here+"/", emit) {
				return false
			}
			if i == 2 {
				break // the fourth item is like the third
			}
		}
	}
	return true
}

// others are what may stand in the place of v.
func others(v any) map[string]any {
	out := map[string]any{"null": nil, "as a list": []any{}, "as an object": map[string]any{"x": "y"}}
	switch v := v.(type) {
	case string:
		out["as a number"], out["as false"] = 7.0, false
	case float64:
		out["as a string"], out["as a word"] = fmt.Sprint(v), "word"
	case bool:
		out["as a string"], out["as a number"] = strconv.FormatBool(v), 1.0
	case []any:
		delete(out, "as a list")
		object := map[string]any{}
		for i, item := range v {
			object[strconv.Itoa(i)] = item
		}
		out["as an object of its items"] = object
	case map[string]any:
		delete(out, "as an object")
		out["as a list of it"] = []any{v}
	}
	return out
}

// Exchange is one call of a client and the answer that it reads.
type Exchange struct {
	Answer string      // JSON
	Status int         // default 200
	Header http.Header // of the answer; its content type is JSON
	// Items is the path of the list in the answer whose items must not take each
	// other with them, such as "ocs/data/"; empty when the answer is one object.
	Items string
	// Call asks the client. For a list, it says how many items it answered and
	// how many it named as skipped.
	Call func(ctx context.Context, nc *nextcloud.Client) (read, skipped int, err error)
}

// Run calls the client with the recorded answer and each of its mutations. The
// recorded answer must be read without a skipped item. Whatever changes inside
// of an item of a list must leave the other items readable and the count whole.
// Everything else may fail, as an *nextcloud.Error that says so.
func Run(t *testing.T, x Exchange) {
	t.Helper()
	read, skipped, err := x.call(t, []byte(x.Answer))
	if err != nil || skipped > 0 {
		t.Fatalf("the recorded answer: %d read, %d skipped, %v", read, skipped, err)
	}
	for name, doc := range Mutations([]byte(x.Answer)) {
		got, lost, err := x.call(t, doc)
		inItem := x.Items != "" && strings.HasPrefix(name, x.Items)
		switch {
		case err != nil && inItem:
			t.Errorf("%s: the whole list fails: %v", name, err)
		case err != nil:
			if e, ok := errors.AsType[*nextcloud.Error](err); !ok || e.Kind == nil {
				t.Errorf("%s: an error without a kind: %v", name, err)
			}
		case inItem && (got+lost != read || lost > 1):
			t.Errorf("%s: %d read and %d skipped of %d", name, got, lost, read)
		}
	}
}

// maxTries bounds the requests of one call, so that no loop waits for a page
// that never comes.
const maxTries = 50

func (x Exchange) call(t *testing.T, body []byte) (read, skipped int, err error) {
	t.Helper()
	base, err := url.Parse("https://cloud.example")
	if err != nil {
		t.Fatal(err)
	}
	tries := 0
	host := nextcloud.NewHost(base, &nextcloud.HostOptions{Transport: answering(func(r *http.Request) (*http.Response, error) {
		if tries++; tries > maxTries {
			t.Errorf("more than %d requests in one call", maxTries)
			return nil, errors.New("too many requests")
		}
		header := x.Header.Clone()
		if header == nil {
			header = http.Header{}
		}
		header.Set("Content-Type", "application/json; charset=utf-8")
		return &http.Response{
			StatusCode: max(x.Status, http.StatusOK), Header: header, Request: r, ProtoMajor: 1, ProtoMinor: 1,
			Body: io.NopCloser(strings.NewReader(string(body))), ContentLength: int64(len(body)),
		}, nil
	})})
	return x.Call(t.Context(), nextcloud.New(host, nextcloud.Anonymous{}, &nextcloud.ClientOptions{UserID: "alice"}))
}

type answering func(*http.Request) (*http.Response, error)

func (f answering) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
