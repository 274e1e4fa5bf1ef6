package contract

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/files"
)

// shelf is a folder of a test in the person's files, which is gone afterwards.
type shelf struct {
	*files.Client
	dir string
}

func newShelf(t *testing.T, env *Env) *shelf {
	t.Helper()
	s := &shelf{files.New(env.Client(t)), "/" + unique("contract")}
	if made, err := s.MakeFolder(t.Context(), s.dir, false); err != nil || !made {
		t.Fatalf("made %v, %v", made, err)
	}
	t.Cleanup(func() {
		_, err := s.Delete(context.WithoutCancel(t.Context()), s.dir, "")
		if err != nil && !errors.Is(err, nextcloud.ErrNotFound) {
			t.Errorf("clean up: %v", err)
		}
	})
	return s
}

// put writes a file that is not there yet.
func (s *shelf) put(t *testing.T, name, text string) *files.Written {
	t.Helper()
	w, err := s.Write(t.Context(), s.dir+name, strings.NewReader(text), int64(len(text)), files.Guard{}, nil)
	if err != nil {
		t.Fatalf("put %s: %v", name, err)
	}
	return w
}

// text is what is in a file.
func (s *shelf) text(t *testing.T, name string) string {
	t.Helper()
	got, err := s.Read(t.Context(), s.dir+name, 0, 0)
	if err != nil {
		t.Fatalf("read %s: %v", name, err)
	}
	return string(got.Data)
}

// is checks that err is of that kind and says something.
func is(t *testing.T, err, kind error, says string) {
	t.Helper()
	if !errors.Is(err, kind) || !strings.Contains(err.Error(), says) {
		t.Errorf("error %v, want %v with %q", err, kind, says)
	}
}

func runFiles(t *testing.T, env *Env) {
	t.Run("names", func(t *testing.T) { filesNames(t, newShelf(t, env)) })
	t.Run("list", func(t *testing.T) { filesList(t, newShelf(t, env)) })
	t.Run("read", func(t *testing.T) { filesRead(t, newShelf(t, env)) })
	t.Run("write", func(t *testing.T) { filesWrite(t, newShelf(t, env)) })
	t.Run("edit", func(t *testing.T) { filesEdit(t, newShelf(t, env)) })
	t.Run("folders", func(t *testing.T) { filesFolders(t, newShelf(t, env)) })
	t.Run("move", func(t *testing.T) { filesMove(t, newShelf(t, env)) })
	t.Run("delete", func(t *testing.T) { filesDelete(t, newShelf(t, env)) })
	t.Run("info", func(t *testing.T) { filesInfo(t, newShelf(t, env)) })
	t.Run("search", func(t *testing.T) { filesSearch(t, newShelf(t, env)) })
	t.Run("upload", func(t *testing.T) { filesUpload(t, newShelf(t, env)) })
	t.Run("trash", func(t *testing.T) { filesTrash(t, newShelf(t, env)) })
	t.Run("versions", func(t *testing.T) { filesVersions(t, env, newShelf(t, env)) })
	t.Run("tags", func(t *testing.T) { filesTags(t, newShelf(t, env)) })
	t.Run("excluded", func(t *testing.T) { filesExcluded(t, env, newShelf(t, env)) })
	t.Run("comments", func(t *testing.T) { filesComments(t, newShelf(t, env)) })
}

// names that are awkwardNames to encode.
var awkwardNames = []string{"Grüße & co #1 50%.md", "a+b c?.txt", "100%25.txt", "日本語.txt", "it's \"quoted\" <b>.txt", "semi;colon,comma=eq.txt", "~tilde [1] {2}.txt", "…dots...txt"}

