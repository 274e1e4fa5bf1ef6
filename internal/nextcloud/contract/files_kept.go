package contract

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/exclusion"
	"nextcloud-mcp-server/internal/nextcloud/files"
)

// inTrash are the items of the trash that were in the test's folder.
func (s *shelf) inTrash(t *testing.T, limit int) []files.TrashItem {
	t.Helper()
	var out []files.TrashItem
	cursor := ""
	for {
		page, err := s.Trash(t.Context(), files.TrashQuery{Limit: limit, Cursor: cursor, Keep: func(i *files.TrashItem) bool { return strings.HasPrefix(i.Path, s.dir+"/") }})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, page.Items...)
		if cursor = page.Next; cursor == "" {
			return out
		}
	}
}

func filesTrash(t *testing.T, s *shelf) {
	ctx := t.Context()
	for _, name := range []string{"/one.txt", "/zwei & drei.txt", "/three.txt"} {
		s.put(t, name, "1234")
	}
	if _, err := s.MakeFolder(ctx, s.dir+"/gone", false); err != nil {
		t.Fatal(err)
	}
	s.put(t, "/gone/in.txt", "12")
	items := map[string]string{}
	for _, name := range []string{"/one.txt", "/zwei & drei.txt", "/three.txt", "/gone"} {
		d, err := s.Delete(ctx, s.dir+name, "")
		if err != nil || d.Item == "" {
			t.Fatalf("%s: %+v, %v", name, d, err)
		}
		items[name] = d.Item
	}
	t.Cleanup(func() {
		for _, item := range items {
			_ = s.Purge(context.WithoutCancel(ctx), item)
		}
	})
	for _, limit := range []int{1, 100} {
		found := s.inTrash(t, limit)
		if len(found) != 4 {
			t.Errorf("by %d: %d items: %+v", limit, len(found), found)
		}
		for _, i := range found {
			if items[strings.TrimPrefix(i.Path, s.dir)] != i.Item || i.Deleted.IsZero() || time.Since(i.Deleted).Abs() > time.Hour || i.FileID == 0 {
				t.Errorf("%+v", i)
			}
			if i.Folder != strings.HasSuffix(i.Path, "/gone") || i.Size != map[bool]int64{false: 4, true: 2}[i.Folder] {
				t.Errorf("%+v", i)
			}
		}
	}
	// Back to where it was, and beside what has taken its name.
	s.put(t, "/one.txt", "new")
	for name, want := range map[string]string{"/gone": "/gone", "/one.txt": "/one (restored).txt", "/zwei & drei.txt": "/zwei & drei.txt"} {
		i, err := s.TrashItem(ctx, items[name])
		if err != nil {
			t.Fatal(err)
		}
		if path, err := s.Restore(ctx, i); err != nil || path != s.dir+want {
			t.Errorf("%s is restored as %q, %v", name, path, err)
		}
	}
	if got := s.text(t, "/gone/in.txt"); got != "12" {
		t.Errorf("in the folder is %q", got)
	}
	if got := s.text(t, "/one.txt"); got != "new" {
		t.Errorf("the new file is %q", got)
	}
	if err := s.Purge(ctx, items["/three.txt"]); err != nil {
		t.Error(err)
	}
	is(t, s.Purge(ctx, items["/three.txt"]), nextcloud.ErrNotFound, "not in the trash")
	_, err := s.TrashItem(ctx, items["/three.txt"])
	is(t, err, nextcloud.ErrNotFound, "not in the trash")
	_, err = s.TrashItem(ctx, "../"+items["/three.txt"])
	is(t, err, nextcloud.ErrInvalid, "")
	_, err = s.Trash(ctx, files.TrashQuery{Cursor: "nonsense"})
	is(t, err, nextcloud.ErrInvalid, "cursor")
	if found := s.inTrash(t, 100); len(found) != 0 {
		t.Errorf("left: %+v", found)
	}
}

// aged writes a file as if it had been written at another time.
func (s *shelf) aged(t *testing.T, nc *nextcloud.Client, name, text string, at time.Time) {
	t.Helper()
	user, err := nc.UserID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	path, err := nextcloud.PathTree("/remote.php/dav/files/"+string(user), s.dir+name)
	if err != nil {
		t.Fatal(err)
	}
	_, err = nc.Do(t.Context(), nextcloud.Request{
		Op: "write", Method: http.MethodPut, Path: path, Accept: "*/*",
		Header: http.Header{"X-OC-MTime": {strconv.FormatInt(at.Unix(), 10)}}, Body: []byte(text), Type: "text/plain",
	})
	if err != nil {
		t.Fatal(err)
	}
}

