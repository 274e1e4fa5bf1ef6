package bearer

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/go-jose/go-jose/v4"
)

// Keys are the published signing keys of an issuer, for what it signs beside
// access tokens: ID tokens. They are fetched when first needed, renewed when a
// token names an unknown one (at most every half minute), and kept for a day
// while the issuer cannot be reached. Keys are safe for concurrent use.
type Keys struct {
	cache *keyCache
}

// NewKeys are the keys published at uri (RFC 7517). The client follows no
// redirect; nil means a default one. A nil log is silent.
func NewKeys(uri string, client *http.Client, log *slog.Logger) *Keys {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Keys{newKeyCache(uri, withoutRedirects(client), log)}
}

// Opened is a JWT whose signature was good.
type Opened struct {
	Payload   []byte // nothing in it has been checked
	Type      string // the header's "typ" as it is
	Algorithm string
}

// Open checks the signature of a JWT (RFC 7515) by a published key and an
// accepted algorithm, which "none" and the HS family never are. Every error is
// an *auth.Error: 401 when the signature is no good, 503 when the keys cannot
// be had now.
func (k *Keys) Open(ctx context.Context, token string) (*Opened, error) {
	if len(token) > maxToken {
		return nil, refuse(Malformed, errTooLong)
	}
	if kind, err := shapeOf(token); err != nil || kind != signed {
		return nil, refuse(Malformed, err)
	}
	h, err := readHeader(token)
	if err != nil {
		return nil, err
	}
	payload, err := k.cache.open(ctx, h, token)
	if err != nil {
		return nil, err
	}
	return &Opened{Payload: payload, Type: h.Type, Algorithm: h.Algorithm}, nil
}

// open is the payload of a token with header h, once its signature is good.
func (c *keyCache) open(ctx context.Context, h *header, token string) (payload []byte, err error) {
	jws, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil {
		return nil, refuse(Malformed, errors.New("not a JWS"))
	}
	err = c.verify(ctx, h.KeyID, jose.SignatureAlgorithm(h.Algorithm), func(k *jose.JSONWebKey) bool {
		p, err := jws.Verify(k.Key)
		if err == nil {
			payload = p
		}
		return err == nil
	})
	return payload, err
}
