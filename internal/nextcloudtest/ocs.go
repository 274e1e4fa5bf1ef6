package nextcloudtest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Status codes of the OCS envelope that are none of HTTP.
const (
	ocsServerError  = 996
	ocsUnauthorised = 997
	ocsNotFound     = 998
)

// ocsEnvelope is the frame of every OCS answer.
type ocsEnvelope struct {
	OCS ocsBody `json:"ocs"`
}

type ocsBody struct {
	Meta ocsMeta `json:"meta"`
	Data any     `json:"data"`
}

type ocsMeta struct {
	Status       string  `json:"status"`
	StatusCode   int     `json:"statuscode"`
	Message      string  `json:"message"`
	TotalItems   *string `json:"totalitems,omitempty"` // v1 only
	ItemsPerPage *string `json:"itemsperpage,omitempty"`
}

// noData is how PHP writes the empty array.
var noData = []any{}

// writeOCS answers a success in the format the client asked for.
func writeOCS(w http.ResponseWriter, r *http.Request, data any) {
	writeEnvelope(w, r, http.StatusOK, "OK", data)
}

// writeOCSFailure answers an error; code is an HTTP status or one of OCS.
func writeOCSFailure(w http.ResponseWriter, r *http.Request, code int, message string) {
	writeEnvelope(w, r, code, message, noData)
}

func writeEnvelope(w http.ResponseWriter, r *http.Request, code int, message string, data any) {
	v1 := strings.HasPrefix(r.URL.Path, "/ocs/v1.php/")
	status := ocsHTTPStatus(code, v1)
	meta := ocsMeta{Status: "failure", StatusCode: code, Message: message}
	if code/100 == 2 {
		meta.Status = "ok"
	}
	if v1 {
		empty := ""
		meta.TotalItems, meta.ItemsPerPage = &empty, &empty
		if code == http.StatusOK {
			meta.StatusCode = 100
		}
	}
	body := ocsEnvelope{OCS: ocsBody{Meta: meta, Data: data}}
	if wantsJSON(r) {
		writeJSON(w, status, body)
		return
	}
	text, err := ocsXML(body.OCS)
	if err != nil {
		writeJSON(w, http.StatusInternalServerError, map[string]string{"message": err.Error()})
		return
	}
	writeXMLText(w, status, text)
}

// ocsHTTPStatus maps an OCS code as Nextcloud's V1Response and V2Response do.
func ocsHTTPStatus(code int, v1 bool) int {
	if v1 {
		if code == ocsUnauthorised || code == http.StatusForbidden {
			return http.StatusUnauthorized
		}
		if code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable {
			return code
		}
		return http.StatusOK
	}
	switch {
	case code == ocsUnauthorised:
		return http.StatusUnauthorized
	case code == ocsNotFound:
		return http.StatusNotFound
	case code == ocsServerError:
		return http.StatusInternalServerError
	case code < 200 || code > 600:
		return http.StatusBadRequest
	}
	return code
}

// wantsJSON: Nextcloud answers OCS as XML unless the query or Accept asks for JSON.
func wantsJSON(r *http.Request) bool {
	if format := r.URL.Query().Get("format"); format != "" {
		return format == "json"
	}
	return strings.Contains(r.Header.Get("Accept"), "application/json")
}

// writeJSON answers in the dialect of PHP's json_encode.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(phpJSON(v))
}

// phpJSON is JSON as PHP writes it: slashes and everything beyond ASCII escaped. It panics on what cannot be JSON, which
// is a programming error.
func phpJSON(v any) []byte {
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err)
	}
	var out bytes.Buffer
	for text := bytes.TrimSpace(plain.Bytes()); len(text) > 0; {
		c, size := utf8.DecodeRune(text)
		text = text[size:]
		switch {
		case c == '/':
			out.WriteString(`\/`)
		case c < utf8.RuneSelf:
			out.WriteRune(c)
		case c > 0xffff:
			high, low := utf16.EncodeRune(c)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, c)
		}
	}
	return out.Bytes()
}

// ocsXML writes the same body as XML: lists are <element>s, true is 1, false and null are empty.
func ocsXML(body ocsBody) (string, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	out.WriteString("<?xml version=\"1.0\"?>\n")
	tokens := json.NewDecoder(bytes.NewReader(text))
	tokens.UseNumber()
	if err := writeOCSElement(&out, tokens, "ocs", 0); err != nil {
		return "", err
	}
	return out.String(), nil
}

// writeOCSElement writes the next JSON value as one element.
func writeOCSElement(out *strings.Builder, tokens *json.Decoder, name string, depth int) error {
	token, err := tokens.Token()
	if err != nil {
		return err
	}
	indent := strings.Repeat(" ", depth)
	opening, compound := token.(json.Delim)
	if !compound {
		out.WriteString(indent + "<" + name + ">")
		if err := xml.EscapeText(out, []byte(phpString(token))); err != nil {
			return err
		}
		out.WriteString("</" + name + ">\n")
		return nil
	}
	if !tokens.More() {
		out.WriteString(indent + "<" + name + "/>\n")
		_, err := tokens.Token()
		return err
	}
	out.WriteString(indent + "<" + name + ">\n")
	for tokens.More() {
		child := "element"
		if opening == '{' {
			key, err := tokens.Token()
			if err != nil {
				return err
			}
			child = phpString(key)
		}
		if err := writeOCSElement(out, tokens, child, depth+1); err != nil {
			return err
		}
	}
	out.WriteString(indent + "</" + name + ">\n")
	_, err = tokens.Token()
	return err
}

// phpString is how PHP casts a scalar to a string.
func phpString(v any) string {
	switch v := v.(type) {
	case bool:
		if v {
			return "1"
		}
		return ""
	case nil:
		return ""
	}
	return fmt.Sprint(v)
}
