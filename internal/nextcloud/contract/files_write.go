package contract

import (
	"errors"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/files"
)

func filesWrite(t *testing.T, s *shelf) {
	ctx := t.Context()
	write := func(name, text string, guard files.Guard, opts *files.WriteOptions) (*files.Written, error) {
		return s.Write(ctx, s.dir+name, strings.NewReader(text), int64(len(text)), guard, opts)
	}
	first, err := write("/a.txt", "one", files.Guard{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !first.Created || first.ETag == "" || first.FileID == 0 || first.Path != s.dir+"/a.txt" || first.URL == "" {
		t.Errorf("%+v", first)
	}
	_, err = write("/a.txt", "two", files.Guard{}, nil)
	is(t, err, nextcloud.ErrPrecondition, first.ETag)
	_, err = write("/a.txt", "two", files.Guard{ETag: "0123456789abcdef"}, nil)
	is(t, err, nextcloud.ErrPrecondition, first.ETag)
	if got := s.text(t, "/a.txt"); got != "one" {
		t.Fatalf("a write that was refused left %q", got)
	}
	second, err := write("/a.txt", "zwei", files.Guard{ETag: first.ETag}, nil)
	if err != nil || second.Created || second.FileID != first.FileID {
		t.Errorf("%+v, %v", second, err)
	}
	if _, err := write("/a.txt", "three", files.Guard{Overwrite: true}, nil); err != nil {
		t.Error(err)
	}
	if _, err := write("/a.txt", "four", files.Guard{Existing: true}, nil); err != nil {
		t.Error(err)
	}
	_, err = write("/new.txt", "x", files.Guard{Existing: true}, nil)
	is(t, err, nextcloud.ErrPrecondition, "not there")
	if got := s.text(t, "/a.txt"); got != "four" {
		t.Errorf("it holds %q", got)
	}
	_, err = write("/no/such/folder/a.txt", "x", files.Guard{}, nil)
	is(t, err, nextcloud.ErrNotFound, "/no/such/folder is not there")
	if _, err = write("/with/such/folder/a.txt", "x", files.Guard{}, &files.WriteOptions{Parents: true}); err != nil {
		t.Error(err)
	}
	if got := s.text(t, "/with/such/folder/a.txt"); got != "x" {
		t.Errorf("it holds %q", got)
	}
	_, err = write("/with", "x", files.Guard{Overwrite: true}, nil)
	is(t, err, nextcloud.ErrConflict, "folder")
}

func filesEdit(t *testing.T, s *shelf) {
	ctx := t.Context()
	w := s.put(t, "/a.txt", "one\ntwo\nthree\n")
	w, err := s.Edit(ctx, s.dir+"/a.txt", w.ETag, files.Replace("two", "2", false))
	if err != nil {
		t.Fatal(err)
	}
	if got := s.text(t, "/a.txt"); got != "one\n2\nthree\n" {
		t.Errorf("%q", got)
	}
	if w.Created {
		t.Errorf("%+v", w)
	}
	_, err = s.Edit(ctx, s.dir+"/a.txt", "0123456789abcdef", files.Replace("one", "1", false))
	is(t, err, nextcloud.ErrPrecondition, "its etag is now")
	if _, err := s.Append(ctx, s.dir+"/a.txt", "four\n"); err != nil {
		t.Fatal(err)
	}
	if got := s.text(t, "/a.txt"); got != "one\n2\nthree\nfour\n" {
		t.Errorf("%q", got)
	}
	_, err = s.Append(ctx, s.dir+"/nope.txt", "x")
	is(t, err, nextcloud.ErrNotFound, "")
}

func filesFolders(t *testing.T, s *shelf) {
	ctx := t.Context()
	for name, want := range map[string]bool{"/A": true, "": false} {
		if made, err := s.MakeFolder(ctx, s.dir+name, false); made != want || err != nil {
			t.Errorf("%q: %v, %v", name, made, err)
		}
	}
	_, err := s.MakeFolder(ctx, s.dir+"/B/C/D", false)
	is(t, err, nextcloud.ErrConflict, "/B/C is not there")
	if made, err := s.MakeFolder(ctx, s.dir+"/B/C/D", true); !made || err != nil {
		t.Errorf("%v, %v", made, err)
	}
	s.put(t, "/file", "x")
	_, err = s.MakeFolder(ctx, s.dir+"/file", false)
	is(t, err, nextcloud.ErrConflict, "a file of this name")

	s.put(t, "/B/C/D/x.txt", "12345")
	tree, err := s.Tree(ctx, s.dir, 2, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range tree.Folders {
		got = append(got, strings.TrimPrefix(f.Path, s.dir))
	}
	if strings.Join(got, " ") != "/A /B /B/C" || !tree.Deeper || tree.More || tree.Root.Size != 6 || tree.Folders[1].Size != 5 {
		t.Errorf("%q of %+v", got, tree)
	}
}

func filesMove(t *testing.T, s *shelf) {
	ctx := t.Context()
	move := func(from, to string, tr files.Transfer) (*files.Written, error) {
		return s.Move(ctx, s.dir+from, s.dir+to, tr)
	}
	s.put(t, "/a.txt", "a")
	s.put(t, "/b.txt", "b")
	if w, err := move("/a.txt", "/ä 1.txt", files.Transfer{}); err != nil || !w.Created {
		t.Fatalf("%+v, %v", w, err)
	}
	if w, err := move("/ä 1.txt", "/copy.txt", files.Transfer{Copy: true}); err != nil || !w.Created {
		t.Fatalf("%+v, %v", w, err)
	}
	for _, name := range []string{"/ä 1.txt", "/copy.txt"} {
		if got := s.text(t, name); got != "a" {
			t.Errorf("%s holds %q", name, got)
		}
	}
	for _, copies := range []bool{false, true} {
		_, err := move("/copy.txt", "/b.txt", files.Transfer{Copy: copies})
		is(t, err, nextcloud.ErrPrecondition, "is there already")
		_, err = move("/copy.txt", "/b.txt", files.Transfer{Copy: copies, Overwrite: true, ETag: "0123456789abcdef"})
		is(t, err, nextcloud.ErrPrecondition, "its etag is now")
		_, err = move("/copy.txt", "/no/such.txt", files.Transfer{Copy: copies})
		is(t, err, nextcloud.ErrConflict, "/no is not there")
		_, err = move("/nope.txt", "/x.txt", files.Transfer{Copy: copies})
		is(t, err, nextcloud.ErrNotFound, "/nope.txt is not there")
	}
	if got := s.text(t, "/b.txt"); got != "b" {
		t.Errorf("what was refused left %q", got)
	}
	now, err := s.Stat(ctx, s.dir+"/b.txt")
	if err != nil {
		t.Fatal(err)
	}
	if w, err := move("/copy.txt", "/b.txt", files.Transfer{Overwrite: true, ETag: now.ETag}); err != nil || w.Created {
		t.Errorf("%+v, %v", w, err)
	}
	if got := s.text(t, "/b.txt"); got != "a" {
		t.Errorf("it holds %q", got)
	}
	if _, err := s.MakeFolder(ctx, s.dir+"/F/sub", true); err != nil {
		t.Fatal(err)
	}
	s.put(t, "/F/sub/x.txt", "x")
	if _, err := move("/F", "/G", files.Transfer{Copy: true}); err != nil {
		t.Fatal(err)
	}
	if got := s.text(t, "/G/sub/x.txt"); got != "x" {
		t.Errorf("the copy holds %q", got)
	}
}

func filesDelete(t *testing.T, s *shelf) {
	ctx := t.Context()
	w := s.put(t, "/a b.txt", "1234")
	_, err := s.Delete(ctx, s.dir+"/a b.txt", "0123456789abcdef")
	is(t, err, nextcloud.ErrPrecondition, w.ETag)
	d, err := s.Delete(ctx, s.dir+"/a b.txt", w.ETag)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(d.Item, "a b.txt.d") || d.Folder || d.Size != 4 {
		t.Errorf("%+v", d)
	}
	_, err = s.Delete(ctx, s.dir+"/a b.txt", "")
	is(t, err, nextcloud.ErrNotFound, "")
	if _, err := s.MakeFolder(ctx, s.dir+"/F", false); err != nil {
		t.Fatal(err)
	}
	if d, err := s.Delete(ctx, s.dir+"/F", ""); err != nil || !d.Folder || !strings.HasPrefix(d.Item, "F.d") {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := s.Stat(ctx, s.dir+"/F"); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("it is still there: %v", err)
	}
}
