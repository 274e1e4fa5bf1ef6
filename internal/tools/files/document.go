package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/document"
	api "nextcloud-mcp-server/internal/nextcloud/files"
	"nextcloud-mcp-server/internal/picture"
	"nextcloud-mcp-server/internal/tool"
)

// asksDocument reports whether a reading is about the Markdown of a document
// and not about the bytes of a file. CSV and HTML are texts that people edit,
// so they are read as such unless Markdown is asked for.
func asksDocument(in *ReadInput) bool {
	if in.ParseDocument == "raw" || in.StartLine+in.EndLine > 0 {
		return false
	}
	if in.ParseDocument == "markdown" || in.Pages != "" || in.OCR {
		return true
	}
	switch strings.ToLower(path.Ext(in.Path)) {
	case ".csv", ".tsv", ".html", ".htm", ".xhtml":
		return false
	}
	return document.Supports(in.Path, "")
}

// readDocument reads a document as Markdown; offset and max_bytes are of the
// Markdown then.
func readDocument(ctx context.Context, files *api.Client, in ReadInput) (*Read, error) {
	first, last, err := pageRange(in.Pages)
	if err != nil {
		return nil, err
	}
	f, err := files.Open(ctx, in.Path, 0, 0)
	if err != nil {
		return nil, err
	}
	defer f.Body.Close()
	return markdownOf(ctx, in, f, f.Body, document.Request{First: first, Last: last, OCR: in.OCR})
}

// pageRange reads "3", "3-7", "3-" or "-7".
func pageRange(text string) (first, last int, err error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, 0, nil
	}
	from, to, ranged := strings.Cut(text, "-")
	if !ranged {
		to = from
	}
	number := func(s string) int {
		n, convErr := strconv.Atoi(strings.TrimSpace(s))
		if s = strings.TrimSpace(s); s != "" && (convErr != nil || n < 1) {
			err = tool.Invalidf("pages is a number from 1 or a range such as 3-7, and not %.40q", text)
		}
		return n
	}
	first, last = number(from), number(to)
	if err == nil && last > 0 && last < first {
		err = tool.Invalidf("pages %.40q ends before it begins", text)
	}
	return first, last, err
}

// markdownOf is the window of a document's Markdown that in asks for.
func markdownOf(ctx context.Context, in ReadInput, f *api.File, body io.Reader, req document.Request) (*Read, error) {
	extractor := tool.Documents(ctx)
	if f.Size > extractor.MaxSize() {
		return nil, tool.Invalidf("%s has %d MiB, and documents of up to %d MiB are read: nc_webdav_get_download_link gives a link to it", f.Path, f.Size>>20, extractor.MaxSize()>>20)
	}
	req.Name, req.Type = path.Base(f.Path), f.Type
	doc, err := extractor.Extract(ctx, body, req)
	if err != nil {
		return nil, unreadable(f.Path, err)
	}
	out := about(f)
	out.Parsed, out.Format, out.Pages = true, string(doc.Format), doc.Total
	text := doc.Markdown()
	if in.Offset > int64(len(text)) {
		return nil, tool.Invalidf("offset %d is beyond the end: the Markdown has %d bytes", in.Offset, len(text))
	}
	text = text[in.Offset:]
	for len(text) > 0 && !utf8.RuneStart(text[0]) {
		text = text[1:]
	}
	notes := doc.Notes
	if int64(len(text)) > in.MaxBytes {
		end := int(in.MaxBytes)
		for end > 0 && !utf8.RuneStart(text[end]) {
			end--
		}
		if i := strings.LastIndexByte(text[:end], '\n'); i > end/2 {
			end = i + 1
		}
		if end == 0 {
			return nil, tool.Invalidf("max_bytes is too small for one character")
		}
		out.Truncated, out.NextOffset = true, in.Offset+int64(end)
		if !asksDocument(&in) {
			notes = append(notes, "To go on, give parse_document markdown with the offset.")
		}
		text = text[:end]
	}
	out.Text, out.Note = text, strings.Join(notes, " ")
	return out, nil
}

func asDocumentError(err error) (*document.Error, bool) {
	return errors.AsType[*document.Error](err)
}

// unreadable is what a model is told of a file that could not be read.
func unreadable(name string, err error) error {
	e, ok := asDocumentError(err)
	if !ok {
		return err
	}
	next := ""
	switch {
	case errors.Is(e, document.ErrDamaged), errors.Is(e, document.ErrUnsupported), errors.Is(e, document.ErrTooLarge):
		next = " parse_document raw gives the bytes of files up to 5 MiB, and nc_webdav_get_download_link a link for the person."
	case errors.Is(e, document.ErrTimeout):
		next = " Ask for fewer pages at once."
	}
	return tool.Invalidf("%s: %s.%s", name, e.Message, next)
}

// convertDocument reads a document whose name does not say that it is one.
func convertDocument(ctx context.Context, _ *api.Client, in ReadInput, f *api.File, head []byte, body io.Reader) (*Read, error) {
	start := string(head[:min(len(head), 8)])
	if !document.Supports(f.Path, f.Type) && !strings.HasPrefix(start, "%PDF-") && !strings.HasPrefix(start, "PK\x03\x04") || f.Size > tool.Documents(ctx).MaxSize() {
		return nil, nil //nolint:nilnil // the file is left alone
	}
	out, err := markdownOf(ctx, in, f, body, document.Request{})
	if out == nil && strings.HasPrefix(start, "PK") {
		listed := about(f)
		listed.Note = "Not a text. If it is an archive, nc_webdav_list_archive lists it."
		listed.content = []mcp.Content{&mcp.TextContent{Text: fmt.Sprintf("%s (%s, %d bytes). %s", f.Path, f.Type, f.Size, listed.Note)}}
		return listed, nil //nolint:nilerr // an archive is no document, which is no mistake
	}
	return out, err
}

// maxPicture is the largest image that is scaled down, in bytes.
const maxPicture = 48 << 20

// convertImage shows an image upright and small enough for a model.
func convertImage(ctx context.Context, _ *api.Client, _ ReadInput, f *api.File, _ []byte, body io.Reader) (*Read, error) {
	if !strings.HasPrefix(f.Type, "image/") || f.Type == "image/svg+xml" || f.Size > min(maxPicture, tool.Documents(ctx).MaxSize()) {
		return nil, nil //nolint:nilnil // the file is left alone
	}
	if f.Size >= 0 && f.Size <= picture.DefaultBytes {
		data, err := io.ReadAll(io.LimitReader(body, picture.DefaultBytes+1))
		if err != nil {
			return nil, err
		}
		if p, ok := picture.Ready(data); ok {
			return shown(f, p), nil
		}
		body = strings.NewReader(string(data))
	}
	doc, err := tool.Documents(ctx).Extract(ctx, body, document.Request{Name: path.Base(f.Path), Job: document.FitPicture})
	if err != nil {
		return nil, unreadable(f.Path, err)
	}
	return shown(f, doc.Picture), nil
}

func shown(f *api.File, p *picture.Picture) *Read {
	out := about(f)
	words := fmt.Sprintf("%s (%s, %d bytes, %d by %d points)", f.Path, f.Type, f.Size, p.OriginalWidth, p.OriginalHeight)
	if p.Changed {
		out.Note = fmt.Sprintf("Shown with %d by %d points.", p.Width, p.Height)
		words += ". " + out.Note
	}
	out.content = []mcp.Content{&mcp.TextContent{Text: words}, &mcp.ImageContent{Data: p.Data, MIMEType: p.Type}}
	return out
}