func filesVersions(t *testing.T, env *Env, s *shelf) {
	ctx := t.Context()
	// Contents of different seconds, which is what versions are told apart by.
	at := time.Now().Add(-time.Hour).Truncate(time.Second)
	for i, text := range []string{"first", "second!", "third version"} {
		s.aged(t, env.Client(t), "/a b.txt", text, at.Add(time.Duration(i)*time.Minute))
	}
	name := s.dir + "/a b.txt"
	versions, e, err := s.Versions(ctx, name)
	if err != nil || e.Path != name {
		t.Fatal(e, err)
	}
	var sizes []int64
	for _, v := range versions {
		sizes = append(sizes, v.Size)
		if v.Current != (v.Size == 13) || v.Modified.IsZero() {
			t.Errorf("%+v", v)
		}
	}
	if !slices.Equal(sizes, []int64{13, 7, 5}) {
		t.Fatalf("sizes %v in %+v", sizes, versions)
	}
	first, second := versions[2].ID, versions[1].ID
	for offset, want := range []string{"first", "irst"} {
		f, err := s.OpenVersion(ctx, name, first, int64(offset))
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(f.Body)
		_ = f.Body.Close()
		if err != nil || string(data) != want || f.Size != 5 {
			t.Errorf("from %d: %q of %d bytes, %v", offset, data, f.Size, err)
		}
	}
	if err := s.LabelVersion(ctx, name, second, "  Grüße & co "); err != nil {
		t.Error(err)
	}
	replaced, err := s.RestoreVersion(ctx, name, first)
	if err != nil || replaced != versions[0].ID {
		t.Fatalf("replaced %q, %v", replaced, err)
	}
	if got := s.text(t, "/a b.txt"); got != "first" {
		t.Errorf("now %q", got)
	}
	versions, _, err = s.Versions(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	label := ""
	for _, v := range versions {
		if v.ID == second {
			label = v.Label
		}
	}
	if label != "Grüße & co" {
		t.Errorf("label %q in %+v", label, versions)
	}
	if back, err := s.RestoreVersion(ctx, name, replaced); err != nil || back == "" {
		t.Errorf("%q, %v", back, err)
	}
	if got := s.text(t, "/a b.txt"); got != "third version" {
		t.Errorf("now %q", got)
	}
	_, err = s.OpenVersion(ctx, name, "1", 0)
	is(t, err, nextcloud.ErrNotFound, "no such version")
	_, err = s.RestoreVersion(ctx, name, "1")
	is(t, err, nextcloud.ErrNotFound, "no such version")
	_, err = s.OpenVersion(ctx, name, "../1", 0)
	is(t, err, nextcloud.ErrInvalid, "not the id of a version")
	_, _, err = s.Versions(ctx, s.dir)
	is(t, err, nextcloud.ErrInvalid, "folder")
	_, _, err = s.Versions(ctx, s.dir+"/none.txt")
	is(t, err, nextcloud.ErrNotFound, "")
}

// contractTag is the one tag that the suite leaves behind: only administrators
// can delete tags.
const contractTag = "contract suite"

func (s *shelf) tag(t *testing.T) *files.Tag {
	t.Helper()
	tag, err := s.Tag(t.Context(), "find", contractTag)
	if errors.Is(err, nextcloud.ErrNotFound) {
		tag, err = s.CreateTag(t.Context(), contractTag)
	}
	if err != nil {
		t.Fatal(err)
	}
	return tag
}

func filesTags(t *testing.T, s *shelf) {
	ctx := t.Context()
	s.put(t, "/a b.txt", "x")
	s.put(t, "/c.txt", "x")
	tag := s.tag(t)
	_, err := s.CreateTag(ctx, contractTag)
	is(t, err, nextcloud.ErrConflict, "there already")
	if again, err := s.Tag(ctx, "find", strings.ToUpper(contractTag)); err != nil || again.ID != tag.ID {
		t.Errorf("%+v, %v", again, err)
	}
	_, err = s.Tag(ctx, "find", "no such tag at all")
	is(t, err, nextcloud.ErrNotFound, contractTag)
	for _, want := range []bool{true, false} {
		if done, err := s.Assign(ctx, s.dir+"/a b.txt", tag); err != nil || done != want {
			t.Errorf("assigned %v, %v", done, err)
		}
	}
	if info, err := s.Info(ctx, s.dir+"/a b.txt"); err != nil || !slices.Contains(info.Tags, contractTag) {
		t.Errorf("%+v, %v", info, err)
	}
	mine := func(e *files.Entry) bool { return strings.HasPrefix(e.Path, s.dir+"/") }
	if _, err := s.Assign(ctx, s.dir, tag); err != nil {
		t.Fatal(err)
	}
	l, err := s.Tagged(ctx, files.ListQuery{}, tag)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(l.Entries, func(e files.Entry) bool { return e.Path == s.dir && e.Folder }) {
		t.Errorf("the folder is not in %+v", l.Entries)
	}
	l, err = s.Tagged(ctx, files.ListQuery{Keep: mine}, tag)
	if err != nil || len(l.Entries) != 1 || l.Files != 1 || l.Entries[0].Path != s.dir+"/a b.txt" {
		t.Errorf("%+v, %v", l, err)
	}
	for _, want := range []bool{true, false} {
		if done, err := s.Unassign(ctx, s.dir+"/a b.txt", tag); err != nil || done != want {
			t.Errorf("taken %v, %v", done, err)
		}
	}
	_, err = s.Tagged(ctx, files.ListQuery{}, &files.Tag{ID: 999_999})
	if err == nil {
		t.Error("a tag that is not there is found")
	}
	_, err = s.Assign(ctx, s.dir+"/none.txt", tag)
	is(t, err, nextcloud.ErrNotFound, "")

	for _, want := range []bool{true, false} {
		if err := s.SetFavorite(ctx, s.dir+"/c.txt", want); err != nil {
			t.Error(err)
		}
		if e, err := s.Stat(ctx, s.dir+"/c.txt"); err != nil || e.Favorite != want {
			t.Errorf("%+v, %v", e, err)
		}
	}
	is(t, s.SetFavorite(ctx, s.dir+"/none.txt", true), nextcloud.ErrNotFound, "")
}

func filesExcluded(t *testing.T, env *Env, s *shelf) {
	ctx := t.Context()
	if _, err := s.MakeFolder(ctx, s.dir+"/Geheim & so", false); err != nil {
		t.Fatal(err)
	}
	s.put(t, "/open.txt", "x")
	s.put(t, "/shut.txt", "x")
	tag := s.tag(t)
	for _, name := range []string{"/Geheim & so", "/shut.txt"} {
		if _, err := s.Assign(ctx, s.dir+name, tag); err != nil {
			t.Fatal(err)
		}
	}
	set, err := exclusion.New([]string{contractTag}).Excluded(ctx, env.Client(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"": false, "/open.txt": false, "/shut.txt": true, "/Geheim & so": true, "/Geheim & so/deep/a.txt": true, "/Geheim & sonst": false,
	} {
		if got := set.Hides(s.dir + name); got != want {
			t.Errorf("%q is hidden: %v", name, got)
		}
	}
	if !set.HidesBelow(s.dir) || set.HidesBelow(s.dir+"/open.txt") {
		t.Error("what the folder holds is not known")
	}
	e, err := s.Stat(ctx, s.dir+"/shut.txt")
	if err != nil || !set.HidesID(e.FileID) {
		t.Errorf("%+v, %v", e, err)
	}
	_, err = exclusion.New([]string{"no such tag at all"}).Excluded(ctx, env.Client(t))
	is(t, err, nextcloud.ErrUnavailable, "no such tag")
}

func filesComments(t *testing.T, s *shelf) {
	ctx := t.Context()
	s.put(t, "/a b.txt", "x")
	name := s.dir + "/a b.txt"
	var ids []int64
	for _, text := range []string{"one", " zwei <b>&\n", "three"} {
		c, e, err := s.Comment(ctx, name, text)
		if err != nil || c.ID == 0 || e.Path != name {
			t.Fatalf("%+v, %v", c, err)
		}
		ids = append(ids, c.ID)
	}
	found, e, err := s.Comments(ctx, name, 2, 0)
	if err != nil || e.FileID == 0 || len(found) != 2 {
		t.Fatalf("%+v, %v", found, err)
	}
	rest, _, err := s.Comments(ctx, name, 2, 2)
	if err != nil || len(rest) != 1 {
		t.Fatalf("%+v, %v", rest, err)
	}
	for i, c := range append(found, rest...) {
		want := []string{"three", "zwei <b>&", "one"}[i]
		if c.Message != want || c.ID != ids[2-i] || c.ActorID == "" || c.Created.IsZero() || c.ActorType != "users" || c.Unread {
			t.Errorf("%+v, want %q", c, want)
		}
	}
	if old, err := s.EditComment(ctx, name, ids[0], "changed"); err != nil || old.Message != "one" {
		t.Errorf("%+v, %v", old, err)
	}
	if old, err := s.DeleteComment(ctx, name, ids[2]); err != nil || old.Message != "three" {
		t.Errorf("%+v, %v", old, err)
	}
	found, _, err = s.Comments(ctx, name, 10, 0)
	if err != nil || len(found) != 2 || found[1].Message != "changed" {
		t.Errorf("%+v, %v", found, err)
	}
	_, err = s.DeleteComment(ctx, name, ids[2])
	is(t, err, nextcloud.ErrNotFound, "no such comment")
	_, _, err = s.Comment(ctx, name, strings.Repeat("ä", files.MaxComment+1))
	is(t, err, nextcloud.ErrInvalid, "1 more")
	_, _, err = s.Comment(ctx, name, " \n")
	is(t, err, nextcloud.ErrInvalid, "empty")
	_, _, err = s.Comment(ctx, s.dir+"/none.txt", "x")
	is(t, err, nextcloud.ErrNotFound, "")
}
