package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/store"
)

const (
	oldKey   auth.Secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	freshKey auth.Secret = "_____wQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	otherKey auth.Secret = "77777wQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
)

// engines runs a test with the options of an empty database of each kind.
func engines(t *testing.T, run func(t *testing.T, opts store.Options)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { run(t, store.Options{Path: path(t)}) })
	t.Run("PostgreSQL", func(t *testing.T) { run(t, store.Options{URL: database(t)}) })
}

// rawOf is the database of opts without this package's care.
func rawOf(t *testing.T, opts store.Options) *sql.DB {
	t.Helper()
	if opts.URL != "" {
		return rawPostgres(t, opts.URL)
	}
	return raw(t, opts.Path)
}

// passwords is how many app passwords writeSecrets writes: more than a rotation takes
// at once.
const passwords = 450

// sealedValues is how many values writeSecrets seals.
const sealedValues = passwords + 6

// writeSecrets writes something into every column of sealed values.
func writeSecrets(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	errs := []error{
		s.ActivateOAuthClient(ctx, store.OAuthClient{Provider: "p", ClientID: "c", Secret: "secret", RegistrationToken: "token"}),
		s.CreateGrant(ctx, store.Grant{
			ID: "grant", State: store.GrantActive,
			Credential: store.Credential{Kind: store.RefreshTokenCredential, Secret: "credential", Version: 1},
		}),
		s.PutFlow(ctx, store.Flow{Kind: "kind", Key: store.HashOf("flow"), Payload: "payload", ExpiresAt: time.Now().Add(time.Hour)}),
		s.AddRevocation(ctx, store.Revocation{ID: "revocation", Password: "revoked"}),
		s.PutAccount(ctx, store.Account{Host: "h", Password: "account"}),
	}
	for i := range passwords {
		errs = append(errs, s.PutAppPassword(ctx, store.AppPassword{Grant: strconv.Itoa(i), Password: auth.Secret("p" + strconv.Itoa(i))}))
	}
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// checkSecrets reads all that writeSecrets wrote.
func checkSecrets(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	clients, err := s.OAuthClients(ctx, "p")
	if err != nil || len(clients) != 1 || clients[0].Secret != "secret" || clients[0].RegistrationToken != "token" {
		t.Errorf("OAuth client: %v", err)
	}
	if g, err := s.Grant(ctx, "grant"); err != nil || g.Credential.Secret != "credential" {
		t.Errorf("grant: %v", err)
	}
	if f, err := s.Flow(ctx, "kind", store.HashOf("flow")); err != nil || f.Payload != "payload" {
		t.Errorf("flow: %v", err)
	}
	if r, err := s.DueRevocations(ctx, 2); err != nil || len(r) != 1 || r[0].Password != "revoked" {
		t.Errorf("revocation: %v", err)
	}
	if a, err := s.Account(ctx); err != nil || a.Password != "account" {
		t.Errorf("account: %v", err)
	}
	for i := range passwords {
		if p, err := s.AppPassword(ctx, strconv.Itoa(i)); err != nil || p.Password != auth.Secret("p"+strconv.Itoa(i)) {
			t.Fatalf("app password %d: %v", i, err)
		}
	}
}

func rotate(t *testing.T, s *store.Store, resealed, damaged int) store.KeyRotation {
	t.Helper()
	got, err := s.RotateKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.Resealed != resealed || got.Damaged != damaged || len(got.Current) != 8 {
		t.Errorf("rotation: %+v, want %d resealed and %d damaged", got, resealed, damaged)
	}
	return got
}

// keyLines are the keys of a key file.
func keyLines(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file + ".key")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func refused(t *testing.T, want error, text string, opts store.Options) {
	t.Helper()
	s, err := store.Open(t.Context(), opts)
	if s != nil {
		s.Close()
	}
	wantError(t, err, want, text)
}

func TestRotateKeyFile(t *testing.T) {
	opts := store.Options{Path: path(t)}
	s, running := open(t, opts), open(t, opts)
	writeSecrets(t, s)
	before := keyLines(t, opts.Path)
	first := rotate(t, s, sealedValues, 0)
	after := keyLines(t, opts.Path)
	if len(before) != 1 || len(after) != 1 || after[0] == before[0] {
		t.Errorf("the key file has %d keys after %d, or the same", len(after), len(before))
	}
	if info, err := os.Stat(opts.Path + ".key"); err != nil || info.Mode() != 0o600 {
		t.Errorf("key file: %v, %v; want 0600", info.Mode(), err)
	}
	checkSecrets(t, s)
	checkSecrets(t, running)
	checkSecrets(t, open(t, opts))

	// What the process that did not rotate writes is of the new key, too.
	if err := running.PutAppPassword(t.Context(), store.AppPassword{Grant: "0", Password: "p0"}); err != nil {
		t.Fatal(err)
	}
	checkSecrets(t, open(t, opts))
	refused(t, store.ErrWrongKey, "is not the key", store.Options{Path: opts.Path, Key: auth.Secret(before[0])})

	second := rotate(t, running, sealedValues, 0)
	if second.Current == first.Current {
		t.Error("the second rotation has the key of the first")
	}
	checkSecrets(t, s)
}

func TestRotateConfiguredKeys(t *testing.T) {
	engines(t, func(t *testing.T, opts store.Options) {
		t.Helper()
		with := func(key auth.Secret, previous ...auth.Secret) store.Options {
			opts.Key, opts.PreviousKeys = key, previous
			return opts
		}
		writeSecrets(t, open(t, with(oldKey)))
		// A new key without a word about the old one, then with it.
		refused(t, store.ErrWrongKey, "TOKEN_ENCRYPTION_KEY is not the key", with(freshKey))
		late := open(t, with(oldKey))
		prepared := open(t, with(oldKey, freshKey))
		s := open(t, with(freshKey, otherKey, oldKey))
		checkSecrets(t, s)
		// This one is of the new key already.
		if err := s.PutAppPassword(t.Context(), store.AppPassword{Grant: "0", Password: "p0"}); err != nil {
			t.Fatal(err)
		}
		checkSecrets(t, prepared)
		// Before the rotation nobody may believe to be able to do without the old key.
		refused(t, store.ErrWrongKey, "TOKEN_ENCRYPTION_KEY is not the key", with(freshKey))

		rotate(t, s, sealedValues-1, 0)
		checkSecrets(t, open(t, with(freshKey)))
		rotate(t, s, 0, 0)
		refused(t, store.ErrWrongKey, "TOKEN_ENCRYPTION_KEY is not the key", with(oldKey))

		// Whoever knows the new key goes over to it; whoever does not writes no more.
		put := store.AppPassword{Grant: "1", Password: "p1"}
		if err := prepared.PutAppPassword(t.Context(), put); err != nil {
			t.Error(err)
		}
		wantError(t, late.PutAppPassword(t.Context(), put), store.ErrWrongKey, "was replaced: start this process again")
		checkSecrets(t, open(t, with(freshKey)))
	})
}

// From a key file to a configured key.
func TestRotateToConfiguredKey(t *testing.T) {
	opts := store.Options{Path: path(t)}
	writeSecrets(t, open(t, opts))
	opts.Key, opts.PreviousKeys = freshKey, []auth.Secret{auth.Secret(keyLines(t, opts.Path)[0])}
	rotate(t, open(t, opts), sealedValues, 0)
	opts.PreviousKeys = nil
	checkSecrets(t, open(t, opts))
	refused(t, store.ErrWrongKey, "is not the key", store.Options{Path: opts.Path})
}

func TestWrongPreviousKeys(t *testing.T) {
	engines(t, func(t *testing.T, opts store.Options) {
		t.Helper()
		opts.Key = oldKey
		open(t, opts)
		opts.PreviousKeys = []auth.Secret{otherKey} // of no use, and no harm
		open(t, opts)
		opts.Key = freshKey
		refused(t, store.ErrWrongKey, "neither TOKEN_ENCRYPTION_KEY nor TOKEN_ENCRYPTION_KEY_PREVIOUS holds the key", opts)
		opts.PreviousKeys = []auth.Secret{oldKey, "hunter2"}
		refused(t, store.ErrBadKey, "a key in TOKEN_ENCRYPTION_KEY_PREVIOUS is not 32 bytes", opts)
	})
}

func TestRotateDamaged(t *testing.T) {
	engines(t, func(t *testing.T, opts store.Options) {
		t.Helper()
		opts.Key = oldKey
		s := open(t, opts)
		writeSecrets(t, s)
		db := rawOf(t, opts)
		// Of another row, of no key, and nothing sealed at all.
		execute(t, db, "UPDATE app_passwords SET password = (SELECT password FROM app_passwords WHERE grant_key = '9') WHERE grant_key = '1'")
		damaged := map[string][]byte{"2": bytes.Repeat([]byte{1}, 60), "3": {}, "4": []byte("plain text")}
		for grant, value := range damaged {
			statement := "UPDATE app_passwords SET password = $1 WHERE grant_key = $2"
			execute(t, db, statement, value, grant)
		}
		for _, key := range []auth.Secret{oldKey, freshKey} {
			opts.Key, opts.PreviousKeys = key, []auth.Secret{oldKey}
			want := sealedValues - 4
			if key == oldKey {
				want = 0
			}
			rotate(t, open(t, opts), want, 4)
		}
		for grant, want := range damaged {
			var got []byte
			if err := db.QueryRowContext(t.Context(), "SELECT password FROM app_passwords WHERE grant_key = $1", grant).Scan(&got); err != nil || !bytes.Equal(got, want) {
				t.Errorf("the damaged value of %s was changed: %x, %v", grant, got, err)
			}
		}
	})
}

// A rotation that is killed anywhere leaves everything readable, and can be
// done again.
func TestKilledRotation(t *testing.T) {
	file := path(t)
	writeSecrets(t, open(t, store.Options{Path: file}))
	unfinished := 0
	for step, done := 1, false; !done; step += 50 {
		if step > 10000 {
			t.Fatal("the rotation never ends")
		}
		out := rotateInChild(t, store.Options{Path: file}, step)
		switch {
		case strings.HasPrefix(out, "rotated"):
			done = true
		case out != "":
			t.Fatalf("the rotation says %s", out)
		}
		switch n := len(keyLines(t, file)); {
		case n == 2 && !done:
			unfinished++
		case n != 1:
			t.Fatalf("%d keys in the file after step %d", n, step)
		}
		checkSecrets(t, open(t, store.Options{Path: file}))
	}
	if unfinished < 3 {
		t.Errorf("only %d of the rotations were killed halfway", unfinished)
	}
}

func TestKilledRotationConfigured(t *testing.T) {
	engines(t, func(t *testing.T, opts store.Options) {
		t.Helper()
		opts.Key = oldKey
		writeSecrets(t, open(t, opts))
		opts.Key, opts.PreviousKeys = freshKey, []auth.Secret{oldKey}
		for step, done := 1, false; !done; step += 150 {
			if step > 10000 {
				t.Fatal("the rotation never ends")
			}
			out := rotateInChild(t, opts, step)
			switch {
			case strings.HasPrefix(out, "rotated"):
				done = true
			case out != "":
				t.Fatalf("the rotation says %s", out)
			}
			checkSecrets(t, open(t, opts))
		}
		opts.PreviousKeys = nil
		checkSecrets(t, open(t, opts))
	})
}

// A crash after the last change and before the old key leaves the file.
func TestKilledBeforeOldKeyGoes(t *testing.T) {
	opts := store.Options{Path: path(t)}
	s := open(t, opts)
	writeSecrets(t, s)
	before := keyLines(t, opts.Path)[0]
	rotate(t, s, sealedValues, 0)
	now := keyLines(t, opts.Path)[0]
	if err := os.WriteFile(opts.Path+".key", []byte(now+"\n"+before+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, opts)
	checkSecrets(t, s)
	rotate(t, s, 0, 0)
	if got := keyLines(t, opts.Path); len(got) != 1 || got[0] != now {
		t.Errorf("%d keys are left, or another one", len(got))
	}
}

// Another process works on while the key is rotated under it.
func TestRotateUnderLoad(t *testing.T) {
	engines(t, func(t *testing.T, opts store.Options) {
		t.Helper()
		serving, rotating := opts, opts
		if opts.URL != "" {
			serving.Key, serving.PreviousKeys = oldKey, []auth.Secret{freshKey}
			rotating.Key, rotating.PreviousKeys = freshKey, []auth.Secret{oldKey}
		}
		s := open(t, serving)
		writeSecrets(t, s)
		cmd, out := startChild(t, "serve", serving, 0)
		if _, err := io.ReadFull(out, make([]byte, len("open\n"))); err != nil {
			t.Fatal(err)
		}
		r := open(t, rotating)
		for range 3 {
			if _, err := r.RotateKey(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		rest, _ := io.ReadAll(out)
		_ = cmd.Wait()
		if len(rest) > 0 {
			t.Errorf("the other process says %s", rest)
		}
		rotating.PreviousKeys = nil
		checkSecrets(t, open(t, rotating))
	})
}

// The environment variables of the children below, beside childPath.
const (
	childURL      = "STORE_TEST_URL"
	childKey      = "STORE_TEST_KEY"
	childPrevious = "STORE_TEST_PREVIOUS"
	childSteps    = "STORE_TEST_STEPS"
)

func startChild(t *testing.T, task string, opts store.Options, steps int) (*exec.Cmd, io.Reader) {
	t.Helper()
	cmd := child(t, executable(t), task, opts.Path)
	cmd.Env = append(cmd.Env, childURL+"="+opts.URL.Reveal(), childKey+"="+opts.Key.Reveal(), childSteps+"="+strconv.Itoa(steps))
	for _, key := range opts.PreviousKeys {
		cmd.Env = append(cmd.Env, childPrevious+"="+key.Reveal())
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, out
}

// rotateInChild is what a process said that kills itself after some steps.
func rotateInChild(t *testing.T, opts store.Options, steps int) string {
	t.Helper()
	cmd, out := startChild(t, "rotate", opts, steps)
	said, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed, or what it said
	return string(said)
}

func openInChild() *store.Store {
	opts := store.Options{Path: os.Getenv(childPath), URL: auth.Secret(os.Getenv(childURL)), Key: auth.Secret(os.Getenv(childKey))}
	if previous := os.Getenv(childPrevious); previous != "" {
		opts.PreviousKeys = []auth.Secret{auth.Secret(previous)}
	}
	s, err := store.Open(context.Background(), opts)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	return s
}

// rotateChild rotates the key and kills itself after childSteps steps.
func rotateChild() {
	steps, err := strconv.Atoi(os.Getenv(childSteps))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	ctx := &deadly{Context: context.Background()}
	ctx.steps.Store(int64(steps))
	r, err := openInChild().RotateKey(ctx)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("rotated", r.Resealed)
}

// deadly is a context that kills the process when it was asked often enough
// whether to go on. Whoever uses a database asks before every step.
type deadly struct {
	context.Context //nolint:containedctx // it is one
	steps           atomic.Int64
}

func (d *deadly) Done() <-chan struct{} {
	d.step()
	return d.Context.Done()
}

func (d *deadly) Err() error {
	d.step()
	return d.Context.Err()
}

func (d *deadly) step() {
	if d.steps.Add(-1) > 0 {
		return
	}
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Kill()
	}
	select {}
}

// serveChild writes again and again what writeSecrets wrote.
func serveChild() {
	s := openInChild()
	ctx := context.Background()
	fmt.Println("open")
	for i := 0; ; i = (i + 1) % passwords {
		grant, password := strconv.Itoa(i), auth.Secret("p"+strconv.Itoa(i))
		err := s.PutAppPassword(ctx, store.AppPassword{Grant: grant, Password: password})
		if err == nil {
			_, err = s.AppPassword(ctx, strconv.Itoa((i*7)%passwords))
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
}
