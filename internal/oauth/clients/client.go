// Package clients says who an MCP client is: one that describes itself in a
// document on the web (client id metadata documents), one that registered
// itself (RFC 7591), or one that the configuration names. It is apart from the
// authorization server because that only has to know the answer.
package clients

import (
	"errors"

	"nextcloud-mcp-server/internal/store"
)

// Client is an MCP client application.
type Client struct {
	ID   string
	Kind store.ClientKind
	// Name is how the client calls itself, cleaned for display. Without a name
	// it is the host of the document, or of the first redirect URI.
	Name         string
	URI          string // its home page; may be empty
	RedirectURIs []string
	AuthMethod   string     // token_endpoint_auth_method: none, client_secret_basic or client_secret_post
	Secret       store.Hash // the zero hash for public clients
	Scope        string     // as registered, space-separated; empty for all
}

// The methods of proving a client at the token endpoint (RFC 7591, 2).
const (
	AuthNone  = "none"
	AuthBasic = "client_secret_basic"
	AuthPost  = "client_secret_post"
)

// public reports whether the client has no secret.
func (c *Client) public() bool { return c.Secret == store.Hash{} }

// Errors of finding and proving a client.
var (
	ErrUnknown = errors.New("unknown client")                   // no such client: invalid_client
	ErrSecret  = errors.New("the client secret does not match") // invalid_client
	// ErrAmbiguous says that a request names its client in more than one way:
	// invalid_request (RFC 6749, 5.2).
	ErrAmbiguous = errors.New("the client is named in more than one way")
	// ErrUnavailable says that the client's metadata document cannot be
	// fetched now.
	ErrUnavailable = errors.New("the client's description cannot be fetched")
	// ErrBadDocument says that the metadata document breaks the rules.
	ErrBadDocument = errors.New("the client's description is not valid")
)

// Problem is one of the errors above with a sentence for the person who meets
// it.
type Problem struct { //nolint:errname // what a person meets
	Kind   error
	Detail string // one sentence, without secrets and addresses of internal networks
	Err    error  // the cause, for the log; may be nil
}

// Error is the kind and the detail.
func (p *Problem) Error() string { return p.Kind.Error() + ": " + p.Detail }

// Is matches the kind.
func (p *Problem) Is(target error) bool { return target == p.Kind }

// Unwrap is the cause.
func (p *Problem) Unwrap() error { return p.Err }
