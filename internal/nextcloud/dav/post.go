package dav

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Post sends an XML document to a resource that acts on it, as Nextcloud's
// sharing and publishing of calendars and address books do.
func (c *Client) Post(ctx context.Context, q Query, body Element) error {
	_, err := c.send(ctx, "POST", q, &body)
	return err
}

// maxDocument bounds the elements of a document.
const maxDocument = 200_000

// ParseDocument reads an answer that is XML, but no multistatus. A document
// that is cut or nested too deep is an error.
func ParseDocument(data []byte) (*Node, error) {
	dec := xml.NewDecoder(bytes.NewReader(data))
	var (
		top   = &Node{}
		stack = []*Node{top}
		texts = []*strings.Builder{{}}
	)
	for count := 0; ; {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read XML: %w", err)
		}
		last := len(stack) - 1
		switch t := tok.(type) {
		case xml.StartElement:
			if count++; count > maxDocument || len(stack) > maxDepth {
				return nil, errors.New("read XML: too large")
			}
			n := &Node{Name: t.Name, Attrs: t.Attr}
			stack[last].Children = append(stack[last].Children, n)
			stack, texts = append(stack, n), append(texts, &strings.Builder{})
		case xml.EndElement:
			stack[last].Text = texts[last].String()
			stack, texts = stack[:last], texts[:last]
		case xml.CharData:
			texts[last].Write(t)
		}
	}
	if len(top.Children) != 1 {
		return nil, errors.New("read XML: empty document")
	}
	return top.Children[0], nil
}
