package store

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"golang.org/x/crypto/chacha20poly1305"

	"nextcloud-mcp-server/internal/auth"
)

// sealVersion is the first byte of every sealed value. It changes with the
// layout: version, key id, nonce, XChaCha20-Poly1305 ciphertext and tag.
const sealVersion = 1

// keyID tells keys apart without telling anything of them.
type keyID [4]byte

// sealedHead is how long version and key id are.
const sealedHead = 1 + len(keyID{})

var errSealed = errors.New("sealed value does not open")

// sealer encrypts with one key.
type sealer struct {
	aead cipher.AEAD
	id   keyID
}

func newSealer(key []byte) (*sealer, error) {
	data, err := hkdf.Key(sha256.New, key, nil, "nextcloud-mcp-server store data", chacha20poly1305.KeySize)
	if err != nil {
		return nil, err
	}
	id, err := hkdf.Key(sha256.New, key, nil, "nextcloud-mcp-server store key id", len(keyID{}))
	if err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.NewX(data)
	if err != nil {
		return nil, err
	}
	return &sealer{aead: aead, id: keyID(id)}, nil
}

// cell names the place of a sealed value. It is authenticated with the value,
// so that a value moved to another row or column no longer opens.
type cell struct {
	table, column string
	key           []string // the primary key
}

func (c cell) bytes() []byte {
	var out []byte
	for _, part := range append([]string{c.table, c.column}, c.key...) {
		// Lengths keep ("a", "bc") and ("ab", "c") apart.
		out = binary.AppendUvarint(out, uint64(len(part)))
		out = append(out, part...)
	}
	return out
}

// keyOf is the id of the key that a value was sealed with. It reports whether
// the value has the layout of a sealed one.
func keyOf(sealed []byte) (keyID, bool) {
	if len(sealed) < sealedHead+chacha20poly1305.NonceSizeX+chacha20poly1305.Overhead || sealed[0] != sealVersion {
		return keyID{}, false
	}
	return keyID(sealed[1:sealedHead]), true
}

// head is what all values that this key sealed begin with.
func (s *sealer) head() []byte { return append([]byte{sealVersion}, s.id[:]...) }

// seal encrypts value for its cell. An empty value is stored as NULL.
func (s *sealer) seal(value auth.Secret, at cell) []byte {
	if value == "" {
		return nil
	}
	const prefix = sealedHead + chacha20poly1305.NonceSizeX
	out := make([]byte, prefix, prefix+len(value)+s.aead.Overhead())
	copy(out, s.head())
	nonce := out[sealedHead:]
	// Read never fails.
	rand.Read(nonce)
	return s.aead.Seal(out, nonce, []byte(value.Reveal()), at.bytes())
}

// open decrypts what seal made for the same cell and keyOf found in order.
func (s *sealer) open(sealed []byte, at cell) (auth.Secret, error) {
	body := sealed[sealedHead:]
	plain, err := s.aead.Open(nil, body[:chacha20poly1305.NonceSizeX], body[chacha20poly1305.NonceSizeX:], at.bytes())
	if err != nil {
		return "", errSealed
	}
	return auth.Secret(plain), nil
}
