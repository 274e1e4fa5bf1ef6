package nextcloudtest

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// Headers whose value must be the recorded one, and those that must only be there when recorded.
var (
	exactHeaders = []string{
		"Content-Type", "WWW-Authenticate", "X-User-Id", "Dav", "Retry-After", "X-Nextcloud-Maintenance-Mode",
		"Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "X-Nextcloud-Well-Known", "X-Notes-Api-Versions",
	}
	presentHeaders = []string{"ETag", "OC-ETag", "Last-Modified", "Allow", "X-Notes-Chunk-Cursor", "X-Notes-Chunk-Pending", "Schedule-Tag"}
)

// compareAnswers lists how an answer differs from the recorded one.
func compareAnswers(x *exchange, r *shapeReplay, answer received, body string) []string {
	var found []string
	differ := func(what string, recorded, here any) {
		found = append(found, fmt.Sprintf("%s: recorded %v, here %v", what, recorded, here))
	}
	if answer.status != x.status {
		differ("status", x.status, answer.status)
	}
	for _, name := range exactHeaders {
		if recorded, here := x.answerHeader.Get(name), answer.header.Get(name); !strings.EqualFold(recorded, here) {
			differ(name, recorded, here)
		}
	}
	for _, name := range presentHeaders {
		if recorded, here := x.answerHeader.Get(name), answer.header.Get(name); (recorded == "") != (here == "") {
			differ(name, recorded, here)
		}
	}
	if recorded, here := locationShape(r.mapText(x.answerHeader.Get("Location"))), locationShape(answer.header.Get("Location")); recorded != here {
		differ("Location", recorded, here)
	}
	contentType, _, _ := strings.Cut(x.answerHeader.Get("Content-Type"), ";")
	recorded, err := bodyShape(contentType, x.answer, x.trimmed)
	if err != nil {
		return append(found, "recorded body: "+err.Error())
	}
	here, err := bodyShape(contentType, body, x.trimmed)
	if err != nil {
		return append(found, "body: "+err.Error())
	}
	for _, part := range recorded {
		if !slices.Contains(here, part) {
			found = append(found, "body: missing "+part)
		}
	}
	for _, part := range here {
		if !slices.Contains(recorded, part) {
			found = append(found, "body: unexpected "+part)
		}
	}
	return found
}

// locationShape is an address with the names of its parameters.
func locationShape(location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return location
	}
	parts := []string{u.Scheme + "://" + u.Host + u.Path}
	parts = append(parts, slices.Sorted(maps.Keys(u.Query()))...)
	if fragment, err := url.ParseQuery(u.Fragment); err == nil {
		parts = append(append(parts, "#"), slices.Sorted(maps.Keys(fragment))...)
	}
	return strings.Join(parts, " ")
}

// bodyShape lists the parts a body consists of, without its values.
func bodyShape(contentType, body string, trimmed bool) ([]string, error) {
	switch {
	case strings.TrimSpace(body) == "":
		return []string{"nothing"}, nil
	case trimmed:
		return []string{"something"}, nil
	case contentType == "text/html":
		if !strings.HasPrefix(strings.ToLower(strings.TrimSpace(body)), "<!doctype html") {
			return nil, errors.New("not HTML")
		}
		return []string{"HTML"}, nil
	case contentType == "application/json":
		var v any
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			return nil, err
		}
		parts := map[string]bool{}
		jsonShape(parts, "$", v)
		return slices.Sorted(maps.Keys(parts)), nil
	case contentType == "application/xml" || contentType == "text/xml":
		return xmlShape(body)
	case contentType == "text/calendar":
		return lineShape(body), nil
	}
	return []string{"something"}, nil
}

// jsonShape lists paths with types. What errors say belongs to the shape.
func jsonShape(parts map[string]bool, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		parts[path+" object"] = true
		for name, inner := range v {
			jsonShape(parts, path+"."+name, inner)
			switch name {
			case "statuscode", "message", "error", "error_description":
				parts[fmt.Sprintf("%s.%s=%v", path, name, inner)] = true
			}
		}
	case []any:
		if len(v) == 0 {
			parts[path+" empty list"] = true
		}
		for _, inner := range v {
			jsonShape(parts, path+"[]", inner)
		}
	default:
		parts[fmt.Sprintf("%s %T", path, v)] = true
	}
}

// xmlShape lists the paths of elements. The text of statuses, exceptions and OCS codes belongs to the shape.
func xmlShape(body string) ([]string, error) {
	parts := map[string]bool{}
	var path []string
	for d := xml.NewDecoder(strings.NewReader(body)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return slices.Sorted(maps.Keys(parts)), nil
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			path = append(path, "{"+token.Name.Space+"}"+token.Name.Local)
			parts[strings.Join(path, "/")] = true
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			if len(path) == 0 {
				continue
			}
			switch path[len(path)-1] {
			case "{DAV:}status", "{http://sabredav.org/ns}exception", "{}statuscode":
				parts[strings.Join(path, "/")+"="+strings.TrimSpace(string(token))] = true
			}
		}
	}
}

// lineShape lists the property names of iCalendar text with the components they are in.
func lineShape(body string) []string {
	parts := map[string]bool{}
	var path []string
	for line := range strings.SplitSeq(body, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if line == "" || line[0] == ' ' || line[0] == '\t' {
			continue
		}
		name, v, _ := strings.Cut(line, ":")
		name, _, _ = strings.Cut(name, ";")
		switch name {
		case "BEGIN":
			path = append(path, v)
		case "END":
			path = path[:max(len(path)-1, 0)]
		}
		parts[strings.Join(path, "/")+" "+name] = true
	}
	return slices.Sorted(maps.Keys(parts))
}

// The comparison itself must see what it is there to see.
func TestShapes(t *testing.T) {
	tests := []struct {
		name, contentType, a, b string
		same                    bool
	}{
		{"JSON values do not matter", "application/json", `{"a":1,"b":["x"]}`, `{"b":["y","z"],"a":2}`, true},
		{"JSON types matter", "application/json", `{"a":1}`, `{"a":"1"}`, false},
		{"JSON keys matter", "application/json", `{"a":1}`, `{"a":1,"b":2}`, false},
		{"error texts matter", "application/json", `{"message":"a"}`, `{"message":"b"}`, false},
		{"an empty list is no object", "application/json", `{"a":[]}`, `{"a":{}}`, false},
		{"XML prefixes do not matter", "application/xml", `<d:a xmlns:d="DAV:"/>`, `<a xmlns="DAV:"/>`, true},
		{"XML namespaces matter", "application/xml", `<d:a xmlns:d="DAV:"/>`, `<a/>`, false},
		{"DAV statuses matter", "application/xml", `<status xmlns="DAV:">200</status>`, `<status xmlns="DAV:">404</status>`, false},
		{"iCalendar properties matter", "text/calendar", "BEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT", "BEGIN:VEVENT\r\nEND:VEVENT", false},
		{"something is not nothing", "text/plain", "x", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a, err := bodyShape(test.contentType, test.a, false)
			if err != nil {
				t.Fatal(err)
			}
			b, err := bodyShape(test.contentType, test.b, false)
			if err != nil {
				t.Fatal(err)
			}
			if slices.Equal(a, b) != test.same {
				t.Errorf("shapes %q and %q", a, b)
			}
		})
	}
}
