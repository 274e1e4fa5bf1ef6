package files

import (
	"context"
	"fmt"
	"mime"
	"path"
	"strconv"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/document"
	api "nextcloud-mcp-server/internal/nextcloud/files"
	"nextcloud-mcp-server/internal/picture"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// ArchiveInput is the input of nc_webdav_list_archive.
type ArchiveInput struct {
	Path   string `json:"path" jsonschema:"zip, tar, tar.gz or tar.bz2"`
	Limit  int    `json:"limit,omitempty" jsonschema:"default 200, at most 1000"`
	Cursor string `json:"cursor,omitempty" jsonschema:"next_cursor"`
}

// Archive is what an archive holds.
type Archive struct {
	Path       string   `json:"path"`
	Format     string   `json:"format"`
	Items      []Member `json:"items"`
	NextCursor string   `json:"next_cursor,omitempty"`
}

// Member is a file or folder of an archive. Its name is no path of Nextcloud.
type Member struct {
	Name      string `json:"name"`
	Folder    bool   `json:"is_directory,omitempty"`
	Size      int64  `json:"size"`
	Modified  string `json:"last_modified,omitempty"`
	Link      string `json:"link,omitempty"`
	Encrypted bool   `json:"encrypted,omitempty"`
	Unsafe    bool   `json:"unsafe,omitempty" jsonschema:"name leads out of the archive or hides what it is"`
}

const (
	defaultMembers = 200
	maxMembers     = 1000
)

var listArchive = tool.New(tool.Def{
	Name:        "nc_webdav_list_archive",
	Title:       "List an archive",
	Description: "List what is in a zip or tar archive without unpacking it.",
	Scope:       scope.FilesRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Object:      []string{"path"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in ArchiveInput) (*Archive, error) {
	skip := 0
	if in.Cursor != "" {
		n, err := strconv.Atoi(in.Cursor)
		if err != nil || n < 1 {
			return nil, tool.Invalidf("cursor has to be the next_cursor of an earlier answer")
		}
		skip = n
	}
	switch {
	case in.Limit < 0, in.Limit > maxMembers:
		return nil, tool.Invalidf("limit has to be between 1 and %d", maxMembers)
	case in.Limit == 0:
		in.Limit = defaultMembers
	}
	a, err := openArchive(ctx, files, in.Path, document.Request{Job: document.ListArchive, Skip: skip, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &Archive{Path: in.Path, Format: a.Format, Items: make([]Member, 0, len(a.Members))}
	for _, m := range a.Members {
		out.Items = append(out.Items, Member{
			Name: m.Name, Folder: m.Folder, Size: m.Size, Modified: timestamp(m.Modified), Link: m.Link, Encrypted: m.Locked, Unsafe: m.Unsafe,
		})
	}
	if a.More {
		out.NextCursor = strconv.Itoa(skip + len(out.Items))
	}
	return out, nil
})

func openArchive(ctx context.Context, files *api.Client, name string, req document.Request) (*document.Archive, error) {
	if err := allow(ctx, files, name); err != nil {
		return nil, err
	}
	f, err := files.Open(ctx, name, 0, 0)
	if err != nil {
		return nil, err
	}
	defer f.Body.Close()
	extractor := tool.Documents(ctx)
	if f.Size > extractor.MaxSize() {
		return nil, tool.Invalidf("%s has %d MiB, and archives of up to %d MiB are read", f.Path, f.Size>>20, extractor.MaxSize()>>20)
	}
	req.Name = path.Base(f.Path)
	doc, err := extractor.Extract(ctx, f.Body, req)
	if err != nil {
		if e, ok := asDocumentError(err); ok {
			return nil, tool.Invalidf("%s: %s.", f.Path, e.Message)
		}
		return nil, err
	}
	return doc.Archive, nil
}

// MemberInput is the input of nc_webdav_extract_archive_member.
type MemberInput struct {
	Path     string `json:"path" jsonschema:"archive"`
	Member   string `json:"member" jsonschema:"name as nc_webdav_list_archive gives it"`
	Offset   int64  `json:"offset,omitempty" jsonschema:"first byte, see next_offset"`
	MaxBytes int64  `json:"max_bytes,omitempty" jsonschema:"default 50000, at most 1048576"`
}

var readMember = tool.New(tool.Def{
	Name:        "nc_webdav_extract_archive_member",
	Title:       "Read a file in an archive",
	Description: "Read one file of up to 5 MiB in a zip or tar archive: text, a document as Markdown, an image, or bytes.",
	Scope:       scope.FilesRead,
	Effect:      tool.Reads,
	Tier:        tool.Extended,
	Object:      []string{"path", "member"},
	Folders:     true,
}, func(ctx context.Context, files *api.Client, in MemberInput) (*Read, error) {
	switch {
	case in.Offset < 0, in.MaxBytes < 0, in.MaxBytes > maxText:
		return nil, tool.Invalidf("offset cannot be negative, max_bytes has to be between 1 and %d", maxText)
	case in.MaxBytes == 0:
		in.MaxBytes = defaultText
	}
	a, err := openArchive(ctx, files, in.Path, document.Request{Job: document.ReadMember, Member: in.Member, Most: maxInline})
	if err != nil {
		return nil, err
	}
	return memberContent(ctx, in, a)
})

// memberContent shows the bytes of a member as what they are.
func memberContent(ctx context.Context, in MemberInput, a *document.Archive) (*Read, error) {
	m := a.Members[0]
	kind, _, err := mime.ParseMediaType(mime.TypeByExtension(strings.ToLower(path.Ext(m.Name))))
	if err != nil {
		kind = "application/octet-stream"
	}
	f := &api.File{Path: in.Path, Type: kind, Modified: m.Modified, Size: int64(len(a.Data)), Length: int64(len(a.Data))}
	body := strings.NewReader(string(a.Data))
	read := ReadInput{Path: m.Name, Offset: in.Offset, MaxBytes: in.MaxBytes}
	if asksDocument(&read) {
		inner := *f
		inner.Path = m.Name // its extension says what it is
		out, err := markdownOf(ctx, read, &inner, body, document.Request{})
		if out != nil {
			out.Path = in.Path
		}
		return out, err
	}
	if charset, text := api.Sniff(a.Data[:min(len(a.Data), sniffed)]); text {
		if in.Offset > f.Size {
			return nil, tool.Invalidf("offset %d is beyond the end: it has %d bytes", in.Offset, f.Size)
		}
		return readText(f, charset, strings.NewReader(string(a.Data[in.Offset:])), read)
	}
	if strings.HasPrefix(kind, "image/") {
		if p, ok := picture.Ready(a.Data); ok {
			return shown(f, p), nil
		}
		doc, err := tool.Documents(ctx).Extract(ctx, body, document.Request{Name: path.Base(m.Name), Job: document.FitPicture})
		if err != nil {
			return nil, unreadable(in.Path, err)
		}
		return shown(f, doc.Picture), nil
	}
	out := about(f)
	out.content = []mcp.Content{
		&mcp.TextContent{Text: fmt.Sprintf("%q in %s (%s, %d bytes)", m.Name, in.Path, kind, len(a.Data))},
		&mcp.EmbeddedResource{Resource: &mcp.ResourceContents{URI: uri(in.Path) + "#member", MIMEType: kind, Blob: a.Data}},
	}
	return out, nil
}
