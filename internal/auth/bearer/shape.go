package bearer

import (
	"encoding/base64"
	"errors"
	"strings"
)

// maxToken is how long a token may be, in bytes. Longer ones are refused
// unread; Nextcloud's are 72 or about 1200.
const maxToken = 16 << 10

var (
	errTooLong    = errors.New("longer than 16 KiB")
	errCharacters = errors.New("holds characters a bearer token cannot have")
	errParts      = errors.New("a JSON token without exactly three parts")
)

// A shape is how a token can be proved.
type shape int

const (
	opaque shape = iota // only its issuer can read it
	signed              // a JWS in compact form (RFC 7515, 7.1)
)

// shapeOf looks at a token without trusting any of it. What begins like a JSON
// header is held to be a JWT for good, so that a JWT that fails is never
// retried as an opaque token.
func shapeOf(token string) (shape, error) {
	if !isB64Token(token) {
		return opaque, errCharacters
	}
	first, _, dotted := strings.Cut(token, ".")
	if !dotted || !beginsObject(first) {
		return opaque, nil
	}
	// Five parts are a JWE (RFC 7516, 7.1), which nobody here can decrypt.
	if strings.Count(token, ".") != 2 {
		return opaque, errParts
	}
	return signed, nil
}

// isB64Token reports whether s is a b64token (RFC 6750, 2.1).
func isB64Token(s string) bool {
	body := strings.TrimRight(s, "=")
	for i := range len(body) {
		c := body[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '.', c == '_', c == '~', c == '+', c == '/':
		default:
			return false
		}
	}
	return body != ""
}

// beginsObject reports whether an encoded segment decodes to "{..." or to
// space before it.
func beginsObject(segment string) bool {
	if len(segment) > maxHeader {
		segment = segment[:maxHeader]
	}
	// What decodes before a fault is enough to tell.
	b, _ := base64.RawURLEncoding.DecodeString(segment)
	return strings.HasPrefix(strings.TrimLeft(string(b), " \t\r\n"), "{")
}
