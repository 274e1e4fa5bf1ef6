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

const keyIDSize = 4

var errSealed = errors.New("sealed value does not open")

// sealer encrypts the secret columns with one key.
type sealer struct {
	aead cipher.AEAD
	id   [keyIDSize]byte // tells keys apart without telling anything of them
}

func newSealer(key []byte) (*sealer, error) {
	data, err := hkdf.Key(sha256.New, key, nil, "nextcloud-mcp-server store data", chacha20poly1305.KeySize)
	if err != nil {
		return nil, err
	}
	id, err := hkdf.Key(sha256.New, key, nil, "nextcloud-mcp-server store key id", keyIDSize)
	if err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.NewX(data)
	if err != nil {
		return nil, err
	}
	return &sealer{aead: aead, id: [keyIDSize]byte(id)}, nil
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

// seal encrypts value for its cell. An empty value is stored as NULL.
func (s *sealer) seal(value auth.Secret, at cell) []byte {
	if value == "" {
		return nil
	}
	head := 1 + keyIDSize
	out := make([]byte, head+chacha20poly1305.NonceSizeX, head+chacha20poly1305.NonceSizeX+len(value)+s.aead.Overhead())
	out[0] = sealVersion
	copy(out[1:], s.id[:])
	nonce := out[head:]
	// Read never fails.
	rand.Read(nonce)
	return s.aead.Seal(out, nonce, []byte(value.Reveal()), at.bytes()) //nolint:gosec // the nonce is random
}

// open decrypts what seal made for the same cell.
func (s *sealer) open(sealed []byte, at cell) (auth.Secret, error) {
	head := 1 + keyIDSize
	switch {
	case len(sealed) == 0:
		return "", nil
	case len(sealed) < head+chacha20poly1305.NonceSizeX, sealed[0] != sealVersion, [keyIDSize]byte(sealed[1:head]) != s.id:
		return "", errSealed
	}
	body := sealed[head:]
	plain, err := s.aead.Open(nil, body[:chacha20poly1305.NonceSizeX], body[chacha20poly1305.NonceSizeX:], at.bytes())
	if err != nil {
		return "", errSealed
	}
	return auth.Secret(plain), nil
}
