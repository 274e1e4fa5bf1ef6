package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxBody bounds a request to /mcp, in bytes.
const maxBody = 8 << 20

// maxBatch bounds a JSON-RPC batch, which only protocol 2025-03-26 has.
const maxBatch = 32

// maxFields bounds the fields of a message, of its params and of their _meta;
// the arguments of a tool are not counted.
const maxFields = 256

// bodyTimeout bounds how long a request may take to arrive.
const bodyTimeout = time.Minute

// message is what the checks need of one JSON-RPC message.
type message struct {
	method string
	tool   string // params.name of tools/call and prompts/get
	uri    string // params.uri
	ref    string // params.ref.uri of completion/complete
	meta   string // params._meta["io.modelcontextprotocol/protocolVersion"]
}

type messagesKey struct{}

// messages are the messages of a request that peek has read.
func messages(ctx context.Context) []message {
	m, _ := ctx.Value(messagesKey{}).([]message)
	return m
}

// peek reads the body once, under a limit, keeps what the checks need in the
// context and hands the body on. What it cannot read goes no further: the
// checks behind it must see the same message as the protocol does.
func peek(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
				http.Error(w, fmt.Sprintf("The request is larger than %d bytes.", tooLarge.Limit), http.StatusRequestEntityTooLarge)
				return
			}
			http.Error(w, "The request was cut off.", http.StatusBadRequest)
			return
		}
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // the answer may take longer
		msgs, err := parseMessages(body)
		if err != nil {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"The body is not a JSON-RPC message."}}`))
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), messagesKey{}, msgs))
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.ContentLength = int64(len(body))
		next.ServeHTTP(w, r)
	})
}

func parseMessages(body []byte) ([]message, error) {
	// RFC 8259, 8.1. Readers differ in what they make of anything else.
	if !utf8.Valid(body) {
		return nil, errors.New("not UTF-8")
	}
	trimmed := bytes.Trim(body, " \t\r\n")
	if len(trimmed) == 0 || trimmed[0] != '[' {
		m, err := parseMessage(trimmed)
		return []message{m}, err
	}
	var batch []json.RawMessage
	if err := json.Unmarshal(trimmed, &batch); err != nil {
		return nil, err
	}
	if len(batch) > maxBatch {
		return nil, fmt.Errorf("batch of %d messages", len(batch))
	}
	msgs := make([]message, len(batch))
	for i, raw := range batch {
		var err error
		if msgs[i], err = parseMessage(raw); err != nil {
			return nil, err
		}
	}
	return msgs, nil
}

func parseMessage(raw []byte) (message, error) {
	var m message
	fields, err := object(raw, "jsonrpc", "id", "method", "params")
	if err != nil {
		return m, err
	}
	m.method = text(fields["method"])
	rawParams := fields["params"]
	if len(rawParams) == 0 || rawParams[0] != '{' {
		return m, nil
	}
	params, err := object(rawParams, "name", "uri", "ref", "_meta", "arguments")
	if err != nil {
		return m, err
	}
	m.tool, m.uri = text(params["name"]), text(params["uri"])
	if ref := params["ref"]; len(ref) > 0 && ref[0] == '{' {
		fields, err := object(ref, "uri", "type", "name")
		if err != nil {
			return m, err
		}
		m.ref = text(fields["uri"])
	}
	if meta := params["_meta"]; len(meta) > 0 && meta[0] == '{' {
		const version = "io.modelcontextprotocol/protocolVersion"
		fields, err := object(meta, version)
		if err != nil {
			return m, err
		}
		m.meta = text(fields[version])
	}
	return m, nil
}

// object is the fields of a JSON object. A key that is given twice, or in
// another case than one of the names that matter, is refused: two readers must
// not be able to disagree about such a message.
func object(raw []byte, names ...string) (map[string]json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("not an object")
	}
	fields := map[string]json.RawMessage{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, err
		}
		key, _ := t.(string)
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, err
		}
		if _, twice := fields[key]; twice {
			return nil, fmt.Errorf("%q given twice", key)
		}
		for _, n := range names {
			if key != n && strings.EqualFold(key, n) {
				return nil, fmt.Errorf("%q for %q", key, n)
			}
		}
		if strings.ContainsFunc(key, unicode.IsControl) {
			return nil, fmt.Errorf("control character in %q", key)
		}
		if len(fields) == maxFields {
			return nil, fmt.Errorf("more than %d fields", maxFields)
		}
		fields[key] = value
	}
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	return fields, nil
}

func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}
