package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/store"
	"nextcloud-mcp-server/internal/store/storetest"
)

func open(tb testing.TB, opts store.Options) *store.Store {
	tb.Helper()
	s, err := store.Open(tb.Context(), opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func path(tb testing.TB) string {
	tb.Helper()
	return filepath.Join(tb.TempDir(), "data", "store.db")
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now func() time.Time) storetest.Store {
		t.Helper()
		return open(t, store.Options{Path: path(t), Now: now})
	})
}

// Two stores on one file, as two replicas have them, pass as one.
func TestTwoStoresOneFile(t *testing.T) {
	file := path(t)
	a, b := open(t, store.Options{Path: file}), open(t, store.Options{Path: file})
	var all sync.WaitGroup
	for i := range 40 {
		s := []*store.Store{a, b}[i%2]
		all.Go(func() {
			if err := s.PutAppPassword(t.Context(), store.AppPassword{Grant: strconv.Itoa(i), Password: "p"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i := range 40 {
		s := []*store.Store{b, a}[i%2] // the other one
		if p, err := s.AppPassword(t.Context(), strconv.Itoa(i)); err != nil || p.Password != "p" {
			t.Errorf("grant %d: %v", i, err)
		}
	}
}

func TestReopen(t *testing.T) {
	for _, test := range []struct {
		name string
		path string
		key  auth.Secret
	}{
		{"key file", "store.db", ""},
		{"key", "store.db", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},
		{"URL characters in the path", "a b?mode=ro#c%20d.db", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), test.path)
			s := open(t, store.Options{Path: file, Key: test.key})
			if err := s.PutAppPassword(t.Context(), store.AppPassword{Grant: "g", Password: "p"}); err != nil {
				t.Fatal(err)
			}
			s.Close()
			if _, err := os.Stat(file); err != nil {
				t.Fatal(err)
			}
			s = open(t, store.Options{Path: file, Key: test.key})
			if p, err := s.AppPassword(t.Context(), "g"); err != nil || p.Password != "p" {
				t.Errorf("after reopening: %v", err)
			}
		})
	}
}

func TestFileModes(t *testing.T) {
	file := path(t)
	s := open(t, store.Options{Path: file})
	if err := s.PutAppPassword(t.Context(), store.AppPassword{Grant: "g", Password: "p"}); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", e.Name(), info.Mode())
		}
		names = append(names, e.Name())
	}
	if got, want := strings.Join(names, " "), "store.db store.db-shm store.db-wal store.db.key store.db.lock"; got != want {
		t.Errorf("files: %s, want %s", got, want)
	}
	if info, err := os.Stat(filepath.Dir(file)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v, %v; want 0700", info.Mode(), err)
	}
}

func TestLooseModesAreTightened(t *testing.T) {
	file := path(t)
	open(t, store.Options{Path: file}).Close()
	for _, f := range []string{file, file + ".key"} {
		if err := os.Chmod(f, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	open(t, store.Options{Path: file})
	for _, f := range []string{file, file + ".key", file + "-wal"} {
		if info, err := os.Stat(f); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v; want 0600", f, info.Mode(), err)
		}
	}
}

func TestNoSecretOnDisk(t *testing.T) {
	file := path(t)
	s := open(t, store.Options{Path: file})
	const secret = "c0ffee-c0ffee-c0ffee"
	err := errors.Join(
		s.PutAppPassword(t.Context(), store.AppPassword{Grant: "g", Password: secret}),
		s.ActivateOAuthClient(t.Context(), store.OAuthClient{Provider: "p", ClientID: "c", Secret: secret, RegistrationToken: secret}),
	)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{file, file + "-wal"} {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), secret) {
			t.Errorf("%s holds a secret in plain text", f)
		}
	}
}

func TestKeys(t *testing.T) {
	const (
		fernet  = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd_v8="
		std     = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd/v8=\n"
		raw     = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd_v8"
		another = "BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd_v8="
	)
	file := path(t)
	open(t, store.Options{Path: file, Key: fernet}).Close()
	for _, key := range []auth.Secret{fernet, std, raw} {
		open(t, store.Options{Path: file, Key: key}).Close()
	}
	before := snapshot(t, file)
	for _, test := range []struct {
		key  auth.Secret
		want error
		text string
	}{
		{another, store.ErrWrongKey, "TOKEN_ENCRYPTION_KEY is not the key that the database " + file},
		{"", store.ErrWrongKey, "its key file " + file + ".key is missing and TOKEN_ENCRYPTION_KEY is not set"},
		{"secret", store.ErrBadKey, "openssl rand -base64 32"},
		{fernet + fernet, store.ErrBadKey, "openssl rand -base64 32"},
		{auth.Secret(raw[:40]), store.ErrBadKey, "openssl rand -base64 32"},
	} {
		s, err := store.Open(t.Context(), store.Options{Path: file, Key: test.key})
		if s != nil || !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("got %v, want %v with %q", err, test.want, test.text)
		}
		if err != nil && test.key != "" && strings.Contains(err.Error(), test.key.Reveal()) {
			t.Errorf("the error tells the key: %v", err)
		}
	}
	if after := snapshot(t, file); after != before {
		t.Errorf("files changed from\n%s\nto\n%s", before, after)
	}
}

