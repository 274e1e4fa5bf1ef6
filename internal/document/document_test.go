package document

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func read(t *testing.T, data []byte, name string) *Document {
	t.Helper()
	doc, err := Read(t.Context(), data, Request{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestFormats(t *testing.T) {
	p := func(inner string) string { return `<w:p>` + inner + `</w:p>` }
	run := func(text string) string { return `<w:r><w:t>` + text + `</w:t></w:r>` }
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{
			"a.docx", sampleDOCX(t,
				p(`<w:pPr><w:pStyle w:val="Mine"/></w:pPr>`+run("Head"))+
					p(run("Some ")+`<w:hyperlink r:id="rId1">`+run("link")+`</w:hyperlink><w:del><w:r><w:delText>old</w:delText></w:r></w:del>`+run(" &amp; note")+`<w:r><w:footnoteReference w:id="2"/></w:r>`)+
					p(`<w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="5"/></w:numPr></w:pPr>`+run("bullet"))+
					p(`<w:pPr><w:numPr><w:ilvl w:val="1"/><w:numId w:val="5"/></w:numPr></w:pPr>`+run("number"))+
					`<w:tbl><w:tr><w:tc>`+p(run("A|B"))+`</w:tc><w:tc><w:tcPr><w:gridSpan w:val="2"/></w:tcPr>`+p(run("C"))+`</w:tc></w:tr>`+
					`<w:tr><w:tc>`+p(run("1"))+p(run("2"))+`</w:tc><w:tc>`+p("")+`</w:tc><w:tc>`+p(run("3"))+`</w:tc></w:tr></w:tbl>`),
			"# Head\n\nSome [link](https://example.org/a) & note[^1]\n\n- bullet\n   1. number\n\n| A\\|B | C |  |\n| --- | --- | --- |\n| 1<br>2 |  | 3 |\n\n[^1]: See there.",
		},
		{
			"a.xlsx", sampleXLSX(t, `<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c></row>`+
				`<row r="4"><c r="A4" s="1"><v>45351</v></c><c r="B4" s="2"><v>0.125</v></c><c r="C4"><v>0.30000000000000004</v></c><c r="D4" s="3"><v>60.5</v></c><c r="E4" t="b"><v>1</v></c><c r="F4"><f>A1+1</f></c></row>`),
			"<!-- sheet 1 of 2: Money -->\n| Name |  | Rich |  |  |  |\n| --- | --- | --- | --- | --- | --- |\n| 2024-02-29 | 12.5% | 0.3 | 1900-02-28 12:00 | TRUE | =A1+1 |\n\n" +
				"<!-- sheet 2 of 2: Old -->\n| gone |\n| --- |",
		},
		{
			"a.pptx", samplePPTX(t),
			"<!-- slide 1 of 2 -->\n## First\n\n- point\n  - under it\n\nNotes: say this\n\n<!-- slide 2 of 2 -->\n## Last\n\n| h1 |\n| --- |",
		},
		{
			"a.odt", sampleODF(t, "text", `<text:tracked-changes><text:p>gone</text:p></text:tracked-changes><text:h text:outline-level="2">Head</text:h><text:p>a<text:s text:c="2"/>b  c<text:line-break/>d <text:a xlink:href="https://example.org">x</text:a><text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>foot</text:p></text:note-body></text:note></text:p>`+
				`<text:list><text:list-item><text:p>one</text:p><text:list><text:list-item><text:p>two</text:p></text:list-item></text:list></text:list-item></text:list>`+
				`<table:table><table:table-row><table:table-cell><text:p>h</text:p></table:table-cell></table:table-row></table:table>`),
			"## Head\n\na  b c\nd [x](https://example.org)[^1]\n\n- one\n  - two\n\n| h |\n| --- |\n\n[^1]: foot",
		},
		{
			"a.ods", sampleODF(t, "spreadsheet", `<table:table table:name="S"><table:table-row><table:table-cell table:number-columns-repeated="2"><text:p>x</text:p></table:table-cell><table:table-cell office:value="5" office:value-type="float"/></table:table-row>`+
				`<table:table-row table:number-rows-repeated="1048575"><table:table-cell table:number-columns-repeated="16384"/></table:table-row></table:table>`),
			"<!-- sheet 1 of 1: S -->\n| x | x | 5 |\n| --- | --- | --- |",
		},
		{
			"a.odp", sampleODF(t, "presentation", `<draw:page><draw:frame presentation:class="title"><draw:text-box><text:p>T</text:p></draw:text-box></draw:frame><draw:frame><draw:text-box><text:list><text:list-item><text:p>i</text:p></text:list-item></text:list></draw:text-box></draw:frame><presentation:notes><draw:frame><draw:text-box><text:p>n</text:p></draw:text-box></draw:frame></presentation:notes></draw:page>`),
			"<!-- slide 1 of 1 -->\n## T\n\n- i\n\nNotes: n",
		},
		{
			"a.pdf", samplePDF("BT /F1 12 Tf 72 700 Td (Hello) Tj ( w\\366rld) Tj 0 -14 Td [(Sec) -20 (ond) -600 (line)] TJ 0 -60 Td (Apart) Tj ET", "BT /F1 12 Tf 72 700 Td (Two) Tj ET"),
			"<!-- page 1 of 2 -->\nHello wörld\nSecond line\n\nApart\n\n<!-- page 2 of 2 -->\nTwo",
		},
		{
			"a.html", []byte(`<html><head><title>T</title><style>x{}</style></head><body><h1>Head</h1><p>See <a href="https://example.org">there</a><script>alert(1)</script><span style="display: none">ignore me</span><span hidden>and me</span><!-- and me --></p><ul><li>a<li>b</ul><table><tr><th>x<td>y</table></body></html>`),
			"# Head\n\nSee [there](https://example.org)\n\n- a\n- b\n\n| x | y |\n|---|---|",
		},
		{
			"a.eml", []byte("From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\nTo: a@example.org\r\nSubject: =?iso-8859-1?q?Gr=FC=DFe?=\r\nDate: Thu, 29 Feb 2024 10:00:00 +0100\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nSch=F6n\r\n--c\r\nContent-Type: text/html\r\n\r\n<p>Rich</p>\r\n--c--\r\n--b\r\nContent-Type: application/pdf; name=\"a.pdf\"\r\nContent-Disposition: attachment; filename=\"a.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte("12345")) + "\r\n--b--\r\n"),
			"# Grüße\n\n- From: Jürgen <j@example.org>\n- To: a@example.org\n- Date: Thu, 29 Feb 2024 10:00:00 +0100\n\nSchön\n\nAttachments:\n\n- a.pdf (application/pdf, 5 bytes)",
		},
		{
			"a.rtf", []byte(`{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\*\generator x;}Gr\'fc\'dfe\par \u8364? \b bold\b0\tab x\par{\pict 0102}end}`),
			"Grüße\n\n€ bold\tx\n\nend",
		},
		{"a.csv", []byte("a;b\r\n\"x;y\";\"2\"\"3\"\r\n"), "| a | b |\n| --- | --- |\n| x;y | 2\"3 |"},
		{"a.txt", []byte("Gr\xfc\xdfe"), "Grüße"},
		{"b.txt", []byte("\xff\xfeG\x00r\x00\xfc\x00"), "Grü"},
		{"c.txt", []byte("G\x00r\x00u\x00e\x00n\x00"), "Gruen"},
		{"d.txt", []byte("\xef\xbb\xbfGrüße"), "Grüße"},
		{"e.txt", []byte("Grüße"), "Grüße"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, read(t, c.data, c.name).Markdown()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDetect looks at bytes before names.
func TestDetect(t *testing.T) {
	for _, c := range []struct {
		data       []byte
		name, kind string
		want       Format
	}{
		{samplePDF("BT ET"), "report.docx", "", PDF},
		{samplePPTX(t), "report", "application/octet-stream", PPTX},
		{sampleODF(t, "spreadsheet", ""), "x.zip", "application/zip", ODS},
		{zipped(t, "a.txt", "x"), "x.zip", "application/zip", ""},
		{[]byte("<!DOCTYPE html><p>x"), "page", "", HTML},
		{[]byte("<!DOCTYPE html><p>x"), "page.txt", "text/plain", Text},
		{[]byte("x,y"), "page", "text/csv; charset=utf-8", CSV},
		{[]byte("\x00\x01\x02\x03"), "x.html", "", ""},
		{[]byte("\x89PNG\r\n\x1a\n"), "x.txt", "", Image},
		{[]byte(cfbMagic + strings.Repeat("\x00", 600)), "x.docx", "", ""},
	} {
		if got := detect(c.data, c.name, c.kind); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.name, c.kind, got, c.want)
		}
	}
}

// TestBadFiles has a clear error for each way in which a file is bad.
func TestBadFiles(t *testing.T) {
	docx := sampleDOCX(t, `<w:p><w:r><w:t>x</w:t></w:r></w:p>`)
	locked := append([]byte(nil), docx...)
	for i := 0; i+4 < len(locked); i++ {
		switch string(locked[i : i+4]) {
		case "PK\x03\x04":
			locked[i+6] |= 1
		case "PK\x01\x02":
			locked[i+8] |= 1
		}
	}
	flipped := append([]byte(nil), docx...)
	flipped[60] ^= 0xff
	bomb := zipped(t, "mimetype", "application/vnd.oasis.opendocument.text", "content.xml", "<a>"+strings.Repeat(" ", 64<<20)+"</a>")
	for _, c := range []struct {
		what, name string
		data       []byte
		kind       error
		says       string
	}{
		{"zip with a password", "a.docx", locked, ErrEncrypted, "password"},
		{"Office with a password", "a.docx", []byte(cfbMagic + strings.Repeat("\x00", 600) + string(utf16le("EncryptedPackage"))), ErrEncrypted, "password"},
		{"OpenDocument with a password", "a.odt", zipped(t, "mimetype", "application/vnd.oasis.opendocument.text", "META-INF/manifest.xml", `<m:manifest xmlns:m="x"><m:encryption-data/></m:manifest>`, "content.xml", "\x01\x02"), ErrEncrypted, "password"},
		{"whole OpenDocument with a password", "a.odt", zipped(t, "mimetype", "application/vnd.oasis.opendocument.text", "encrypted-package", "\x01\x02"), ErrEncrypted, "password"},
		{"Word 97", "a.doc", []byte(cfbMagic + strings.Repeat("\x00", 600)), ErrUnsupported, "before 2007"},
		{"cut package", "a.docx", docx[:len(docx)/2], ErrDamaged, "end is missing"},
		{"cut XML", "a.docx", zipped(t, "word/document.xml", `<w:document `+docNS+`><w:body><w:p>`), ErrDamaged, "ends too early"},
		{"flipped bits", "a.docx", flipped, ErrDamaged, "damaged"},
		{"no main part", "a.docx", zipped(t, "word/styles.xml", `<a/>`), ErrDamaged, "word/document.xml is missing"},
		{"zip bomb", "a.odt", bomb, ErrTooLarge, "zip bomb"},
		{"XML nested deeply", "a.odt", sampleODF(t, "text", strings.Repeat("<text:p>", 1000)+strings.Repeat("</text:p>", 1000)), ErrTooLarge, "nested"},
		{"XML bomb of entities", "a.odt", zipped(t, "mimetype", "application/vnd.oasis.opendocument.text", "content.xml",
			`<!DOCTYPE x [<!ENTITY a "`+strings.Repeat("x", 100)+`"><!ENTITY b "&a;&a;&a;&a;">]><office:document-content `+odfNS+`><office:body><office:text><text:p>&b;</text:p></office:text></office:body></office:document-content>`), ErrDamaged, "damaged"},
		{"HTML nested deeply", "a.html", []byte(strings.Repeat("<div>", 100_000)), nil, "nested"},
		{"cut PDF", "a.pdf", samplePDF("BT ET")[:40], ErrDamaged, "pdf"},
		{"no PDF", "a.pdf", []byte("hello"), ErrDamaged, "pdf"},
		{"program", "a.bin", []byte("\x7fELF\x00\x00\x00"), ErrUnsupported, "program"},
		{"picture", "a.png", []byte("\x89PNG\r\n\x1a\n\x00\x00"), ErrUnsupported, "OCR"},
		{"old workbook format", "a.xlsb", zipped(t, "xl/workbook.bin", "x"), ErrUnsupported, "xlsb"},
		{"no message", "a.eml", []byte("no headers here"), ErrDamaged, "mail"},
	} {
		t.Run(c.what, func(t *testing.T) {
			doc, err := Read(t.Context(), c.data, Request{Name: c.name})
			e, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("got %v, %v", doc, err)
			}
			if c.kind != nil && !errors.Is(err, c.kind) || !strings.Contains(e.Message, c.says) {
				t.Errorf("%v: %q, want %v with %q (%v)", e.Kind, e.Message, c.kind, c.says, e.Err)
			}
		})
	}
}

// TestBounds stops at the limits with what was read so far, and says so.
func TestBounds(t *testing.T) {
	rows := strings.Repeat(`<row>`+strings.Repeat(`<c><v>1</v></c>`, 250)+`</row>`, 2100)
	doc := read(t, sampleXLSX(t, rows), "a.xlsx")
	if len(doc.Notes) == 0 || !strings.Contains(strings.Join(doc.Notes, " "), "cells are shown") {
		t.Errorf("notes: %q", doc.Notes)
	}
	repeated := sampleODF(t, "spreadsheet", `<table:table><table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated="16384"><text:p>boom</text:p></table:table-cell></table:table-row></table:table>`)
	doc = read(t, repeated, "a.ods")
	if len(doc.Notes) == 0 || len(doc.Markdown()) > 16<<20 {
		t.Errorf("notes %q, %d bytes", doc.Notes, len(doc.Markdown()))
	}
	long := strings.Repeat("word ", DefaultLimits.Text/5+10)
	doc = read(t, []byte(long), "a.txt")
	if len(doc.Notes) == 0 || len(doc.Markdown()) > DefaultLimits.Text {
		t.Errorf("notes %q, %d bytes", doc.Notes, len(doc.Markdown()))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Read(ctx, sampleXLSX(t, rows), Request{Name: "a.xlsx"}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled reading: %v", err)
	}
}

func TestRange(t *testing.T) {
	data := samplePDF("BT /F1 9 Tf (one) Tj ET", "BT /F1 9 Tf (two) Tj ET", "BT /F1 9 Tf (three) Tj ET")
	doc, err := Read(t.Context(), data, Request{Name: "a.pdf", First: 2, Last: 2})
	if err != nil || doc.Total != 3 || len(doc.Parts) != 1 || doc.Parts[0].Text != "two" {
		t.Errorf("%+v, %v", doc, err)
	}
	if _, err := Read(t.Context(), data, Request{Name: "a.pdf", First: 4}); !errors.Is(err, ErrRange) || !strings.Contains(err.Error(), "has 3") {
		t.Errorf("page 4 of 3: %v", err)
	}
	if _, err := Read(t.Context(), sampleXLSX(t, ""), Request{Name: "a.xlsx", First: 3}); !errors.Is(err, ErrRange) {
		t.Errorf("sheet 3 of 2: %v", err)
	}
}
