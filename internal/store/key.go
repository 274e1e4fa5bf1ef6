package store

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"nextcloud-mcp-server/internal/auth"
)

// The settings that messages name.
const (
	keySetting  = "TOKEN_ENCRYPTION_KEY"
	pathSetting = "TOKEN_STORAGE_DB"
)

const keySize = 32 // bytes

// keyRecipe makes a key.
const keyRecipe = "`openssl rand -base64 32`"

// parseKey reads 32 bytes in any form of base64, padded or not; Fernet keys
// are such (base64url).
func parseKey(text auth.Secret) ([]byte, bool) {
	t := strings.TrimRight(strings.TrimSpace(text.Reveal()), "=")
	t = strings.NewReplacer("-", "+", "_", "/").Replace(t)
	key, err := base64.RawStdEncoding.DecodeString(t)
	return key, err == nil && len(key) == keySize
}

// keyFile is where the key is kept when none is configured.
func (s *Store) keyFile() string { return s.path + ".key" }

// key is the configured key, else that of the key file. Without either it
// makes a key file, but only if create is set: a database that was written
// with a key must never get another one.
func (s *Store) key(configured auth.Secret, create bool) (key []byte, source string, err error) {
	if configured != "" {
		key, ok := parseKey(configured)
		if !ok {
			return nil, "", &Error{Op: "read encryption key", Kind: ErrBadKey, Message: keySetting + " is not 32 bytes in base64: make one with " + keyRecipe}
		}
		return key, keySetting, nil
	}
	file := s.keyFile()
	key, err = readKeyFile(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, "the key file " + file, err
	}
	if !create {
		return nil, "", &Error{Op: "read encryption key", Kind: ErrWrongKey, Message: fmt.Sprintf(
			"the database %s is encrypted, but its key file %s is missing and %s is not set: put the file back from a backup, or move the database away and let people sign in again",
			s.path, file, keySetting)}
	}
	key = make([]byte, keySize)
	rand.Read(key) // never fails
	text := base64.StdEncoding.EncodeToString(key) + "\n"
	if err := writePrivate(file, []byte(text)); err != nil {
		return nil, "", s.fail("make key file", err)
	}
	return key, "the key file " + file, nil
}

func readKeyFile(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 1<<10))
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	key, ok := parseKey(auth.Secret(text))
	if !ok {
		return nil, &Error{Op: "read encryption key", Kind: ErrBadKey, Message: "the key file " + file + " does not hold 32 bytes in base64: put it back from a backup"}
	}
	// The owner alone may read it, also after it was copied about. Where the
	// file system knows no modes, nothing can be done.
	if info, err := f.Stat(); err == nil && info.Mode().Perm()&0o077 != 0 {
		_ = f.Chmod(0o600)
	}
	return key, nil
}

// writePrivate makes file with mode 0600 and the given content, all at once
// and on the disk before it has its name. The caller holds the set-up lock, so
// nobody else makes the same file.
func writePrivate(file string, content []byte) (err error) {
	dir := filepath.Dir(file)
	tmp, err := os.CreateTemp(dir, filepath.Base(file)+".*.tmp") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	_, err = tmp.Write(content)
	if err == nil {
		err = tmp.Sync()
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	if err = os.Rename(tmp.Name(), file); err != nil {
		return err
	}
	syncDir(dir)
	return nil
}

// createPrivate makes an empty file with mode 0600 unless it is there.
//
// It must not open and close a file that SQLite may have open in this process:
// closing any descriptor of a file drops the process's POSIX locks on it. So
// the file is made under another name and linked.
func createPrivate(file string) error {
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*.tmp") // mode 0600
	if err != nil {
		return err
	}
	name := tmp.Name()
	defer func() { _ = os.Remove(name) }()
	if err := tmp.Close(); err != nil {
		return err
	}
	err = os.Link(name, file)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	// A file system without hard links.
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// syncDir puts a new name on the disk; where a directory cannot be synced
// there is nothing better to do.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
