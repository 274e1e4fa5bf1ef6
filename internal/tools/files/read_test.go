package files

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/tool/tooltest"
)

func sorted(list []string) string {
	slices.Sort(list)
	return strings.Join(list, " ")
}

func TestReadKinds(t *testing.T) {
	_, s := open(t, nil)
	var r Read
	s.Read(t, "nc_webdav_read_file", `{"path":"/Docs/a.txt"}`, &r)
	if r.Text != "one\ntwo\nthree\n" || r.Encoding != "utf-8" || r.Type != "text/plain" || r.Size != 14 || r.ETag == "" || r.Truncated {
		t.Errorf("%+v", r)
	}
	res, _ := s.Call(t, "nc_webdav_read_file", `{"path":"/Docs/pic.png"}`)
	if img, ok := res.Content[1].(*mcp.ImageContent); !ok || img.MIMEType != "image/png" || string(img.Data) != string(pictureOf(t, 2, 1)) {
		t.Errorf("%+v", res.Content)
	}
	res, _ = s.Call(t, "nc_webdav_read_file", `{"path":"/Docs/data.bin"}`)
	if l, ok := res.Content[1].(*mcp.ResourceLink); !ok || l.URI != "nextcloud://files/Docs/data.bin" || *l.Size != 7 {
		t.Errorf("%+v", res.Content)
	}
	res, _ = s.Call(t, "nc_webdav_read_file", `{"path":"/Docs/data.bin","parse_document":"raw"}`)
	if e, ok := res.Content[1].(*mcp.EmbeddedResource); !ok || string(e.Resource.Blob) != "\x00\x01\x02\x03\xff\xfe\xfd" {
		t.Errorf("%+v", res.Content)
	}
	for args, want := range map[string]string{
		`{"path":"/Docs"}`:                                   "it is a folder",
		`{"path":"/nope.txt"}`:                               "not found",
		`{"path":"/Docs/a.txt","offset":15}`:                 "beyond the end",
		`{"path":"/Docs/a.txt","start_line":5}`:              "the file has 3 lines",
		`{"path":"/Docs/a.txt","start_line":3,"end_line":2}`: "end_line cannot be before",
		`{"path":"/Docs/a.txt","offset":1,"start_line":2}`:   "either offset or lines",
		`{"path":"/Docs/data.bin","start_line":1}`:           "is not a text",
		`{"path":"/Docs/a.txt","max_bytes":2000000}`:         "max_bytes has to be",
	} {
		if got := s.Refused(t, "nc_webdav_read_file", args); !strings.Contains(got, want) {
			t.Errorf("%s: %s", args, got)
		}
	}
}

