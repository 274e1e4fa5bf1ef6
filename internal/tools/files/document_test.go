package files

import (
	"archive/zip"
	"bytes"
	"fmt"
	pixels "image"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/tool/tooltest"
)

func zipOf(t *testing.T, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// workbook has the sheets One and Two with a cell each.
func workbook(t *testing.T) []byte {
	t.Helper()
	sheet := func(text string) string {
		return `<worksheet><sheetData><row><c t="inlineStr"><is><t>` + text + `</t></is></c></row></sheetData></worksheet>`
	}
	return zipOf(t,
		"xl/workbook.xml", `<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="One" r:id="a"/><sheet name="Two" r:id="b"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="a" Type="x/worksheet" Target="worksheets/1.xml"/><Relationship Id="b" Type="x/worksheet" Target="worksheets/2.xml"/></Relationships>`,
		"xl/worksheets/1.xml", sheet("first"), "xl/worksheets/2.xml", sheet("second"))
}

func pictureOf(tb testing.TB, w, h int) []byte {
	tb.Helper()
	img := pixels.NewNRGBA(pixels.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	img.SetNRGBA(0, 0, color.NRGBA{A: 255})
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func documentsOf(t *testing.T, p policy.Policy) (*nextcloudtest.Server, *tooltest.Session) {
	t.Helper()
	sim := nextcloudtest.New(nil)
	sim.AddFile("alice", "docs/Letter.rtf", []byte(`{\rtf1\ansi Gr\'fc\'dfe\par second line}`))
	sim.AddFile("alice", "docs/Book.xlsx", workbook(t))
	sim.AddFile("alice", "docs/nameless", workbook(t))
	sim.AddFile("alice", "docs/List.csv", []byte("a,b\n1,2\n"))
	sim.AddFile("alice", "docs/Cut.docx", workbook(t)[:100])
	sim.AddFile("alice", "docs/small.png", pictureOf(t, 20, 10))
	sim.AddFile("alice", "docs/large.png", pictureOf(t, 4000, 2000))
	sim.AddFile("alice", "docs/all.zip", zipOf(t, "a.txt", "hello wörld", "../../evil.sh", "rm", "b.xlsx", string(workbook(t)), "p.png", string(pictureOf(t, 3000, 30)), "raw.bin", "\x00\x01\x02"))
	sim.AddLargeFile("alice", "docs/huge.pdf", 100<<20)
	return sim, tooltest.Connect(t, sim, &tooltest.Options{Policy: p}, Tools.Set())
}

func TestReadDocument(t *testing.T) {
	_, s := documentsOf(t, policy.Policy{})
	for _, c := range []struct{ args, content, format string }{
		{`{"path":"/docs/Letter.rtf"}`, "Grüße\n\nsecond line", "rtf"},
		{`{"path":"/docs/Book.xlsx"}`, "<!-- sheet 1 of 2: One -->\n| first |\n| --- |\n\n<!-- sheet 2 of 2: Two -->\n| second |\n| --- |", "xlsx"},
		{`{"path":"/docs/Book.xlsx","pages":"2"}`, "<!-- sheet 2 of 2: Two -->\n| second |\n| --- |", "xlsx"},
		{`{"path":"/docs/nameless"}`, "<!-- sheet 1 of 2: One -->\n| first |\n| --- |\n\n<!-- sheet 2 of 2: Two -->\n| second |\n| --- |", "xlsx"},
		{`{"path":"/docs/List.csv"}`, "a,b\n1,2\n", ""},
		{`{"path":"/docs/List.csv","parse_document":"markdown"}`, "| a | b |\n| --- | --- |\n| 1 | 2 |", "csv"},
	} {
		var got Read
		s.Requests()
		s.Read(t, "nc_webdav_read_file", c.args, &got)
		if got.Text != c.content || got.Format != c.format || got.Parsed != (c.format != "") || got.ETag == "" {
			t.Errorf("%s: %+v", c.args, got)
		}
		if n := s.Requests(); n != 1 {
			t.Errorf("%s: %d requests", c.args, n)
		}
	}
	// Parts of a text put together are the text.
	var whole strings.Builder
	for offset := int64(0); ; {
		var got Read
		s.Read(t, "nc_webdav_read_file", fmt.Sprintf(`{"path":"/docs/Letter.rtf","max_bytes":4,"offset":%d}`, offset), &got)
		whole.WriteString(got.Text)
		if got.Truncated != (got.NextOffset > 0) {
			t.Fatalf("%+v", got)
		}
		if offset = got.NextOffset; offset == 0 {
			break
		}
	}
	if whole.String() != "Grüße\n\nsecond line" {
		t.Errorf("in parts: %q", whole.String())
	}
	for args, want := range map[string]string{
		`{"path":"/docs/Cut.docx"}`:                     "damaged",
		`{"path":"/docs/huge.pdf"}`:                     "100 MiB",
		`{"path":"/docs/Book.xlsx","pages":"3"}`:        "has 2",
		`{"path":"/docs/Book.xlsx","pages":"2-1"}`:      "ends before",
		`{"path":"/docs/Book.xlsx","pages":"x"}`:        "range such as",
		`{"path":"/docs/Book.xlsx","offset":100000}`:    "beyond the end",
		`{"path":"/docs/small.png","ocr":true}`:         "tesseract",
		`{"path":"/docs/nothing.pdf"}`:                  "not found",
		`{"path":"/docs/../../x.pdf"}`:                  "path",
		`{"path":"/docs/Letter.rtf","max_bytes":1e+09}`: "max_bytes",
	} {
		if got := s.Refused(t, "nc_webdav_read_file", args); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", args, got, want)
		}
	}
}

func TestReadImage(t *testing.T) {
	_, s := documentsOf(t, policy.Policy{})
	for name, want := range map[string]pixels.Point{"small": {20, 10}, "large": {1568, 784}} {
		res, _ := s.Call(t, "nc_webdav_read_file", `{"path":"/docs/`+name+`.png"}`)
		checkImage(t, res, want)
	}
}

func checkImage(t *testing.T, res *mcp.CallToolResult, want pixels.Point) {
	t.Helper()
	for _, c := range res.Content {
		if img, ok := c.(*mcp.ImageContent); ok {
			config, _, err := pixels.DecodeConfig(bytes.NewReader(img.Data))
			if err != nil || config.Width != want.X || config.Height != want.Y {
				t.Errorf("%dx%d, %v, want %v", config.Width, config.Height, err, want)
			}
			return
		}
	}
	t.Errorf("no image: %+v", res.Content)
}

func TestArchive(t *testing.T) {
	sim, s := documentsOf(t, policy.Policy{})
	var a Archive
	s.Requests()
	s.Read(t, "nc_webdav_list_archive", `{"path":"/docs/all.zip","limit":2}`, &a)
	if n := s.Requests(); n != 1 {
		t.Errorf("%d requests", n)
	}
	if a.Format != "zip" || len(a.Items) != 2 || a.Items[0].Name != "a.txt" || a.Items[0].Unsafe || !a.Items[1].Unsafe || a.NextCursor != "2" {
		t.Errorf("%+v", a)
	}
	a = Archive{}
	s.Read(t, "nc_webdav_list_archive", `{"path":"/docs/all.zip","cursor":"2"}`, &a)
	if len(a.Items) != 3 || a.NextCursor != "" {
		t.Errorf("%+v", a)
	}
	for member, want := range map[string]string{
		"a.txt": "hello wörld", "../../evil.sh": "rm",
		"b.xlsx": "<!-- sheet 1 of 2: One -->\n| first |\n| --- |\n\n<!-- sheet 2 of 2: Two -->\n| second |\n| --- |",
	} {
		var got Read
		s.Read(t, "nc_webdav_extract_archive_member", fmt.Sprintf(`{"path":"/docs/all.zip","member":%q}`, member), &got)
		if got.Text != want || got.Path != "/docs/all.zip" {
			t.Errorf("%s: %+v", member, got)
		}
	}
	res, _ := s.Call(t, "nc_webdav_extract_archive_member", `{"path":"/docs/all.zip","member":"p.png"}`)
	checkImage(t, res, pixels.Point{1568, 15})
	res, _ = s.Call(t, "nc_webdav_extract_archive_member", `{"path":"/docs/all.zip","member":"raw.bin"}`)
	if r, ok := res.Content[len(res.Content)-1].(*mcp.EmbeddedResource); !ok || string(r.Resource.Blob) != "\x00\x01\x02" {
		t.Errorf("%+v", res.Content)
	}
	if got := s.Refused(t, "nc_webdav_extract_archive_member", `{"path":"/docs/all.zip","member":"evil.sh"}`); !strings.Contains(got, "no such member") {
		t.Error(got)
	}
	if got := s.Refused(t, "nc_webdav_list_archive", `{"path":"/docs/List.csv"}`); !strings.Contains(got, "not a zip or tar") {
		t.Error(got)
	}
	if content, ok := sim.FileContent("alice", "/evil.sh"); ok {
		t.Errorf("a member became a file: %q", content)
	}
}

// TestDocumentFolders keeps a connection to its folders.
func TestDocumentFolders(t *testing.T) {
	_, s := documentsOf(t, policy.Policy{Folders: []string{"/other"}})
	for name, args := range map[string]string{
		"nc_webdav_read_file": `{"path":"/docs/Letter.rtf"}`, "nc_webdav_list_archive": `{"path":"/docs/all.zip"}`,
		"nc_webdav_extract_archive_member": `{"path":"/other/../docs/all.zip","member":"a.txt"}`,
	} {
		s.Requests()
		s.Refused(t, name, args)
		if n := s.Requests(); n != 0 {
			t.Errorf("%s: %d requests", name, n)
		}
	}
}
