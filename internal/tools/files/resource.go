package files

import (
	"context"
	"errors"
	"io"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
	api "nextcloud-mcp-server/internal/nextcloud/files"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

var fileResource = tool.NewResource(tool.ResourceDef{
	URI: "nextcloud://files/{+path}", Name: "file", Title: "File",
	Description: "A file of the person, up to 5 MiB.",
	Scope:       scope.FilesRead, Folders: true,
}, func(ctx context.Context, files *api.Client, vars tool.Vars) (tool.Content, error) {
	if err := allow(ctx, files, vars["path"]); err != nil {
		return tool.Content{}, err
	}
	f, err := files.Open(ctx, vars["path"], 0, 0)
	if err != nil {
		return tool.Content{}, err
	}
	defer f.Body.Close()
	data, err := io.ReadAll(io.LimitReader(f.Body, maxInline+1))
	if err != nil {
		return tool.Content{}, err
	}
	if len(data) > maxInline {
		return tool.Content{}, tool.Invalidf("%s is larger than %d MiB: read it in parts with nc_webdav_read_file", f.Path, maxInline>>20)
	}
	if charset, text := api.Sniff(data); text {
		return tool.Content{MIMEType: f.Type, Text: charset.Decode(data, true)}, nil
	}
	if data == nil {
		data = []byte{}
	}
	return tool.Content{MIMEType: f.Type, Blob: data}, nil
}).Complete("path", completePath)

// completePath finds the entries of a folder that begin with what was typed
// after its last slash.
func completePath(ctx context.Context, files *api.Client, typed string) ([]string, error) {
	dir, start := "", typed
	if i := strings.LastIndexByte(typed, '/'); i >= 0 {
		dir, start = typed[:i], typed[i+1:]
	}
	filter, err := keep(ctx)
	if err != nil {
		return nil, err
	}
	if err := allow(ctx, files, dir); err != nil {
		return outside(ctx, typed), nil //nolint:nilerr // what is not allowed has no values
	}
	start = strings.ToLower(start)
	l, err := files.List(ctx, dir, api.ListQuery{Limit: api.MaxLimit, Keep: func(e *api.Entry) bool {
		return strings.HasPrefix(strings.ToLower(e.Name), start) && (filter == nil || filter(e))
	}})
	if errors.Is(err, nextcloud.ErrForbidden) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range l.Entries {
		value := strings.TrimPrefix(e.Path, "/")
		if strings.HasPrefix(typed, "/") {
			value = e.Path
		}
		if e.Folder {
			value += "/"
		}
		out = append(out, value)
	}
	return out, nil
}

// outside are the folders of a limited connection that go on from what was
// typed above them.
func outside(ctx context.Context, typed string) []string {
	var out []string
	for _, folder := range tool.Policy(ctx).Folders {
		if value := strings.TrimPrefix(folder, "/"); strings.HasPrefix(value, strings.TrimPrefix(typed, "/")) {
			out = append(out, value+"/")
		}
	}
	return out
}