func TestKeyFile(t *testing.T) {
	file := path(t)
	s := open(t, store.Options{Path: file})
	if err := s.PutAppPassword(t.Context(), store.AppPassword{Grant: "g", Password: "p"}); err != nil {
		t.Fatal(err)
	}
	s.Close()
	key, err := os.ReadFile(file + ".key")
	if err != nil {
		t.Fatal(err)
	}
	refused := func(want error, text string, opts store.Options) {
		t.Helper()
		opts.Path = file
		before := snapshot(t, file)
		if _, err := store.Open(t.Context(), opts); !errors.Is(err, want) || !strings.Contains(err.Error(), text) {
			t.Errorf("got %v, want %v with %q", err, want, text)
		}
		if after := snapshot(t, file); after != before {
			t.Errorf("files changed from\n%s\nto\n%s", before, after)
		}
	}
	refused(store.ErrWrongKey, "unset it to use the key file", store.Options{Key: "BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd_v8="})

	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file+".key", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd_v8=\n")
	refused(store.ErrWrongKey, "the key file "+file+".key is not the key", store.Options{})
	write("")
	refused(store.ErrBadKey, "put it back from a backup", store.Options{})
	if err := os.Remove(file + ".key"); err != nil {
		t.Fatal(err)
	}
	refused(store.ErrWrongKey, "put the file back from a backup", store.Options{})

	// The key file's text serves as the setting, too.
	s = open(t, store.Options{Path: file, Key: auth.Secret(key)})
	if p, err := s.AppPassword(t.Context(), "g"); err != nil || p.Password != "p" {
		t.Errorf("with the key from its file: %v", err)
	}
}

func TestOpenTogether(t *testing.T) {
	for range 5 {
		file := path(t)
		stores := make([]*store.Store, 8)
		var all sync.WaitGroup
		for i := range stores {
			all.Go(func() {
				s, err := store.Open(t.Context(), store.Options{Path: file})
				if err != nil {
					t.Error(err)
					return
				}
				stores[i] = s
				if err := s.PutAppPassword(t.Context(), store.AppPassword{Grant: strconv.Itoa(i), Password: "p"}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for i, s := range stores {
			if s == nil {
				continue
			}
			// Each reads what the next one wrote: they agree on the key.
			if p, err := s.AppPassword(t.Context(), strconv.Itoa((i+1)%len(stores))); err != nil || p.Password != "p" {
				t.Errorf("store %d: %v", i, err)
			}
			s.Close()
		}
	}
}

func TestRefusedFiles(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("These are the notes of somebody else.\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, path, text string
		want             error
	}{
		{"another kind of file", text, "is not a database", store.ErrNotDatabase},
		{"a directory", dir, "is not a file", store.ErrNotDatabase},
		{"below a file", filepath.Join(text, "store.db"), "not a directory", nil},
		{"no path", "", "TOKEN_STORAGE_DB", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := snapshot(t, text)
			_, err := store.Open(t.Context(), store.Options{Path: test.path})
			if err == nil || !strings.Contains(err.Error(), test.text) || (test.want != nil && !errors.Is(err, test.want)) {
				t.Errorf("got %v, want %v with %q", err, test.want, test.text)
			}
			if after := snapshot(t, text); after != before {
				t.Errorf("files changed from\n%s\nto\n%s", before, after)
			}
		})
	}
}

func TestCancelledOpen(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := store.Open(ctx, store.Options{Path: path(t)}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestPing(t *testing.T) {
	s := open(t, store.Options{Path: path(t)})
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	s.Close()
	if err := s.Ping(t.Context()); err == nil {
		t.Error("a closed store answers")
	}
}

// snapshot is the content of all files beside file, but those that SQLite
// makes while a database is open.
func snapshot(t *testing.T, file string) string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), "-wal") || strings.HasSuffix(e.Name(), "-shm") || e.IsDir() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(filepath.Dir(file), e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %x\n", e.Name(), data)
	}
	return b.String()
}

func BenchmarkOpen(b *testing.B) {
	file := path(b)
	open(b, store.Options{Path: file})
	for b.Loop() {
		s, err := store.Open(b.Context(), store.Options{Path: file})
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

func BenchmarkOpenNew(b *testing.B) {
	dir := b.TempDir()
	n := 0
	for b.Loop() {
		n++
		s, err := store.Open(b.Context(), store.Options{Path: filepath.Join(dir, strconv.Itoa(n))})
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

func BenchmarkAppPassword(b *testing.B) {
	s := open(b, store.Options{Path: path(b)})
	if err := s.PutAppPassword(b.Context(), store.AppPassword{Grant: "g", Password: "p"}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.AppPassword(b.Context(), "g"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPutAppPassword(b *testing.B) {
	s := open(b, store.Options{Path: path(b)})
	for b.Loop() {
		if err := s.PutAppPassword(b.Context(), store.AppPassword{Grant: "g", Password: "p"}); err != nil {
			b.Fatal(err)
		}
	}
}
