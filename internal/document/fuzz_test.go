package document

import (
	"context"
	"errors"
	"testing"
	"time"
	"unicode/utf8"
)

// fuzz reads whatever comes as one format: it must end, within its limits, in
// a text or an *Error.
func fuzz(f *testing.F, name string, seeds ...[]byte) {
	f.Helper()
	for _, s := range seeds {
		f.Add(s)
		f.Add(s[:len(s)/2])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		doc, err := Read(ctx, data, Request{Name: name})
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Fatalf("not an *Error: %v", err)
			}
			if errors.Is(err, ErrTimeout) {
				t.Fatal(err)
			}
			return
		}
		if md := doc.Markdown(); !utf8.ValidString(md) {
			t.Fatalf("not UTF-8: %q", md)
		}
	})
}

func FuzzDOCX(f *testing.F) {
	fuzz(f, "a.docx", sampleDOCX(f, `<w:p><w:r><w:t>x</w:t></w:r></w:p><w:tbl><w:tr><w:tc/></w:tr></w:tbl>`))
}

func FuzzXLSX(f *testing.F) {
	fuzz(f, "a.xlsx", sampleXLSX(f, `<row r="1"><c r="A1" s="1"><v>1</v></c></row>`))
}
func FuzzPPTX(f *testing.F) { fuzz(f, "a.pptx", samplePPTX(f)) }
func FuzzODT(f *testing.F)  { fuzz(f, "a.odt", sampleODF(f, "text", `<text:p>x</text:p>`)) }
func FuzzODS(f *testing.F) {
	fuzz(f, "a.ods", sampleODF(f, "spreadsheet", `<table:table><table:table-row table:number-rows-repeated="9"><table:table-cell><text:p>x</text:p></table:table-cell></table:table-row></table:table>`))
}

func FuzzPDF(f *testing.F) {
	fuzz(f, "a.pdf", samplePDF("BT /F1 9 Tf 72 700 Td (x) Tj [(a) -200 <62>] TJ ET q BI /W 1 ID x EI Q"))
}

func FuzzHTML(f *testing.F) {
	fuzz(f, "a.html", []byte(`<h1>x</h1><table><tr><td style="display:none">y<td><ul><li>z`))
}

func FuzzEML(f *testing.F) {
	fuzz(f, "a.eml", []byte("Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: y\r\n\r\nz\r\n--b--\r\n"))
}

func FuzzRTF(f *testing.F)  { fuzz(f, "a.rtf", []byte(`{\rtf1\ansi\u8364?\'fc{\*\x y}\bin3 abc\par}`)) }
func FuzzCSV(f *testing.F)  { fuzz(f, "a.csv", []byte("a;b\n\"c;\n\";d\n")) }
func FuzzText(f *testing.F) { fuzz(f, "a.txt", []byte("Gr\xfc\xdfe"), []byte("\xff\xfex\x00")) }

// FuzzContent runs operators of a page.
func FuzzContent(f *testing.F) {
	f.Add([]byte("BT /F1 9 Tf 1 0 0 1 72 700 Tm (x) Tj T* [(a)-200(b)] TJ (c) ' 1 2 (d) \" ET /X Do <</A[1 2]>> BDC"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if _, err := Read(t.Context(), samplePDF(string(content)), Request{Name: "a.pdf"}); err != nil {
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Fatal(err)
			}
		}
	})
}

// FuzzCMap reads what fonts say of their letters.
func FuzzCMap(f *testing.F) {
	f.Add([]byte("1 begincodespacerange <00> <ffff> endcodespacerange 1 beginbfrange <01> <05> <0041> endbfrange 1 beginbfchar <06> <d83dde00> endbfchar"), []byte{1, 2, 6})
	f.Fuzz(func(t *testing.T, data, text []byte) {
		file := &pdfFile{w: &work{ctx: t.Context(), limits: DefaultLimits}}
		font := &pdfFont{composite: true, toUnicode: file.readCMap(data), codes: file.readCMap(data), widths: map[int]float64{}}
		if font.toUnicode == nil {
			return
		}
		font.decode(text)
	})
}
