package dav

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// scanner reads the elements and texts of an XML document (XML 1.0 with
// Namespaces), as encoding/xml does, in less than half of its time: most of
// the time of a large listing goes here. It knows no document type, since no
// DAV answer has one, and so no entities but those of XML itself.
type scanner struct {
	r    io.Reader // valid UTF-8
	buf  []byte    // read, from at on not looked at
	at   int
	done error // what r ended with

	cdata   bool // within a CDATA section
	selfEnd bool // the element that was just opened has no content
	stack   []element
	bound   []binding
	names   map[string]element // by their raw names, with the bindings of now
	text    []byte             // what the last text was put together in
}

// element is an element that is open.
type element struct {
	raw   string // its name as written
	name  xml.Name
	bound int // how many bindings there were outside of it
}

// binding is a namespace declaration.
type binding struct{ prefix, space string }

// kind says what a token is.
type kind int

const (
	startOf kind = iota
	endOf
	textIn
)

// token is a part of a document. Its text is good until the next one is read.
type token struct {
	kind  kind
	name  xml.Name
	attrs []xml.Attr
	text  []byte
}

// The bounds of a scanner, in bytes: a tag has to fit into its buffer; text
// comes in pieces.
const (
	scanBuffer = 64 << 10
	maxEntity  = 32
)

var (
	errSyntax  = errors.New("XML syntax error")
	errTag     = errors.New("a tag of the XML is too long")
	errDoctype = errors.New("XML with a document type")
)

func newScanner(r io.Reader) *scanner {
	return &scanner{r: r, buf: make([]byte, 0, scanBuffer), names: map[string]element{}}
}

// fill reads more behind what was not looked at yet; false when there is no
// more, or no space.
func (s *scanner) fill() bool {
	if s.done != nil {
		return false
	}
	if s.at > 0 {
		s.buf, s.at = s.buf[:copy(s.buf, s.buf[s.at:])], 0
	}
	if len(s.buf) == cap(s.buf) {
		return false
	}
	n, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
	s.buf, s.done = s.buf[:len(s.buf)+n], err
	return true
}

// rest reads what is left, whatever it is, and answers what r ended with,
// unless that is io.EOF.
func (s *scanner) rest() error {
	for s.at = len(s.buf); s.fill(); {
		s.at = len(s.buf)
	}
	if errors.Is(s.done, io.EOF) {
		return nil
	}
	return s.done
}

func (s *scanner) ahead(prefix string) bool {
	for len(s.buf)-s.at < len(prefix) && s.fill() { //nolint:revive // fill is the work
	}
	return bytes.HasPrefix(s.buf[s.at:], []byte(prefix))
}

// next is the next token; io.EOF at the end of r, wherever in the document
// that is.
func (s *scanner) next() (token, error) {
	if s.selfEnd {
		s.selfEnd = false
		return s.pop(), nil
	}
	for {
		if s.at == len(s.buf) && !s.fill() {
			return token{}, s.done
		}
		if s.at == len(s.buf) {
			continue
		}
		switch {
		case s.cdata:
			if t, ok, err := s.section(); ok || err != nil {
				return t, err
			}
		case s.buf[s.at] != '<':
			return s.characters()
		case s.ahead("<?"):
			if err := s.instruction(); err != nil {
				return token{}, err
			}
		case s.ahead("<!--"):
			if err := s.skip("-->"); err != nil {
				return token{}, err
			}
		case s.ahead("<![CDATA["):
			s.at += len("<![CDATA[")
			s.cdata = true
		case s.ahead("<!"):
			return token{}, errDoctype
		default:
			return s.tag()
		}
	}
}

// skip moves behind end, however far that is.
func (s *scanner) skip(end string) error {
	for {
		if i := bytes.Index(s.buf[s.at:], []byte(end)); i >= 0 {
			s.at += i + len(end)
			return nil
		}
		s.at = max(s.at, len(s.buf)-len(end)+1)
		if !s.fill() {
			return cut(s.done)
		}
	}
}

var encoding = regexp.MustCompile(`\sencoding=(?:"([^"]+)"|'([^']+)')`)

// instruction skips a processing instruction. The one that declares the
// document may name no other encoding than UTF-8.
func (s *scanner) instruction() error {
	if s.ahead("<?xml ") {
		end := s.find("?>", 0)
		if end < 0 {
			return s.missing()
		}
		said := encoding.FindSubmatch(s.buf[s.at : s.at+end])
		if said != nil && !strings.EqualFold(string(said[1])+string(said[2]), "utf-8") {
			return fmt.Errorf("XML in the encoding %.20q", said[0])
		}
	}
	return s.skip("?>")
}

