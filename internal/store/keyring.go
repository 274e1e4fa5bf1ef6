package store

import (
	"io/fs"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"nextcloud-mcp-server/internal/auth"
)

// keyring encrypts with one key and decrypts with all that it holds.
type keyring struct {
	file string // where more keys may turn up while this process runs; empty when there is none

	mu   sync.Mutex  // held to change what follows
	read fs.FileInfo // the file, as it was last read
	keys atomic.Pointer[[]*sealer]
	// proven is the key of the key check as this process last saw it. When it
	// changes, a rotation came to its end and everybody seals with that key.
	proven atomic.Pointer[keyID]
}

// newKeyring holds the given keys, of which the first one seals.
func newKeyring(keys [][]byte, file string) (*keyring, error) {
	k := &keyring{file: file}
	sealers, err := newSealers(keys)
	if err != nil {
		return nil, err
	}
	k.keys.Store(&sealers)
	return k, nil
}

func newSealers(keys [][]byte) ([]*sealer, error) {
	var out []*sealer
	for _, key := range keys {
		s, err := newSealer(key)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (k *keyring) current() *sealer { return (*k.keys.Load())[0] }

// seal encrypts value for its cell. An empty value is stored as NULL.
//
// It belongs inside of Store.write, which makes sure that the key is still the
// current one when the value is committed.
func (k *keyring) seal(value auth.Secret, at cell) []byte {
	return k.current().seal(value, at)
}

// open decrypts what seal made for the same cell, with this process's keys or
// one that another process put into the key file meanwhile.
func (k *keyring) open(sealed []byte, at cell) (auth.Secret, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	id, ok := keyOf(sealed)
	if !ok {
		return "", errSealed
	}
	for {
		known, keys := false, k.keys.Load()
		for _, s := range *keys {
			if s.id != id {
				continue
			}
			known = true
			if value, err := s.open(sealed, at); err == nil {
				return value, nil
			}
		}
		if known || !k.reload(keys) {
			return "", errSealed
		}
	}
}

// prove notes the key of the key check at the start. It reports whether the
// check is what seal makes of the known text.
func (k *keyring) prove(check []byte) bool {
	text, err := k.open(check, checkCell)
	if err != nil || text != checkText {
		return false
	}
	id, _ := keyOf(check)
	k.proven.Store(&id)
	return true
}

// follow seals with the key of the key check when that changed since it was
// last seen. It reports whether the key is known.
func (k *keyring) follow(check []byte) bool {
	id, ok := keyOf(check)
	if !ok {
		return false
	}
	if proven := k.proven.Load(); proven != nil && *proven == id {
		return true
	}
	for {
		keys := k.keys.Load()
		if k.promote(id) {
			return true
		}
		if !k.reload(keys) {
			return false
		}
	}
}

// promote makes a key that is known the current one.
func (k *keyring) promote(id keyID) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	keys := slices.Clone(*k.keys.Load())
	at := slices.IndexFunc(keys, func(s *sealer) bool { return s.id == id })
	if at < 0 {
		return false
	}
	found := keys[at]
	keys = slices.Insert(slices.Delete(keys, at, at+1), 0, found)
	k.keys.Store(&keys)
	k.proven.Store(&id)
	return true
}

// take is add for whoever changed the key file.
func (k *keyring) take(keys [][]byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.add(keys)
}

// add takes more keys, which seal nothing before they are promoted.
func (k *keyring) add(more [][]byte) {
	sealers, err := newSealers(more)
	if err != nil {
		return
	}
	keys := slices.Clone(*k.keys.Load())
	before := len(keys)
	for _, s := range sealers {
		if !slices.ContainsFunc(keys, func(have *sealer) bool { return have.id == s.id }) {
			keys = append(keys, s)
		}
	}
	if len(keys) > before {
		k.keys.Store(&keys)
	}
}

// reload takes the keys of the key file when it changed since it was last
// read: a forged value makes this process look at the file's date, no more. It
// reports whether there are other keys than those that the caller saw.
func (k *keyring) reload(seen *[]*sealer) bool {
	if k.file == "" {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keys.Load() != seen {
		return true
	}
	info, err := os.Stat(k.file)
	if err != nil || sameFile(info, k.read) {
		return false
	}
	keys, err := readKeyFile(k.file)
	if err != nil {
		return false
	}
	k.read = info
	k.add(keys)
	return k.keys.Load() != seen
}

func sameFile(a, b fs.FileInfo) bool {
	return b != nil && os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}
