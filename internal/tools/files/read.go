package files

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	api "nextcloud-mcp-server/internal/nextcloud/files"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// The bounds of reading, in bytes.
const (
	defaultText = 50_000    // of a text at once
	maxText     = 1 << 20   // the same, when asked for
	maxInline   = 5 << 20   // of an image or of raw bytes
	sniffed     = 8 << 10   // of the start, to see what it is
	maxScan     = 256 << 20 // passed over to find a line
)

// Parse is how a file that is no plain text is read.
type Parse string

// Values implements tool.Enum.
func (Parse) Values() []string { return []string{"auto", "markdown", "raw"} }

// ReadInput is the input of nc_webdav_read_file.
type ReadInput struct {
	Path          string `json:"path" jsonschema:"file"`
	Offset        int64  `json:"offset,omitempty" jsonschema:"first byte, see next_offset"`
	MaxBytes      int64  `json:"max_bytes,omitempty" jsonschema:"default 50000, at most 1048576"`
	StartLine     int    `json:"start_line,omitempty" jsonschema:"first line, from 1"`
	EndLine       int    `json:"end_line,omitempty" jsonschema:"last line"`
	ParseDocument Parse  `json:"parse_document,omitempty" jsonschema:"raw for the bytes, markdown for CSV and HTML too"`
	Pages         string `json:"pages,omitempty" jsonschema:"pages, sheets or slides such as 3-7"`
	OCR           bool   `json:"ocr,omitempty" jsonschema:"recognize text on scans and images"`
}

// Read is the outcome of nc_webdav_read_file. Bytes that are no text are in the
// content of the result, not in its structured form.
type Read struct {
	Path       string `json:"path"`
	Text       string `json:"content,omitempty"`
	Type       string `json:"content_type,omitempty"`
	Encoding   string `json:"encoding,omitempty"`
	Size       int64  `json:"size"`
	ETag       string `json:"etag,omitempty"`
	Modified   string `json:"last_modified,omitempty"`
	Truncated  bool   `json:"truncated,omitempty"`
	NextOffset int64  `json:"next_offset,omitempty"`
	StartLine  int    `json:"start_line,omitempty"`
	EndLine    int    `json:"end_line,omitempty"`
	TotalLines int    `json:"total_lines,omitempty"`
	Parsed     bool   `json:"parsed,omitempty"`
	Format     string `json:"format,omitempty"`
	Pages      int    `json:"pages,omitempty"`
	Note       string `json:"note,omitempty"`

	content []mcp.Content
}

// Content implements tool.Contenter.
func (r *Read) Content() []mcp.Content { return r.content }

func about(f *api.File) *Read {
	return &Read{Path: f.Path, Type: f.Type, Size: max(f.Size, 0), ETag: f.ETag, Modified: timestamp(f.Modified)}
}

// uri is the resource of a file.
func uri(path string) string {
	var b strings.Builder
	b.WriteString("nextcloud://files")
	for s := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		b.WriteString("/" + url.PathEscape(s))
	}
	return b.String()
}

// A converter reads a kind of file that is no plain text: a document as
// Markdown, a large image as a smaller one. body begins at the start of the
// file, of which head is the beginning. It leaves the file alone when it
// answers nil.
type converter func(ctx context.Context, files *api.Client, in ReadInput, f *api.File, head []byte, body io.Reader) (*Read, error)

// converters are asked in turn for what is no text, unless the bytes are asked
// for.
var converters = []converter{convertDocument, convertImage}