// TestReadParts reads texts in several charsets part by part, to the last
// character, and line by line.
func TestReadParts(t *testing.T) {
	var b strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&b, "Zeile %d: grüße, café\n", i+1)
	}
	text := b.String()
	utf16 := func(order string) string {
		var out strings.Builder
		for _, r := range text {
			if order == "le" {
				out.Write([]byte{byte(r), byte(r >> 8)})
			} else {
				out.Write([]byte{byte(r >> 8), byte(r)})
			}
		}
		return out.String()
	}
	latin := func() string {
		var out strings.Builder
		for _, r := range text {
			out.WriteByte(byte(r))
		}
		return out.String()
	}
	sim := nextcloudtest.New(nil)
	s := tooltest.Connect(t, sim, nil, Tools.Set())
	for name, c := range map[string]struct{ content, encoding string }{
		"utf8": {text, "utf-8"}, "bom": {"\xEF\xBB\xBF" + text, "utf-8 with BOM"}, "latin": {latin(), "windows-1252"},
		"le": {"\xFF\xFE" + utf16("le"), "utf-16le"}, "be": {"\xFE\xFF" + utf16("be"), "utf-16be"}, "bare": {utf16("le"), "utf-16le"},
	} {
		sim.AddFile("alice", name+".txt", []byte(c.content))
		var parts strings.Builder
		offset, calls := int64(0), 0
		for {
			var r Read
			s.Read(t, "nc_webdav_read_file", fmt.Sprintf(`{"path":"/%s.txt","offset":%d,"max_bytes":4999}`, name, offset), &r)
			if calls == 0 && r.Encoding != c.encoding {
				t.Errorf("%s is %s", name, r.Encoding)
			}
			parts.WriteString(r.Text)
			calls++
			if !r.Truncated {
				break
			}
			offset = r.NextOffset
		}
		if parts.String() != text || calls < 10 {
			t.Errorf("%s: the parts are not the whole (%d calls)", name, calls)
		}
		var r Read
		s.Read(t, "nc_webdav_read_file", fmt.Sprintf(`{"path":"/%s.txt","start_line":2999,"end_line":3050}`, name), &r)
		if r.Text != "Zeile 2999: grüße, café\nZeile 3000: grüße, café\n" || r.TotalLines != 3000 || r.EndLine != 3000 || r.Truncated {
			t.Errorf("%s: %+v", name, r)
		}
		s.Read(t, "nc_webdav_read_file", fmt.Sprintf(`{"path":"/%s.txt","start_line":1,"max_bytes":60}`, name), &r)
		if r.EndLine != 2 || !r.Truncated {
			t.Errorf("%s: %+v", name, r)
		}
	}
	sim.AddFile("alice", "empty.txt", nil)
	var r Read
	s.Read(t, "nc_webdav_read_file", `{"path":"/empty.txt"}`, &r)
	if r.Text != "" || r.Size != 0 || r.Truncated {
		t.Errorf("%+v", r)
	}
	sim.AddFile("alice", "one.txt", []byte(strings.Repeat("x", 100_000)))
	if got := s.Refused(t, "nc_webdav_read_file", `{"path":"/one.txt","start_line":1}`); !strings.Contains(got, "longer than max_bytes") {
		t.Error(got)
	}
}

func TestResource(t *testing.T) {
	sim, s := open(t, nil)
	sim.AddFile("alice", "Grüße & 100%/ä b.txt", []byte("inhalt"))
	for _, c := range []struct{ uri, text string }{
		{"nextcloud://files/Docs/a.txt", "one\ntwo\nthree\n"},
		{uri("/Grüße & 100%/ä b.txt"), "inhalt"},
	} {
		res, err := s.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: c.uri})
		if err != nil {
			t.Errorf("%s: %v", c.uri, err)
			continue
		}
		if got := res.Contents[0]; got.Text != c.text || got.MIMEType != "text/plain" {
			t.Errorf("%s: %+v", c.uri, got)
		}
	}
	res, err := s.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "nextcloud://files/Docs/data.bin"})
	if err != nil || len(res.Contents[0].Blob) != 7 {
		t.Errorf("%+v, %v", res, err)
	}
	for _, uri := range []string{"nextcloud://files/nope", "nextcloud://files/..%2f..%2fx", "nextcloud://files/../x", "nextcloud://files/Docs", "nextcloud://files/a%00b"} {
		if res, err := s.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: uri}); err == nil {
			t.Errorf("%s: %+v", uri, res.Contents[0])
		}
	}
}

func TestCompletion(t *testing.T) {
	_, s := open(t, nil)
	complete := func(s *tooltest.Session, typed string) string {
		t.Helper()
		res, err := s.Complete(t.Context(), &mcp.CompleteParams{
			Ref:      &mcp.CompleteReference{Type: "ref/resource", URI: "nextcloud://files/{+path}"},
			Argument: mcp.CompleteParamsArgument{Name: "path", Value: typed},
		})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(res.Completion.Values, " ")
	}
	for typed, want := range map[string]string{
		"d": "Docs/", "Docs/": "Docs/Sub/ Docs/a.txt Docs/b.md Docs/data.bin Docs/pic.png", "Docs/A": "Docs/a.txt", "/Docs/s": "/Docs/Sub/",
		"nope/x": "", "../x": "", "Docs/a.txt/": "",
	} {
		if got := complete(s, typed); got != want {
			t.Errorf("%q: %s, want %s", typed, got, want)
		}
	}
}
