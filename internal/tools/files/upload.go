package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	api "nextcloud-mcp-server/internal/nextcloud/files"
	"nextcloud-mcp-server/internal/safehttp"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// How long calls may take that the server works on for long, or that carry
// much.
const (
	longTransfer = 5 * time.Minute
	longUpload   = 30 * time.Minute
)

// UploadInput is the input of nc_webdav_upload_file.
type UploadInput struct {
	Path          string `json:"path" jsonschema:"file to write in Nextcloud"`
	URL           string `json:"url,omitempty" jsonschema:"https address to fetch"`
	LocalPath     string `json:"local_path,omitempty" jsonschema:"file on the person's own computer"`
	IfMatch       string `json:"if_match,omitempty" jsonschema:"etag of the version to replace, * for any"`
	CreateParents bool   `json:"create_parents,omitempty" jsonschema:"make missing folders"`
}

var upload = tool.New(tool.Def{
	Name:        "nc_webdav_upload_file",
	Title:       "Upload a file",
	Description: "Store a file from the web or from this computer in Nextcloud. After a cut the same call goes on.",
	Scope:       scope.FilesWrite,
	Effect:      tool.Updates,
	Tier:        tool.Extended,
	Object:      []string{"path", "local_path"},
	Folders:     true,
	Timeout:     longUpload,
}, func(ctx context.Context, files *api.Client, in UploadInput) (*Saved, error) {
	if (in.URL == "") == (in.LocalPath == "") {
		return nil, tool.Invalidf("give either url or local_path")
	}
	if err := allow(ctx, files, in.Path); err != nil {
		return nil, err
	}
	sources := tool.SourcesOf(ctx)
	var src *api.Source
	var done func()
	var err error
	if in.URL != "" {
		src, done, err = fromWeb(ctx, sources.Web, in.URL)
	} else {
		src, done, err = fromDisk(sources.Folder, in.LocalPath)
	}
	if err != nil {
		return nil, err
	}
	defer done()
	return saved(files.Upload(ctx, in.Path, *src, &api.UploadOptions{Guard: guarded(in.IfMatch), Parents: in.CreateParents}))
})

// fromDisk is a file in the folder that files may be uploaded from. os.Root
// keeps links and dots inside of it.
func fromDisk(folder, name string) (*api.Source, func(), error) {
	if folder == "" {
		return nil, nil, tool.Invalidf("Files of this computer cannot be uploaded here: the server has to run on it over the standard streams, with MCP_UPLOAD_FOLDER naming the folder whose files it may upload.")
	}
	relative := name
	if filepath.IsAbs(name) {
		var err error
		if relative, err = filepath.Rel(folder, filepath.Clean(name)); err != nil {
			return nil, nil, notInside(folder)
		}
	}
	if !filepath.IsLocal(relative) {
		return nil, nil, notInside(folder)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, nil, tool.Invalidf("The folder of MCP_UPLOAD_FOLDER cannot be opened.")
	}
	defer root.Close()
	f, err := root.Open(relative)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, nil, tool.Invalidf("%q is not there on this computer", name)
	case errors.Is(err, os.ErrPermission):
		return nil, nil, tool.Invalidf("%q may not be read on this computer", name)
	case err != nil:
		return nil, nil, notInside(folder)
	}
	done := func() { _ = f.Close() }
	before, err := f.Stat()
	if err != nil || !before.Mode().IsRegular() {
		done()
		return nil, nil, tool.Invalidf("%q is no regular file", name)
	}
	same := func() error {
		if now, err := f.Stat(); err != nil || now.Size() != before.Size() || !now.ModTime().Equal(before.ModTime()) {
			return tool.Invalidf("%q was changed while it was uploaded; nothing was written", name)
		}
		return nil
	}
	return &api.Source{
		Size:     before.Size(),
		Identity: fmt.Sprintf("disk %s %d", filepath.Join(folder, relative), before.ModTime().UnixNano()),
		Open: func(_ context.Context, offset int64) (io.ReadCloser, error) {
			return io.NopCloser(io.NewSectionReader(f, offset, before.Size()-offset+1)), nil
		},
		Unchanged: same,
	}, done, nil
}