var read = tool.New(tool.Def{
	Name:        "nc_webdav_read_file",
	Title:       "Read a file",
	Description: "Read a file: text in parts by bytes or lines, PDF and office documents as Markdown, images as images.",
	Scope:       scope.FilesRead,
	Effect:      tool.Reads,
	Tier:        tool.Core,
	Object:      []string{"path"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in ReadInput) (*Read, error) {
	switch {
	case in.Offset < 0, in.MaxBytes < 0, in.MaxBytes > maxText:
		return nil, tool.Invalidf("offset cannot be negative, max_bytes has to be between 1 and %d", maxText)
	case in.StartLine < 0, in.EndLine < 0, in.EndLine > 0 && in.EndLine < in.StartLine:
		return nil, tool.Invalidf("lines count from 1, and end_line cannot be before start_line")
	case in.StartLine+in.EndLine > 0 && in.Offset > 0:
		return nil, tool.Invalidf("give either offset or lines")
	}
	if in.MaxBytes == 0 {
		in.MaxBytes = defaultText
	}
	if err := allow(ctx, files, in.Path); err != nil {
		return nil, err
	}
	if asksDocument(&in) {
		return readDocument(ctx, files, in)
	}
	f, err := files.Open(ctx, in.Path, in.Offset, 0)
	if err != nil {
		return nil, err
	}
	defer f.Body.Close()
	return readOpen(ctx, files, in, f)
})

// readOpen reads what Open gave.
func readOpen(ctx context.Context, files *api.Client, in ReadInput, f *api.File) (*Read, error) {
	body := bufio.NewReaderSize(f.Body, sniffed)
	head, err := body.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	charset, text := sniff(head, in.Offset)
	switch {
	case in.ParseDocument == "raw" && in.Offset == 0 && in.StartLine+in.EndLine == 0:
		return readRaw(f, head, body)
	case text && in.StartLine+in.EndLine > 0:
		return readLines(f, charset, body, in)
	case text:
		return readText(f, charset, body, in)
	case in.Offset > 0 || in.StartLine+in.EndLine > 0:
		return nil, tool.Invalidf("%s is not a text (%s), so it cannot be read in parts", f.Path, f.Type)
	}
	for _, convert := range converters {
		if out, err := convert(ctx, files, in, f, head, body); out != nil || err != nil {
			return out, err
		}
	}
	if image(f.Type) && f.Size <= maxInline {
		return readRaw(f, head, body)
	}
	out := about(f)
	out.Note = "Not a text. parse_document raw gives the bytes of files up to 5 MiB."
	size := f.Size
	out.content = []mcp.Content{
		&mcp.TextContent{Text: fmt.Sprintf("%s (%s, %d bytes) is not a text. %s", f.Path, f.Type, f.Size, out.Note)},
		&mcp.ResourceLink{URI: uri(f.Path), Name: f.Path, MIMEType: f.Type, Size: &size},
	}
	return out, nil
}

// sniff is api.Sniff for a part that may begin in the middle of a character.
func sniff(head []byte, offset int64) (api.Charset, bool) {
	for i := 0; offset > 0 && i < 3 && len(head) > 0 && head[0]&0xC0 == 0x80; i++ {
		head = head[1:]
	}
	return api.Sniff(head)
}

// image reports whether models can see images of a type.
func image(mediaType string) bool {
	switch mediaType {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		return true
	}
	return false
}

func readText(f *api.File, charset api.Charset, body io.Reader, in ReadInput) (*Read, error) {
	data, err := io.ReadAll(io.LimitReader(body, in.MaxBytes+1))
	if err != nil {
		return nil, err
	}
	last := int64(len(data)) <= in.MaxBytes
	if !last {
		data = data[:in.MaxBytes]
	}
	head, tail := charset.Align(data, in.Offset, in.Offset == 0, last)
	if len(data) > 0 && head+tail >= len(data) && !last {
		return nil, tool.Invalidf("max_bytes is too small for one character")
	}
	out := about(f)
	out.Encoding = string(charset)
	out.Text = charset.Decode(data[head:len(data)-tail], in.Offset == 0)
	if !last {
		out.Truncated, out.NextOffset = true, in.Offset+int64(len(data)-tail)
	}
	return out, nil
}

func readLines(f *api.File, charset api.Charset, body io.Reader, in ReadInput) (*Read, error) {
	first := max(in.StartLine, 1)
	counted := &counter{r: charset.Reader(body)}
	lines := bufio.NewReaderSize(counted, 64<<10)
	out := about(f)
	out.Encoding, out.StartLine = string(charset), first
	var b strings.Builder
	for n := 1; ; n++ {
		most := in.MaxBytes - int64(b.Len())
		if n < first {
			most = 0
		}
		line, length, err := nextLine(lines, most)
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		case length == 0: // the end of the file
			if out.TotalLines = n - 1; first > out.TotalLines {
				return nil, tool.Invalidf("the file has %d lines", out.TotalLines)
			}
			out.Text = b.String()
			return out, nil
		case n < first && counted.n > maxScan:
			return nil, tool.Invalidf("line %d is more than %d MiB into the file: read it by offset", first, maxScan>>20)
		case n < first:
			continue
		case length > most && n == first:
			return nil, tool.Invalidf("line %d is longer than max_bytes: read it by offset", n)
		case length > most:
			out.Truncated = true
		default:
			b.WriteString(line)
			out.EndLine = n
		}
		if out.Truncated || in.EndLine > 0 && n >= in.EndLine {
			out.Text = b.String()
			return out, nil
		}
	}
}

// nextLine is the next line with its end, and its length in bytes. A line of
// more than most bytes is passed over.
func nextLine(r *bufio.Reader, most int64) (line string, length int64, err error) {
	var b strings.Builder
	for {
		part, err := r.ReadSlice('\n')
		if length += int64(len(part)); length <= most {
			b.Write(part)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return b.String(), length, err
		}
	}
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// readRaw gives the bytes.
func readRaw(f *api.File, _ []byte, body io.Reader) (*Read, error) {
	data, err := io.ReadAll(io.LimitReader(body, maxInline+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxInline {
		return nil, tool.Invalidf("%s is larger than %d MiB: nc_webdav_get_download_link gives a link to it", f.Path, maxInline>>20)
	}
	out := about(f)
	out.Size = int64(len(data))
	words := &mcp.TextContent{Text: fmt.Sprintf("%s (%s, %d bytes)", f.Path, f.Type, len(data))}
	if image(f.Type) {
		out.content = []mcp.Content{words, &mcp.ImageContent{Data: data, MIMEType: f.Type}}
	} else {
		out.content = []mcp.Content{words, &mcp.EmbeddedResource{Resource: &mcp.ResourceContents{URI: uri(f.Path), MIMEType: f.Type, Blob: data}}}
	}
	return out, nil
}
