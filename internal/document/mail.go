package document

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"

	"golang.org/x/net/html/charset"
)

// The bounds of a message beside those of every document.
const (
	maxMailDepth = 20  // multiparts and messages in each other
	maxMailParts = 500 // parts of all of them together
)

// message reads mail (RFC 5322, RFC 2045).
type message struct {
	w     *work
	words mime.WordDecoder
	parts int
	plain []string // texts in the order they are shown
	files []string // attachments, described
}

func readEML(w *work, data []byte) error {
	msg, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		return damaged("the file is no mail message: it does not begin with headers")
	}
	m := &markdown{w: w}
	err = readMessage(w, msg, m, 0)
	w.doc.Parts = []Part{{Text: m.String()}}
	return err
}

func readMessage(w *work, msg *mail.Message, m *markdown, depth int) error {
	r := &message{w: w, words: mime.WordDecoder{CharsetReader: charset.NewReaderLabel}}
	subject := r.header(msg.Header.Get("Subject"))
	if depth == 0 {
		w.doc.Title = subject
	}
	if err := m.heading(min(1+depth, 6), subject); err != nil {
		return err
	}
	for _, name := range []string{"From", "To", "Cc", "Bcc", "Reply-To", "Date"} {
		if v := r.header(msg.Header.Get(name)); v != "" {
			if err := m.item(0, false, name+": "+v); err != nil {
				return err
			}
		}
	}
	err := r.entity(header(msg.Header), msg.Body, depth)
	// What was read before a cut is shown, and the cut is said.
	if err != nil && w.ctx.Err() == nil && !isFull(err) && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)) {
		w.note("The message ends too early: it was probably cut off.")
		err = nil
	}
	for _, text := range r.plain {
		if err == nil {
			err = m.block(text)
		}
	}
	if len(r.files) > 0 && err == nil {
		err = m.block("Attachments:")
		for _, f := range r.files {
			if err == nil {
				err = m.item(0, false, f)
			}
		}
	}
	return err
}

// header is a header's value as people read it.
func (r *message) header(value string) string {
	if len(value) > 64<<10 {
		value = strings.ToValidUTF8(value[:64<<10], "") + " …"
	}
	if text, err := r.words.DecodeHeader(value); err == nil {
		value = text
	}
	if text, _ := Decode([]byte(value)); text != "" {
		value = text
	}
	return oneLine(value)
}

// header are the headers of a message or of one of its parts.
type header map[string][]string

func (h header) get(name string) string {
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// entity reads a message's body or one part of it.
func (r *message) entity(h header, body io.Reader, depth int) error {
	if depth > maxMailDepth {
		return tooLarge("the message holds more than %d messages in each other", maxMailDepth)
	}
	if r.parts++; r.parts > maxMailParts {
		return tooLarge("the message has more than %d parts", maxMailParts)
	}
	kind, params, err := mime.ParseMediaType(h.get("Content-Type"))
	if err != nil && kind == "" {
		kind = "text/plain" // RFC 2045, 5.2
	}
	if strings.HasPrefix(kind, "multipart/") {
		return r.multipart(kind, params["boundary"], body, depth)
	}
	data, err := io.ReadAll(transfer(h.get("Content-Transfer-Encoding"), body))
	if err != nil && len(data) == 0 {
		return err
	}
	if err != nil {
		r.w.note("The message ends too early: it was probably cut off.")
	}
	disposition, dparams, _ := mime.ParseMediaType(h.get("Content-Disposition"))
	name := r.header(dparams["filename"])
	if name == "" {
		name = r.header(params["name"])
	}
	switch {
	case disposition == "attachment", name != "" && kind != "message/rfc822", !strings.HasPrefix(kind, "text/") && kind != "message/rfc822":
		r.attach(name, kind, len(data))
		return nil
	case kind == "message/rfc822":
		return r.nested(data, depth)
	case kind == "text/html":
		md, _, err := htmlToMarkdown(r.w, decodeLabel(data, params["charset"]))
		if err != nil {
			return err
		}
		r.plain = append(r.plain, md)
	default:
		r.plain = append(r.plain, strings.ReplaceAll(decodeLabel(data, params["charset"]), "\r\n", "\n"))
	}
	return nil
}

func (r *message) attach(name, kind string, size int) {
	if name == "" {
		name = "(without a name)"
	}
	r.files = append(r.files, fmt.Sprintf("%s (%s, %d bytes)", name, kind, size))
}

// nested reads a message that is forwarded as a part.
func (r *message) nested(data []byte, depth int) error {
	msg, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		r.attach("", "message/rfc822", len(data))
		return nil //nolint:nilerr // it is listed like any other file
	}
	m := &markdown{w: r.w}
	if err := readMessage(r.w, msg, m, depth+1); err != nil {
		return err
	}
	r.plain = append(r.plain, "Forwarded message:\n\n"+m.String())
	return nil
}

func (r *message) multipart(kind, boundary string, body io.Reader, depth int) error {
	if boundary == "" {
		return damaged("the message does not say how its parts are separated")
	}
	var kept []string
	before := len(r.plain)
	reader := multipart.NewReader(body, boundary)
	for {
		p, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if r.parts > 1 {
				r.w.note("The message ends too early: it was probably cut off.")
				break
			}
			return err
		}
		start := len(r.plain)
		if err := r.entity(header(p.Header), p, depth+1); err != nil {
			return err
		}
		if kind != "multipart/alternative" || len(r.plain) == start {
			continue
		}
		// RFC 2046, 5.1.4: the last alternative is the richest. Plain text is
		// taken where there is one: it is what the writer saw as text.
		text := strings.Join(r.plain[start:], "\n\n")
		if strings.TrimSpace(text) != "" && (len(kept) == 0 || strings.HasPrefix(mediaType(p.Header.Get("Content-Type")), "text/plain")) {
			kept = []string{text}
		}
		r.plain = r.plain[:start]
	}
	if kind == "multipart/alternative" {
		r.plain = append(r.plain[:before], kept...)
	}
	return nil
}

func mediaType(value string) string {
	kind, _, _ := mime.ParseMediaType(value)
	return kind
}

func transfer(encoding string, body io.Reader) io.Reader {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, &base64Text{r: body})
	case "quoted-printable":
		return quotedprintable.NewReader(body)
	}
	return body
}

// base64Text drops what is no base64 (RFC 2045, 6.8).
type base64Text struct{ r io.Reader }

// Read implements io.Reader.
func (b *base64Text) Read(p []byte) (int, error) {
	for {
		n, err := b.r.Read(p)
		kept := 0
		for _, c := range p[:n] {
			if c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/' || c == '=' {
				p[kept] = c
				kept++
			}
		}
		if kept > 0 || err != nil {
			return kept, err
		}
	}
}
