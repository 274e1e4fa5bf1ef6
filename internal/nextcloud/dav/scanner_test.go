package dav

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

// scanned is a document as a scanner reads it, in a form that can be compared.
func scanned(r io.Reader) (string, error) {
	s := newScanner(r)
	var (
		b    strings.Builder
		text strings.Builder
	)
	for {
		t, err := s.next()
		if err == nil && t.kind == textIn {
			text.Write(t.text)
			continue
		}
		fmt.Fprintf(&b, "%q\n", text.String())
		text.Reset()
		switch {
		case errors.Is(err, io.EOF) && len(s.stack) > 0:
			return b.String(), io.ErrUnexpectedEOF
		case errors.Is(err, io.EOF):
			return b.String(), nil
		case err != nil:
			return b.String(), err
		case t.kind == startOf:
			fmt.Fprintf(&b, "<%q %q\n", t.name, t.attrs)
		default:
			fmt.Fprintf(&b, ">%q\n", t.name)
		}
	}
}

// decoded is the same by encoding/xml.
func decoded(r io.Reader) (string, error) {
	d := xml.NewDecoder(r)
	var (
		b    strings.Builder
		text strings.Builder
	)
	flush := func() {
		fmt.Fprintf(&b, "%q\n", text.String())
		text.Reset()
	}
	for {
		t, err := d.Token()
		switch t := t.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.StartElement:
			flush()
			fmt.Fprintf(&b, "<%q %q\n", t.Name, t.Attr)
		case xml.EndElement:
			flush()
			fmt.Fprintf(&b, ">%q\n", t.Name)
		}
		if errors.Is(err, io.EOF) {
			flush()
			return b.String(), nil
		}
		if err != nil {
			return b.String(), err
		}
	}
}

var documents = []string{
	`<a/>`, `<a></a>`, `<a b="c" d='e>f"'/>`, "<a\n\tb = \"c\"\n>x</a >", `<a>x<b/>y<!-- z > --><c>d</c>e</a>`,
	`<a xmlns="DAV:" xmlns:b="urn:b"><b:c b:d="e" f="g"/><c xmlns="urn:c"><b:x xmlns:b="urn:x"/></c><b:y/><z/></a>`,
	`<a>&lt;&gt;&amp;&quot;&apos;&#13;&#x41;&#228;&#x1F600;</a>`, "<a>1\r\n2\r3\n4&#13;\n5</a>", `<a b="1&#10;2&amp;"/>`,
	`<a><![CDATA[x < y && z ]] ]>&amp;]]>tail</a>`, "<a><![CDATA[]]><![CDATA[1\r\n2]]></a>", `<?xml version="1.0" encoding="UTF-8"?><a/>`,
	`<?xml version="1.0"?><?php echo 1 ?><!-- c --><a xml:lang="de"/>`, `<u:a/>`, `<a b:c="d"/>`, "<a>Köln 😀</a>",
	`<?xml encoding=?><a/>`,
	// What is no XML.
	``, `<a>`, `<a></b>`, `</a>`, `<a b></a>`, `<a b=c/>`, `<a>&x;</a>`, `<a>&amp</a>`, `<a>&#0;</a>`, "<a>\x01</a>", "<a>\uFFFF</a>",
	`<a b="c/>`, `<a`, `<`, `<a><![CDATA[x</a>`, `<a><!-- x</a>`, `<?xml version="1.0" encoding="ISO-8859-1"?><a/>`, `<?xml version="1.0" encoding='latin1'?><a/>`, `<a><b</a>`, `< a/>`, `<a>&#xFFFFFFFF;</a>`, `<a>&#x110000;</a>`,
	`<a></a`, `<a =""/>`, `<a><//a>`,
}

// TestScanner: it reads what encoding/xml reads, and refuses what that refuses.
func TestScanner(t *testing.T) {
	all := documents
	files, err := filepath.Glob("testdata/*.xml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(b))
	}
	long := strings.Repeat("0123456789 äöü & < \r\n", 20_000)
	var escaped strings.Builder
	_ = xml.EscapeText(&escaped, []byte(long))
	all = append(all, "<a>"+escaped.String()+"</a>", "<a><![CDATA["+long+"]]></a>", "<a><!--"+strings.Repeat("x", 200_000)+"--><b/></a>",
		"<a>"+strings.Repeat("\r\n", 100_000)+"</a>", "<a>"+strings.Repeat("x\r\n", 100_000)+"</a>", "<a><![CDATA["+strings.Repeat("x\r\n]]", 100_000)+"]]></a>")
	var names strings.Builder // with namespaces declared again and again
	for i := range 3000 {
		fmt.Fprintf(&names, `<x:n%d xmlns:x="urn:%d" x:a="b"><x:n%d/></x:n%d><n%d/>`, i, i%7, i, i, i%300)
	}
	all = append(all, `<a xmlns="DAV:">`+names.String()+"</a>")
	for _, doc := range all {
		want, wantErr := decoded(strings.NewReader(doc))
		for name, r := range map[string]io.Reader{
			"whole": strings.NewReader(doc), "bytes": iotest.OneByteReader(strings.NewReader(doc)), "end": iotest.DataErrReader(strings.NewReader(doc)),
		} {
			got, err := scanned(r)
			if (err == nil) != (wantErr == nil) {
				t.Errorf("%s: %.60q: %v, want %v", name, doc, err, wantErr)
			} else if err == nil && got != want {
				t.Errorf("%s: %.60q is\n%.500s\nwant\n%.500s", name, doc, got, want)
			}
		}
	}
	for doc, want := range map[string]error{
		`<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>`:      errDoctype,
		`<a b="` + strings.Repeat("x", 100_000) + `"/>`: errTag,
		`<` + strings.Repeat("x", 100_000):              errTag,
	} {
		if _, err := scanned(strings.NewReader(doc)); !errors.Is(err, want) {
			t.Errorf("%.30s: %v", doc, err)
		}
	}
	lost := errors.New("lost")
	for _, doc := range []string{"<a>text", "<a", "<a><![CDATA[x", "<a><!--", "<a b='"} {
		if _, err := scanned(io.MultiReader(strings.NewReader(doc), iotest.ErrReader(lost))); !errors.Is(err, lost) {
			t.Errorf("%s: %v", doc, err)
		}
	}
}

func FuzzScanner(f *testing.F) {
	for _, d := range documents {
		f.Add(d)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		whole, err := scanned(strings.NewReader(doc))
		parts, perr := scanned(iotest.OneByteReader(strings.NewReader(doc)))
		if whole != parts || (err == nil) != (perr == nil) {
			t.Fatalf("%q, %v\nin parts %q, %v", whole, err, parts, perr)
		}
		// Encodings apart, a document type is refused, and so are references
		// longer than any character needs.
		if errors.Is(err, errDoctype) || strings.Contains(doc, "0000000") || strings.Contains(doc, "encoding") {
			return
		}
		want, wantErr := decoded(strings.NewReader(doc))
		if wantErr == nil && (err != nil || whole != want) {
			t.Fatalf("%q, %v\nwant %q", whole, err, want)
		}
	})
}
