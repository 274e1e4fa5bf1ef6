package nextcloud

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"maps"
	"strings"
	"unicode"
	"unicode/utf8"
)

// OCS is Do for the Open Collaboration Services: it asks for JSON, opens the
// envelope and reads its data into out when out is not nil. A failure inside
// an HTTP success is an *Error like any other.
func (c *Client) OCS(ctx context.Context, r Request, out any) error {
	_, err := c.OCSAnswer(ctx, r, out)
	return err
}

// OCSAnswer is OCS for what the status or the headers of an answer say.
func (c *Client) OCSAnswer(ctx context.Context, r Request, out any) (*Response, error) {
	q := maps.Clone(r.Query)
	if q == nil {
		q = map[string][]string{}
	}
	q.Set("format", "json")
	r.Query = q
	res, err := c.Do(ctx, r)
	if err != nil {
		return nil, err
	}
	var env envelope
	if err := json.Unmarshal(res.Body, &env); err != nil {
		return nil, badAnswer(r.Op, res, err)
	}
	if e := env.failure(r.Op, res); e != nil {
		c.noteRefusal(e)
		return nil, e
	}
	if out == nil || emptyList(env.OCS.Data) {
		return res, nil
	}
	if err := json.Unmarshal(env.OCS.Data, out); err != nil {
		return nil, badAnswer(r.Op, res, err)
	}
	return res, nil
}

// The OCS status codes that mean something of their own.
const (
	ocsOK           = 100 // OCS v1; v2 repeats the HTTP status
	ocsUnauthorised = 997
	ocsUnknownAPI   = 998
)

// envelope is the outer shape of every OCS answer.
type envelope struct {
	OCS struct {
		Meta struct {
			Status     string `json:"status"`
			StatusCode int    `json:"statuscode"`
			Message    string `json:"message"`
		} `json:"meta"`
		Data json.RawMessage `json:"data"`
	} `json:"ocs"`
}

// failure is the error inside an envelope; nil for a success. OCS v1 says 100,
// v2 repeats the HTTP status.
func (env *envelope) failure(op string, res *Response) *Error {
	meta := env.OCS.Meta
	switch code := meta.StatusCode; {
	case code == ocsOK, code/100 == 2:
		return nil
	case code == ocsUnauthorised:
		return &Error{Op: op, Kind: ErrUnauthenticated, Status: res.Status, OCS: code, Message: plain(meta.Message)}
	case code == ocsUnknownAPI:
		return &Error{Op: op, Kind: ErrAppMissing, Status: res.Status, OCS: code, Message: "Nextcloud does not know this API"}
	case code == 0:
		return &Error{Op: op, Kind: ErrBadAnswer, Status: res.Status, Message: "the answer is not one of OCS"}
	default:
		return &Error{Op: op, Kind: KindOf(code), Status: res.Status, OCS: code, Message: plain(meta.Message)}
	}
}

// ocsStatus is the status inside an error answer; 0 when it has none.
func ocsStatus(res *Response) int {
	var env envelope
	if !bytes.HasPrefix(bytes.TrimSpace(res.Body), []byte("{")) || json.Unmarshal(res.Body, &env) != nil {
		return 0
	}
	return env.OCS.Meta.StatusCode
}

// emptyList: PHP writes an empty object as [].
func emptyList(data json.RawMessage) bool {
	s := strings.TrimSpace(string(data))
	return s == "[]" || s == "" || s == "null"
}

// serverMessage is the plain sentence inside an error answer and the Sabre
// exception, when there are any.
func serverMessage(res *Response) (message, exception string) {
	contentType, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";")
	switch strings.TrimSpace(contentType) {
	case "application/json":
		var body struct {
			Message string `json:"message"`
			Error   any    `json:"error"`
			OCS     struct {
				Meta struct {
					Message string `json:"message"`
				} `json:"meta"`
			} `json:"ocs"`
		}
		if json.Unmarshal(res.Body, &body) != nil {
			return "", ""
		}
		if body.OCS.Meta.Message != "" {
			return plain(body.OCS.Meta.Message), ""
		}
		if body.Message != "" {
			return plain(body.Message), ""
		}
		text, _ := body.Error.(string)
		return plain(text), ""
	case "application/xml", "text/xml":
		var body struct {
			Exception string `xml:"exception"`
			Message   string `xml:"message"`
		}
		if xml.Unmarshal(res.Body, &body) != nil {
			return "", ""
		}
		return plain(body.Message), plain(body.Exception)
	}
	return "", ""
}

// plain is foreign text that is fit to be shown: one short line without markup.
func plain(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if strings.ContainsAny(s, "<>") || strings.ContainsFunc(s, unicode.IsControl) || !utf8.ValidString(s) {
		return ""
	}
	if r := []rune(s); len(r) > 200 {
		s = string(r[:200]) + "…"
	}
	return s
}
