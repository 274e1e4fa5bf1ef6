package dav

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// The bounds of a multistatus document. Nextcloud's own answers nest less than
// ten elements deep, and tell less than a hundred elements of one resource.
const (
	maxDepth     = 64
	maxNodes     = 50_000 // of one response
	maxResponses = 200_000
)

// Decoder reads a multistatus document (RFC 4918, 14.16) one response after the
// other, in memory for one.
type Decoder struct {
	xml   *scanner
	open  bool // the root was read
	token string
	count int
	err   error // that ended it
}

// NewDecoder is a decoder of r.
func NewDecoder(r io.Reader) *Decoder { return &Decoder{xml: newScanner(mend(r))} }

// SyncToken is the token of RFC 6578, once Next has answered io.EOF; empty
// unless the request was a sync-collection.
func (d *Decoder) SyncToken() string { return d.token }

// Next is the next response. After the last one it answers io.EOF. A document
// that is cut, nested too deep, too large or not a multistatus is an error, and
// so is every later call.
func (d *Decoder) Next() (*Response, error) {
	if d.err != nil {
		return nil, d.err
	}
	r, err := d.next()
	if err != nil {
		if !errors.Is(err, io.EOF) {
			err = fmt.Errorf("read multistatus: %w", err)
		}
		d.err = err
	}
	return r, err
}

func (d *Decoder) next() (*Response, error) {
	if !d.open {
		if err := d.root(); err != nil {
			return nil, err
		}
		d.open = true
	}
	for {
		tok, err := d.xml.next()
		if err != nil {
			return nil, cut(err)
		}
		switch tok.kind {
		case startOf:
			n, err := readNode(d.xml, tok)
			if err != nil {
				return nil, err
			}
			switch n.Name {
			case Name(NSDAV, "response"):
				if d.count++; d.count > maxResponses {
					return nil, errors.New("too many responses")
				}
				r := readResponse(n)
				return &r, nil
			case Name(NSDAV, "sync-token"):
				d.token = n.String()
			}
		case endOf:
			// An answer that breaks off behind its document is not trusted.
			if err := d.xml.rest(); err != nil {
				return nil, err
			}
			return nil, io.EOF
		case textIn: // between responses nothing is said
		}
	}
}

// root reads up to the start of the root.
func (d *Decoder) root() error {
	for {
		tok, err := d.xml.next()
		if errors.Is(err, io.EOF) {
			return errors.New("empty document")
		}
		if err != nil {
			return cut(err)
		}
		if tok.kind == startOf {
			if tok.name != Name(NSDAV, "multistatus") {
				return fmt.Errorf("the root is %s", tok.name.Local)
			}
			return nil
		}
	}
}

// cut is an end in the middle, which must not look like the end.
func cut(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// open is an element whose end was not read yet.
type open struct {
	node *Node
	more *strings.Builder // text in several pieces
}

// write adds a piece of text. Most elements have one, which needs no builder.
func (o *open) write(text []byte) {
	switch {
	case o.more != nil:
		o.more.Write(text)
	case o.node.Text == "":
		o.node.Text = string(text)
	default:
		o.more = &strings.Builder{}
		o.more.WriteString(o.node.Text)
		o.more.Write(text)
	}
}

// readNode reads the element that start begins, with all that is in it.
func readNode(s *scanner, start token) (*Node, error) {
	root := &Node{Name: start.name, Attrs: start.attrs}
	stack := make([]open, 1, 8)
	stack[0].node = root
	for count := 1; ; {
		tok, err := s.next()
		if err != nil {
			return nil, cut(err)
		}
		top := &stack[len(stack)-1]
		switch tok.kind {
		case startOf:
			if count++; count > maxNodes {
				return nil, errors.New("too many elements for one resource")
			}
			if len(stack)+1 >= maxDepth {
				return nil, errors.New("nested too deep")
			}
			n := &Node{Name: tok.name, Attrs: tok.attrs}
			top.node.Children = append(top.node.Children, n)
			stack = append(stack, open{node: n})
		case endOf:
			if top.more != nil {
				top.node.Text = top.more.String()
			}
			if stack = stack[:len(stack)-1]; len(stack) == 0 {
				return root, nil
			}
		case textIn:
			top.write(tok.text)
		}
	}
}