func notInside(folder string) error {
	return tool.Invalidf("Only files in %q may be uploaded from this computer.", folder)
}

// maxHops is how many redirects of an address are followed.
const maxHops = 5

// fromWeb is what an https address gives out.
func fromWeb(ctx context.Context, web *safehttp.Client, address string) (*api.Source, func(), error) {
	if web == nil {
		return nil, nil, tool.Invalidf("this server fetches nothing from the web")
	}
	first, final, err := fetch(ctx, web, address, nil)
	if err != nil {
		return nil, nil, err
	}
	src := &api.Source{Size: first.Length}
	if first.Header.Get("Content-Encoding") != "" {
		src.Size = -1
	}
	tag := first.Header.Get("ETag")
	if first.Header.Get("Accept-Ranges") == "bytes" && tag != "" && !strings.HasPrefix(tag, "W/") && src.Size >= 0 {
		src.Identity = "web " + address + " " + tag
	}
	src.Open = func(ctx context.Context, offset int64) (io.ReadCloser, error) {
		if offset == 0 && first != nil {
			body := first.Body
			first = nil
			return lost{body}, nil
		}
		part, _, err := fetch(ctx, web, final, http.Header{"Range": {"bytes=" + strconv.FormatInt(offset, 10) + "-"}, "If-Range": {tag}})
		if err != nil {
			return nil, err
		}
		if part.Status != http.StatusPartialContent || !strings.HasPrefix(part.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", offset)) {
			_ = part.Body.Close()
			return nil, tool.Invalidf("what the address gives out has changed since the upload began")
		}
		return lost{part.Body}, nil
	}
	return src, func() {
		if first != nil {
			_ = first.Body.Close()
		}
	}, nil
}

// fetch opens an address, following redirects to others that may be fetched,
// and answers where it ended.
func fetch(ctx context.Context, web *safehttp.Client, address string, header http.Header) (*safehttp.Stream, string, error) {
	for range maxHops + 1 {
		h := http.Header{"Accept": {"*/*"}}
		maps.Copy(h, header)
		s, err := web.Open(ctx, address, h)
		if err != nil {
			return nil, "", unfetched(err)
		}
		switch {
		case s.Status == http.StatusOK, s.Status == http.StatusPartialContent:
			return s, address, nil
		case s.Status >= 300 && s.Status < 400 && s.Header.Get("Location") != "":
			_ = s.Body.Close()
			next, err := resolve(address, s.Header.Get("Location"))
			if err != nil {
				return nil, "", tool.Invalidf("The address leads to another one that cannot be used; nothing was written.")
			}
			address = next
		default:
			_ = s.Body.Close()
			return nil, "", tool.Invalidf("The host of the address answered with HTTP status %d; nothing was written.", s.Status)
		}
	}
	return nil, "", tool.Invalidf("The address leads on more than %d times; nothing was written.", maxHops)
}

func resolve(from, location string) (string, error) {
	base, err := url.Parse(from)
	if err != nil {
		return "", err
	}
	next, err := base.Parse(location)
	if err != nil {
		return "", err
	}
	return next.String(), nil
}

// unfetched is a failure of the web in words for the model.
func unfetched(err error) error {
	if e, ok := errors.AsType[*safehttp.Error](err); ok {
		return tool.Invalidf("The address cannot be fetched: %s. Only https addresses of the public internet can; nothing was written.", e)
	}
	return err
}

// lost is the body of an address, whose end in the middle is no failure of
// Nextcloud.
type lost struct{ io.ReadCloser }

func (l lost) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	if e, ok := errors.AsType[*safehttp.Error](err); ok {
		kind := nextcloud.ErrUnavailable
		if errors.Is(e, safehttp.ErrTooLarge) {
			kind = nextcloud.ErrTooLarge
		}
		return n, &nextcloud.Error{Op: "fetch the address", Kind: kind, Message: e.Error()}
	}
	return n, err
}