// find is where what comes next has mark, at from or later, reading on as far
// as the buffer allows; negative when it has none.
func (s *scanner) find(mark string, from int) int {
	for {
		if i := bytes.Index(s.buf[s.at+from:], []byte(mark)); i >= 0 {
			return from + i
		}
		from = max(from, len(s.buf)-s.at-len(mark)+1)
		if !s.fill() {
			return -1
		}
	}
}

// missing is the error for something that has no end.
func (s *scanner) missing() error {
	if s.done != nil {
		return cut(s.done)
	}
	return errTag
}

// section is a piece of a CDATA section; false at its end.
func (s *scanner) section() (token, bool, error) {
	end := s.find("]]>", 0)
	if end == 0 {
		s.at += len("]]>")
		s.cdata = false
		return token{}, false, nil
	}
	piece := s.buf[s.at:]
	if end > 0 {
		piece = piece[:end]
	} else {
		if s.done != nil {
			return token{}, false, cut(s.done)
		}
		// What may be the start of the end waits.
		piece = bytes.TrimSuffix(piece[:len(piece)-len("]]>")], []byte("\r"))
	}
	s.at += len(piece)
	text, err := s.plain(piece, false)
	return token{kind: textIn, text: text}, true, err
}

// characters is text up to the next tag, or a piece of it.
func (s *scanner) characters() (token, error) {
	end := s.find("<", 0)
	piece := s.buf[s.at:]
	if end >= 0 {
		piece = piece[:end]
	} else if s.done == nil {
		// An entity or a line break that is not whole waits.
		tail := piece[len(piece)-maxEntity:]
		if i := bytes.LastIndexByte(tail, '&'); i >= 0 && bytes.IndexByte(tail[i:], ';') < 0 {
			piece = piece[:len(piece)-maxEntity+i]
		} else if piece[len(piece)-1] == '\r' {
			piece = piece[:len(piece)-1]
		}
	}
	s.at += len(piece)
	text, err := s.plain(piece, true)
	return token{kind: textIn, text: text}, err
}

// plain is b with its entities, when it has such, and its line breaks (XML
// 1.0, 2.11) as what they mean.
func (s *scanner) plain(b []byte, entities bool) ([]byte, error) {
	if bytes.IndexByte(b, '\r') >= 0 || (entities && bytes.IndexByte(b, '&') >= 0) {
		s.text = s.text[:0]
		for len(b) > 0 {
			i := bytes.IndexAny(b, "&\r")
			if i < 0 {
				s.text = append(s.text, b...)
				break
			}
			s.text = append(s.text, b[:i]...)
			mark := b[i]
			b = b[i+1:]
			switch {
			case mark == '\r':
				b = bytes.TrimPrefix(b, []byte("\n"))
				s.text = append(s.text, '\n')
			case !entities:
				s.text = append(s.text, '&')
			default:
				end := bytes.IndexByte(b[:min(len(b), maxEntity)], ';')
				if end < 0 {
					return nil, errSyntax
				}
				r, ok := entity(b[:end])
				if !ok {
					return nil, errSyntax
				}
				s.text = utf8.AppendRune(s.text, r)
				b = b[end+1:]
			}
		}
		b = s.text
	}
	for i, c := range b {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0xEF && (bytes.HasPrefix(b[i:], []byte("\uFFFE")) || bytes.HasPrefix(b[i:], []byte("\uFFFF"))) {
			return nil, errSyntax
		}
	}
	return b, nil
}

// entity is the character of a reference, which is given without & and ;.
func entity(b []byte) (rune, bool) {
	switch string(b) {
	case "#13":
		return '\r', true
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	digits, ok := bytes.CutPrefix(b, []byte("#"))
	if !ok {
		return 0, false
	}
	base := 10
	if hex, ok := bytes.CutPrefix(digits, []byte("x")); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(string(digits), base, 32)
	return rune(n), err == nil && n <= utf8.MaxRune //nolint:gosec // MaxRune is far below
}

// tag is a start or an end of an element.
func (s *scanner) tag() (token, error) {
	end := s.find(">", 1)
	if end < 0 {
		return token{}, s.missing()
	}
	if s.buf[s.at+1] == '/' {
		raw := bytes.TrimRight(s.buf[s.at+2:s.at+end], spaces)
		if len(s.stack) == 0 || s.stack[len(s.stack)-1].raw != string(raw) {
			return token{}, errSyntax
		}
		s.at += end + 1
		return s.pop(), nil
	}
	// A value may hold the mark that ends a tag.
	for inQuotes(s.buf[s.at : s.at+end]) {
		if end = s.find(">", end+1); end < 0 {
			return token{}, s.missing()
		}
	}
	inner := s.buf[s.at+1 : s.at+end]
	s.at += end + 1
	inner, s.selfEnd = bytes.CutSuffix(inner, []byte("/"))
	return s.push(inner)
}
