package files

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Version is a content that a file has or had.
type Version struct {
	ID       string // as the other methods take it: the second in which it was written
	Modified time.Time
	Size     int64 // in bytes; negative when not known
	Type     string
	Label    string
	Author   string // a user id; may be empty
	Current  bool
}

var (
	versionLabel  = dav.Name(dav.NSNextcloudFiles, "version-label")
	versionAuthor = dav.Name(dav.NSNextcloudFiles, "version-author")
	versionProps  = []xml.Name{davLength, davModified, davType, versionLabel, versionAuthor}
)

// MaxLabel is the longest label of a version, in characters.
const MaxLabel = 200

// versions is a path below the versions of a file, encoded.
func (c *Client) versions(ctx context.Context, id int64, segments ...string) (string, error) {
	user, err := c.nc.UserID(ctx)
	if err != nil {
		return "", err
	}
	return nextcloud.Path(dav.Root+"/versions", append([]string{string(user), "versions", strconv.FormatInt(id, 10)}, segments...)...)
}

// file is the Entry of a path that has to be a file.
func (c *Client) file(ctx context.Context, op, name string) (*Entry, error) {
	e, _, err := c.stat(ctx, op, name, entryProps)
	if err != nil {
		return nil, err
	}
	if e.Folder {
		return nil, invalidf(op, "it is a folder, and only files have versions")
	}
	return e, nil
}

// Versions are the versions of a file, newest first, and what the file is now.
func (c *Client) Versions(ctx context.Context, name string) ([]Version, *Entry, error) {
	op := named("list the versions of", name)
	e, err := c.file(ctx, op, name)
	if err != nil {
		return nil, nil, err
	}
	path, err := c.versions(ctx, e.FileID)
	if err != nil {
		return nil, nil, err
	}
	ms, err := c.dav.Propfind(ctx, dav.Query{Op: op, Path: path, Depth: dav.Children}, versionProps...)
	if err != nil {
		return nil, nil, unversioned(err)
	}
	var out []Version
	for i := range ms.Responses {
		r := &ms.Responses[i]
		id := dav.Base(r.Href)
		// The first response is about the list itself.
		if _, err := strconv.ParseInt(id, 10, 64); err != nil || r.Prop(davModified) == nil {
			continue
		}
		v := Version{
			ID: id, Size: number(r.Prop(davLength).String(), -1), Type: r.Prop(davType).String(),
			Label: r.Prop(versionLabel).String(), Author: r.Prop(versionAuthor).String(),
		}
		v.Modified, _ = http.ParseTime(r.Prop(davModified).String())
		v.Current = v.Modified.Equal(e.Modified)
		out = append(out, v)
	}
	slices.SortStableFunc(out, func(a, b Version) int { return b.Modified.Compare(a.Modified) })
	return out, e, nil
}

// unversioned says that a file has no such version.
func unversioned(err error) error {
	return with(err, nextcloud.ErrNotFound, "there is no such version, or this storage keeps none; nc_webdav_list_versions shows what there is")
}

func checkVersion(op, version string) error {
	if _, err := strconv.ParseInt(version, 10, 64); err != nil {
		return invalidf(op, "%.40q is not the id of a version; nc_webdav_list_versions gives the ids", version)
	}
	return nil
}

// version is the path of one version, and what the file is now.
func (c *Client) version(ctx context.Context, op, name, version string) (string, *Entry, error) {
	if err := checkVersion(op, version); err != nil {
		return "", nil, err
	}
	e, err := c.file(ctx, op, name)
	if err != nil {
		return "", nil, err
	}
	path, err := c.versions(ctx, e.FileID, version)
	return path, e, err
}

// OpenVersion reads a version of a file from a byte offset on. Who gets it has
// to close its Body.
func (c *Client) OpenVersion(ctx context.Context, name, version string, offset int64) (*File, error) {
	op := named("read a version of", name)
	if offset < 0 {
		return nil, invalidf(op, "the offset cannot be negative")
	}
	path, e, err := c.version(ctx, op, name, version)
	if err != nil {
		return nil, err
	}
	h := http.Header{"Accept-Encoding": {"identity"}}
	if offset > 0 {
		h.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	}
	s, err := c.nc.Stream(ctx, nextcloud.Request{Op: op, Path: path, Header: h, Accept: "*/*", MaxBody: 1 << 62})
	if err != nil {
		if e, ok := errors.AsType[*nextcloud.Error](err); ok && e.Status == http.StatusRequestedRangeNotSatisfiable {
			return nil, invalidf(op, "offset %d is beyond the end of the version", offset)
		}
		return nil, unversioned(err)
	}
	f := &File{Path: e.Path, Size: s.Length, Length: s.Length, Body: s.Body, Type: mediaType(s.Header.Get("Content-Type"), e.Path)}
	f.Modified, _ = http.ParseTime(s.Header.Get("Last-Modified"))
	if offset > 0 {
		if err := f.part(op, s, offset); err != nil {
			_ = s.Body.Close()
			return nil, err
		}
	}
	return f, nil
}

// RestoreVersion makes a version the content of the file again. The content
// that it replaces becomes a version itself; its id is the answer, empty when
// the version is the current one.
func (c *Client) RestoreVersion(ctx context.Context, name, version string) (replaced string, err error) {
	op := named("restore a version of", name)
	path, e, err := c.version(ctx, op, name, version)
	if err != nil {
		return "", err
	}
	now := strconv.FormatInt(e.Modified.Unix(), 10)
	if now == version {
		return "", nil
	}
	user, err := c.nc.UserID(ctx)
	if err != nil {
		return "", err
	}
	to, err := nextcloud.Path(dav.Root+"/versions", string(user), "restore", "target")
	if err != nil {
		return "", err
	}
	if err := c.dav.Move(ctx, dav.Query{Op: op, Path: path}, to, dav.Unsaid); err != nil {
		return "", c.unrestored(ctx, e.Path, err)
	}
	return now, nil
}

func (c *Client) unrestored(ctx context.Context, clean string, err error) error {
	if errors.Is(err, nextcloud.ErrNotFound) {
		return unversioned(err)
	}
	return c.explain(ctx, clean, err)
}

// LabelVersion names a version, which also keeps it from being thinned out;
// empty takes the name away.
func (c *Client) LabelVersion(ctx context.Context, name, version, label string) error {
	op := named("label a version of", name)
	label = strings.TrimSpace(label)
	if len([]rune(label)) > MaxLabel {
		return invalidf(op, "a label has at most %d characters", MaxLabel)
	}
	path, e, err := c.version(ctx, op, name, version)
	if err != nil {
		return err
	}
	err = c.dav.Proppatch(ctx, dav.Query{Op: op, Path: path}, []dav.Element{dav.Text(versionLabel, label)})
	if err != nil {
		return c.unrestored(ctx, e.Path, err)
	}
	return nil
}
