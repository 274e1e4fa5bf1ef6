package clients

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/store"
)

const maxForm = 64 << 10 // bytes

// Authenticate proves the client of a token or revocation request by
// client_secret_basic, client_secret_post or, for public clients, its id alone
// (RFC 6749, 2.3.1; RFC 7591, 2). The document of a client is not fetched: of
// such a client only the id and the kind are known. Errors are those of Find.
func (d *Directory) Authenticate(ctx context.Context, r *http.Request) (*Client, error) {
	id, secret, err := presented(r)
	if err != nil {
		return nil, err
	}
	c, err := d.identify(ctx, id)
	if err != nil {
		return nil, err
	}
	switch {
	case c.public() && secret != "":
		return nil, &Problem{Kind: ErrSecret, Detail: "The client has no secret here: send its client_id alone."}
	case c.public():
		return c, nil
	case secret == "":
		return nil, &Problem{Kind: ErrSecret, Detail: "The client has a secret and must send it."}
	}
	if !matches(secret, c.Secret) {
		return nil, &Problem{Kind: ErrSecret, Detail: "The client secret is wrong."}
	}
	return c, nil
}

// identify is the client of a token request.
func (d *Directory) identify(ctx context.Context, id string) (*Client, error) {
	if c, ok := d.configured[id]; ok {
		return clone(c), nil
	}
	if d.isDocumentID(id) {
		if err := checkDocumentID(id); err != nil {
			return nil, err
		}
		return &Client{ID: id, Kind: store.ClientDocument, AuthMethod: AuthNone}, nil
	}
	return d.registered(ctx, id)
}

// matches compares a secret with the hash of the right one, in the same time
// wherever they differ.
func matches(secret auth.Secret, hash store.Hash) bool {
	got := store.HashOf(secret.Reveal())
	return subtle.ConstantTimeCompare(got[:], hash[:]) == 1
}

// presented is what a request says about its client. The secret is empty where
// there is none.
func presented(r *http.Request) (id string, secret auth.Secret, err error) {
	if r.PostForm == nil {
		r.Body = http.MaxBytesReader(nil, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			return "", "", &Problem{Kind: ErrAmbiguous, Detail: "The form of the request cannot be read.", Err: err}
		}
	}
	ids, secrets, headers := r.PostForm["client_id"], r.PostForm["client_secret"], r.Header.Values("Authorization")
	switch {
	case len(ids) > 1 || len(secrets) > 1 || len(headers) > 1:
		return "", "", ambiguous("The request names its client or its secret more than once.")
	case len(r.PostForm["client_assertion"]) > 0 || len(r.PostForm["client_assertion_type"]) > 0:
		return "", "", &Problem{Kind: ErrSecret, Detail: "This server does not take client assertions."}
	case len(headers) == 0 && len(ids) == 0:
		return "", "", &Problem{Kind: ErrUnknown, Detail: "The request does not say which client it is of: client_id is missing."}
	case len(headers) == 0:
		if len(secrets) == 1 {
			secret = auth.Secret(secrets[0])
		}
		return ids[0], secret, nil
	case len(secrets) > 0:
		return "", "", ambiguous("The request sends a client secret in its form beside an Authorization header: use one of them.")
	}
	if id, secret, err = basic(headers[0]); err != nil {
		return "", "", err
	}
	if len(ids) == 1 && ids[0] != id {
		return "", "", ambiguous("The client_id of the form is not that of the Authorization header.")
	}
	return id, secret, nil
}

// basic reads client_secret_basic: both halves are form-encoded before they
// are joined (RFC 6749, 2.3.1).
func basic(header string) (id string, secret auth.Secret, err error) {
	scheme, encoded, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", &Problem{Kind: ErrSecret, Detail: "Clients prove themselves with the Basic scheme, or in the form."}
	}
	bad := &Problem{Kind: ErrSecret, Detail: "The Authorization header is not valid."}
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return "", "", bad
	}
	left, right, found := strings.Cut(string(decoded), ":")
	if !found {
		return "", "", bad
	}
	id, errID := url.QueryUnescape(left)
	plain, errSecret := url.QueryUnescape(right)
	if errID != nil || errSecret != nil || id == "" {
		return "", "", bad
	}
	return id, auth.Secret(plain), nil
}

func ambiguous(detail string) *Problem { return &Problem{Kind: ErrAmbiguous, Detail: detail} }
