package document

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"
)

// pack is a document that is a zip archive of parts: Office Open XML
// (ECMA-376 part 2) and OpenDocument.
type pack struct {
	w     *work
	files map[string]*zip.File
}

func openPack(w *work, data []byte) (*pack, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	if len(z.File) > w.limits.Entries {
		return nil, tooLarge("the document holds more than %d parts", w.limits.Entries)
	}
	p := &pack{w: w, files: make(map[string]*zip.File, len(z.File))}
	for _, f := range z.File {
		if f.Flags&1 != 0 { // APPNOTE 4.4.4, bit 0
			return nil, encrypted()
		}
		// Only names that are looked for are ever opened, so a name that leads
		// elsewhere is just one that nobody asks for.
		p.files[strings.TrimPrefix(f.Name, "/")] = f
	}
	return p, nil
}

// part opens a part for reading; fs.ErrNotExist when it is not there.
func (p *pack) part(name string) (*xmlReader, io.Closer, error) {
	f, ok := p.files[name]
	if !ok {
		return nil, nil, fs.ErrNotExist
	}
	r, err := f.Open()
	if err != nil {
		if errors.Is(err, zip.ErrAlgorithm) {
			return nil, nil, damaged("the document is packed in a way that cannot be read")
		}
		return nil, nil, err
	}
	return newXML(p.w, p.w.unpack(r, int64(min(f.CompressedSize64, 1<<62)))), r, nil
}

// walk calls start for every element of a part. It does nothing when the part
// is not there.
func (p *pack) walk(name string, start func(*xmlReader, xml.StartElement) error) error {
	x, closer, err := p.part(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer closer.Close()
	return x.each(func(e xml.StartElement) error { return start(x, e) }, nil)
}

// need is a part that the document cannot be without.
func (p *pack) need(name string, start func(*xmlReader, xml.StartElement) error) error {
	if _, ok := p.files[name]; !ok {
		return damaged("the %s file is damaged: its part %s is missing", p.w.doc.Format, name)
	}
	return p.walk(name, start)
}

// relation is where a part of Office Open XML refers to.
type relation struct {
	kind   string // the last segment of its type
	target string // a part of the package, or an address
}

// relations are those of a part, by their ids (ECMA-376 part 2, 9.3).
func (p *pack) relations(name string) (map[string]relation, error) {
	dir, file := path.Split(name)
	out := map[string]relation{}
	err := p.walk(dir+"_rels/"+file+".rels", func(_ *xmlReader, e xml.StartElement) error {
		if e.Name.Local != "Relationship" {
			return nil
		}
		target := attr(e, "Target")
		if attr(e, "TargetMode") != "External" {
			if !strings.HasPrefix(target, "/") {
				target = path.Join("/"+dir, target)
			}
			target = strings.TrimPrefix(path.Clean(target), "/")
		}
		out[attr(e, "Id")] = relation{kind: path.Base(attr(e, "Type")), target: target}
		return nil
	})
	return out, err
}

// properties reads the title of a document.
func (p *pack) properties(name string) {
	// A title is not worth failing for.
	_ = p.walk(name, func(x *xmlReader, e xml.StartElement) error {
		if e.Name.Local == "title" && p.w.doc.Title == "" {
			title, err := x.content()
			p.w.doc.Title = oneLine(title[:min(len(title), 500)])
			return err
		}
		return nil
	})
}
