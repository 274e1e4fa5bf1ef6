package store

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"nextcloud-mcp-server/internal/auth"
)

// The settings that messages name.
const (
	keySetting      = "TOKEN_ENCRYPTION_KEY"
	previousSetting = "TOKEN_ENCRYPTION_KEY_PREVIOUS"
	pathSetting     = "TOKEN_STORAGE_DB"
)

const keySize = 32 // bytes

// maxKeys bounds a key file: the current key, and those of rotations that did
// not come to their end.
const maxKeys = 16

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

func newKey() []byte {
	key := make([]byte, keySize)
	rand.Read(key) // never fails
	return key
}

// configuredKeys are the keys of the settings. The first one is the current
// key when there is one.
func (s *Store) configuredKeys(opts *Options) (keys [][]byte, err error) {
	add := func(text auth.Secret, setting string) bool {
		key, ok := parseKey(text)
		if !ok {
			err = &Error{Op: "read encryption key", Kind: ErrBadKey, Message: setting + " is not 32 bytes in base64: make one with " + keyRecipe}
		}
		keys = append(keys, key)
		return ok
	}
	if opts.Key != "" && !add(opts.Key, keySetting) {
		return nil, err
	}
	for _, text := range opts.PreviousKeys {
		if !add(text, "a key in "+previousSetting) {
			return nil, err
		}
	}
	return keys, nil
}

// findKeys are the configured keys, before them those of the key file unless a
// current key is configured. Without either it makes a key file, but only if
// create is set: a database that was written with a key must never get another
// one. The source is for messages.
func (s *Store) findKeys(opts *Options, create bool) (keys [][]byte, file, source string, err error) {
	keys, err = s.configuredKeys(opts)
	if err != nil || opts.Key != "" {
		return keys, "", keySetting, err
	}
	database, setting := s.engine.name()
	file = s.engine.keyFile()
	if file == "" {
		return nil, "", "", &Error{Op: "read encryption key", Kind: ErrWrongKey, Message: fmt.Sprintf(
			"%s is not set, and with %s there is no key file: make a key with %s and give the same one to every process", keySetting, setting, keyRecipe)}
	}
	inFile, err := readKeyFile(file)
	switch {
	case err == nil:
	case !errors.Is(err, fs.ErrNotExist):
		return nil, "", "", err
	case !create:
		return nil, "", "", &Error{Op: "read encryption key", Kind: ErrWrongKey, Message: fmt.Sprintf(
			"%s is encrypted, but its key file %s is missing and %s is not set: put the file back from a backup, or move the database away and let people sign in again",
			database, file, keySetting)}
	default:
		inFile = [][]byte{newKey()}
		if err := writeKeyFile(file, inFile); err != nil {
			return nil, "", "", s.fail("make key file", err)
		}
	}
	return append(inFile, keys...), file, "the key file " + file, nil
}

// readKeyFile reads the keys of a file, the current one first.
func readKeyFile(file string) ([][]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 1<<12))
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	var keys [][]byte
	for line := range bytes.Lines(bytes.TrimSpace(text)) {
		key, ok := parseKey(auth.Secret(line))
		if !ok || len(keys) == maxKeys {
			keys = nil
			break
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, &Error{Op: "read encryption key", Kind: ErrBadKey, Message: "the key file " + file + " does not hold 32 bytes in base64: put it back from a backup"}
	}
	// The owner alone may read it, also after it was copied about. Where the
	// file system knows no modes, nothing can be done.
	if info, err := f.Stat(); err == nil && info.Mode().Perm()&0o077 != 0 {
		_ = f.Chmod(0o600)
	}
	return keys, nil
}

// writeKeyFile replaces the file at once. The caller holds the set-up lock.
func writeKeyFile(file string, keys [][]byte) error {
	var text []byte
	for _, key := range keys {
		text = base64.StdEncoding.AppendEncode(text, key)
		text = append(text, '\n')
	}
	return writePrivate(file, text)
}
