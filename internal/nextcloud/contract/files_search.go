package contract

import (
	"bytes"
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

func filesSearch(t *testing.T, s *shelf) {
	ctx := t.Context()
	if _, err := s.MakeFolder(ctx, s.dir+"/deep/er", true); err != nil {
		t.Fatal(err)
	}
	s.put(t, "/Report 1.txt", "1")
	s.put(t, "/report_2.md", strings.Repeat("x", 500))
	s.put(t, "/deep/er/old report.txt", "123")
	s.put(t, "/deep/photo.png", "\x89PNG")
	for name, c := range map[string]struct {
		q    files.Query
		want string
	}{
		"everything":    {files.Query{}, "/Report 1.txt /deep /deep/er /deep/er/old report.txt /deep/photo.png /report_2.md"},
		"part of names": {files.Query{Name: "REPORT"}, "/Report 1.txt /deep/er/old report.txt /report_2.md"},
		"start":         {files.Query{Name: "report*"}, "/Report 1.txt /report_2.md"},
		"percent":       {files.Query{Name: "%.txt"}, "/Report 1.txt /deep/er/old report.txt"},
		"one character": {files.Query{Name: "report?2*"}, "/report_2.md"},
		"type":          {files.Query{Type: "image/"}, "/deep/photo.png"},
		"exact type":    {files.Query{Type: "text/markdown"}, "/report_2.md"},
		"odd type":      {files.Query{Type: "*/png"}, "/deep/photo.png"},
		"kind of type":  {files.Query{Type: "text/m*"}, "/report_2.md"},
		"files":         {files.Query{Kind: files.Files, Name: "d"}, "/deep/er/old report.txt /report_2.md"},
		"folders":       {files.Query{Kind: files.Folders}, "/deep /deep/er"},
		"sizes":         {files.Query{MinSize: 3, MaxSize: 500, Kind: files.Files}, "/deep/er/old report.txt /deep/photo.png /report_2.md"},
		"small":         {files.Query{MaxSize: 2, Kind: files.Files}, "/Report 1.txt"},
		"recent":        {files.Query{After: time.Now().Add(-time.Hour), Name: "photo"}, "/deep/photo.png"},
		"old":           {files.Query{Before: time.Now().Add(-time.Hour)}, ""},
		"all at once":   {files.Query{Name: "report", Type: "text/plain", MinSize: 2, Kind: files.Files, After: time.Now().Add(-time.Hour)}, "/deep/er/old report.txt"},
		"favorites":     {files.Query{Favorite: true}, ""},
		"by size":       {files.Query{Kind: files.Files, Order: files.BySize, Limit: 1}, "/report_2.md"},
	} {
		c.q.Scope = s.dir
		found, err := s.Search(ctx, c.q)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := paths(s, found.Entries)
		slices.Sort(got)
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %s", name, got, c.want)
		}
	}
	// Page by page, with and without a filter.
	for _, keep := range []files.Filter{nil, func(e *files.Entry) bool { return !e.Folder }} {
		var got []string
		q := files.Query{Scope: s.dir, Order: files.ByName, Limit: 2, Keep: keep}
		for range 10 {
			found, err := s.Search(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, paths(s, found.Entries)...)
			if q.Cursor = found.Next; q.Cursor == "" {
				break
			}
		}
		want := 6
		if keep != nil {
			want = 4
		}
		slices.Sort(got)
		if len(got) != want || len(slices.Compact(got)) != want {
			t.Errorf("in pages: %q", got)
		}
	}
	_, err := s.Search(ctx, files.Query{Scope: s.dir + "/nope"})
	is(t, err, nextcloud.ErrNotFound, "/nope is not there")
}

func paths(s *shelf, entries []files.Entry) []string {
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimPrefix(e.Path, s.dir))
	}
	return out
}

// errBroken is a source that breaks.
var errBroken = errors.New("the source broke")

// source is what is uploaded; it breaks at a byte when that is set.
func source(data []byte, breaksAt int, opened *[]int64) files.Source {
	return files.Source{
		Size: int64(len(data)), Identity: "the same",
		Open: func(_ context.Context, offset int64) (io.ReadCloser, error) {
			*opened = append(*opened, offset)
			r := io.Reader(bytes.NewReader(data[offset:]))
			if breaksAt > 0 {
				r = io.MultiReader(bytes.NewReader(data[offset:breaksAt]), broken{})
			}
			return io.NopCloser(r), nil
		},
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errBroken }

func filesUpload(t *testing.T, s *shelf) {
	ctx := t.Context()
	const chunk = 5 << 20
	data := bytes.Repeat([]byte("0123456789abcdef"), (2*chunk+1000)/16)
	var opened []int64
	opts := &files.UploadOptions{Chunk: chunk, Parents: true}

	// It breaks in the third part, and goes on there.
	_, err := s.Upload(ctx, s.dir+"/up/big.bin", source(data, 2*chunk+10, &opened), opts)
	is(t, err, nextcloud.ErrPartly, "goes on from there")
	if _, err := s.Stat(ctx, s.dir+"/up/big.bin"); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("half of it is to be seen: %v", err)
	}
	w, err := s.Upload(ctx, s.dir+"/up/big.bin", source(data, 0, &opened), opts)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(opened, []int64{0, 2 * chunk}) || !w.Created || w.ETag == "" || w.Size != int64(len(data)) {
		t.Errorf("opened at %d, %+v", opened, w)
	}
	got, err := s.Read(ctx, s.dir+"/up/big.bin", 0, 0)
	if err != nil || !bytes.Equal(got.Data, data) {
		t.Errorf("it is not what was sent: %v", err)
	}

	// Nothing is overwritten unless it is said.
	_, err = s.Upload(ctx, s.dir+"/up/big.bin", source(data, 0, &opened), opts)
	is(t, err, nextcloud.ErrPrecondition, w.ETag)
	opts.Guard.ETag = "0123456789abcdef"
	_, err = s.Upload(ctx, s.dir+"/up/big.bin", source(data, 0, &opened), opts)
	is(t, err, nextcloud.ErrPrecondition, w.ETag)
	opts.Guard.ETag = w.ETag
	data[0] = 'X'
	if w, err = s.Upload(ctx, s.dir+"/up/big.bin", source(data, 0, &opened), opts); err != nil || w.Created {
		t.Fatalf("%+v, %v", w, err)
	}
	if got, err := s.Read(ctx, s.dir+"/up/big.bin", 0, 4); err != nil || string(got.Data) != "X123" {
		t.Errorf("%v", err)
	}

	// A source of unknown size, and a small one.
	opts.Guard.ETag = ""
	unknown := source(data, 0, &opened)
	unknown.Size = -1
	if w, err := s.Upload(ctx, s.dir+"/unknown.bin", unknown, opts); err != nil || w.Size != int64(len(data)) {
		t.Errorf("%+v, %v", w, err)
	}
	if w, err := s.Upload(ctx, s.dir+"/small.bin", source([]byte("small"), 0, &opened), opts); err != nil || w.Size != 5 {
		t.Errorf("%+v, %v", w, err)
	}
	short := source(data, 0, &opened)
	short.Size += 7
	_, err = s.Upload(ctx, s.dir+"/short.bin", short, opts)
	is(t, err, nextcloud.ErrInvalid, "nothing was written")
	for _, name := range []string{"/short.bin"} {
		if _, err := s.Stat(ctx, s.dir+name); !errors.Is(err, nextcloud.ErrNotFound) {
			t.Errorf("%s is there: %v", name, err)
		}
	}
}