func filesNames(t *testing.T, s *shelf) {
	for _, name := range awkwardNames {
		s.put(t, "/"+name, name)
		if got := s.text(t, "/"+name); got != name {
			t.Errorf("%q holds %q", name, got)
		}
	}
	l, err := s.List(t.Context(), s.dir, files.ListQuery{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range l.Entries {
		got = append(got, e.Name)
	}
	for _, name := range awkwardNames {
		if !slices.Contains(got, name) {
			t.Errorf("%q is not listed in %q", name, got)
		}
	}
	// What Nextcloud itself forbids is an invalid request, not a failure.
	for _, name := range []string{"/.htaccess", "/" + strings.Repeat("x", 251)} {
		_, err := s.Write(t.Context(), s.dir+name, strings.NewReader("x"), 1, files.Guard{}, nil)
		is(t, err, nextcloud.ErrInvalid, "")
	}
}

func filesList(t *testing.T, s *shelf) {
	ctx := t.Context()
	if _, err := s.MakeFolder(ctx, s.dir+"/Sub", false); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"/b.txt", "/a.txt", "/c.txt", "/Sub/inner.txt"} {
		s.put(t, name, strings.Repeat("x", len(name)))
	}
	var got []string
	cursor := ""
	for range 10 {
		l, err := s.List(ctx, s.dir, files.ListQuery{Limit: 2, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		if l.Files != 3 || l.Folders != 1 || l.Size != 18 || l.Folder.Path != s.dir || !l.Folder.Folder {
			t.Errorf("%d files, %d folders, %d bytes of %+v", l.Files, l.Folders, l.Size, l.Folder)
		}
		for _, e := range l.Entries {
			got = append(got, strings.TrimPrefix(e.Path, s.dir))
			if e.FileID == 0 || e.ETag == "" || e.Modified.IsZero() || e.Size <= 0 {
				t.Errorf("incomplete: %+v", e)
			}
			if e.Folder != (e.Name == "Sub") || (e.Type == "text/plain") == e.Folder {
				t.Errorf("kind: %+v", e)
			}
		}
		if cursor = l.Next; cursor == "" {
			break
		}
	}
	if want := []string{"/Sub", "/a.txt", "/b.txt", "/c.txt"}; !slices.Equal(got, want) {
		t.Errorf("listed %q", got)
	}
	_, err := s.List(ctx, s.dir+"/a.txt", files.ListQuery{})
	is(t, err, nextcloud.ErrInvalid, "it is a file")
	_, err = s.List(ctx, s.dir+"/nope", files.ListQuery{})
	is(t, err, nextcloud.ErrNotFound, "")
	if _, err := s.List(ctx, "/", files.ListQuery{}); err != nil {
		t.Errorf("the root: %v", err)
	}
}

func filesRead(t *testing.T, s *shelf) {
	ctx := t.Context()
	text := strings.Repeat("0123456789", 1000)
	w := s.put(t, "/big.txt", text)
	s.put(t, "/empty.txt", "")
	for _, c := range []struct{ offset, length, from, to int64 }{
		{0, 0, 0, 10_000}, {0, 10, 0, 10}, {5, 10, 5, 15}, {9_990, 100, 9_990, 10_000}, {9_999, 0, 9_999, 10_000}, {3, 0, 3, 10_000},
	} {
		got, err := s.Read(ctx, s.dir+"/big.txt", c.offset, c.length)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		if string(got.Data) != text[c.from:c.to] || got.Size != 10_000 || got.Offset != c.offset || got.ETag != w.ETag || got.Type != "text/plain" || got.Modified.IsZero() {
			t.Errorf("%+v: %d bytes of %+v", c, len(got.Data), got.File)
		}
	}
	if got := s.text(t, "/empty.txt"); got != "" {
		t.Errorf("%q", got)
	}
	_, err := s.Read(ctx, s.dir+"/big.txt", 10_001, 0)
	is(t, err, nextcloud.ErrInvalid, "beyond the end")
	_, err = s.Read(ctx, s.dir+"/nope.txt", 0, 0)
	is(t, err, nextcloud.ErrNotFound, "")
	_, err = s.Read(ctx, s.dir, 0, 0)
	is(t, err, nextcloud.ErrInvalid, "it is a folder")

	f, err := s.Open(ctx, s.dir+"/big.txt", 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Body.Close()
	if b, err := io.ReadAll(f.Body); err != nil || string(b) != text {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func filesInfo(t *testing.T, s *shelf) {
	ctx := t.Context()
	s.put(t, "/a.txt", "text")
	i, err := s.Info(ctx, s.dir+"/a.txt")
	if err != nil {
		t.Fatal(err)
	}
	if i.Folder || i.Size != 4 || i.OwnerID == "" || i.OwnerName == "" || i.Type != "text/plain" || i.Lock != nil || time.Since(i.Uploaded) > time.Hour || i.MountRoot {
		t.Errorf("%+v", i)
	}
	if rights := files.Rights(i.Permissions, false); !slices.Equal(rights, []string{"read", "change", "rename", "move", "delete", "share"}) {
		t.Errorf("rights %q of %q", rights, i.Permissions)
	}
	i, err = s.Info(ctx, s.dir)
	if err != nil {
		t.Fatal(err)
	}
	if !i.Folder || i.Files != 1 || i.Folders != 0 || i.Size != 4 {
		t.Errorf("%+v", i)
	}
	_, err = s.Info(ctx, s.dir+"/nope")
	is(t, err, nextcloud.ErrNotFound, "")
	l, err := s.Link(ctx, s.dir+"/a.txt", time.Hour)
	if err != nil || !strings.Contains(l.URL, "/remote.php/direct/") || time.Until(l.Expires) > time.Hour+time.Minute {
		t.Errorf("%+v, %v", l, err)
	}
	_, err = s.Link(ctx, s.dir, time.Hour)
	is(t, err, nextcloud.ErrInvalid, "folder")
}
