package clients

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"nextcloud-mcp-server/internal/oauth/redirect"
	"nextcloud-mcp-server/internal/safehttp"
	"nextcloud-mcp-server/internal/store"
)

const maxRedirects = 20 // redirect URIs of one client

func badDocument(detail string) *Problem { return &Problem{Kind: ErrBadDocument, Detail: detail} }

// checkDocumentID reports whether id is a client identifier URL
// (draft-ietf-oauth-client-id-metadata-document, 3).
func checkDocumentID(id string) error {
	u, err := url.Parse(id)
	if err != nil || len(id) > maxClientID || redirect.Check(id, nil) != nil {
		return badDocument("The client id is not a plain https address.")
	}
	if u.Path == "" {
		return badDocument("The client id has no path: the address of a document has one.")
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if segment == "." || segment == ".." {
			return badDocument("The path of the client id must not have . and .. in it.")
		}
	}
	return nil
}

// read is the client that an answer describes.
func read(id string, answer *safehttp.Answer, schemes redirect.Schemes) (Client, error) {
	if answer.Status != http.StatusOK {
		return Client{}, badDocument("The client id is the address of a document that is not there.")
	}
	media, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if err != nil || media != "application/json" && (!strings.HasPrefix(media, "application/") || !strings.HasSuffix(media, "+json")) {
		return Client{}, badDocument("The document must be served as application/json.")
	}
	return parseDocument(id, answer.Body, schemes)
}

// parseDocument is the client that a client id metadata document describes
// (draft-ietf-oauth-client-id-metadata-document, 4, with the metadata of RFC
// 7591, 2). The client is public, whatever it could do elsewhere.
func parseDocument(id string, body []byte, schemes redirect.Schemes) (Client, error) {
	o, err := parseObject(body)
	if err != nil {
		return Client{}, badDocument("The document is not valid: " + err.Error() + ".")
	}
	c := Client{ID: id, Kind: store.ClientDocument, AuthMethod: AuthNone}
	var ownID, method, name, uri string
	var redirects, methods, grants, responses []string
	err = errors.Join(
		set(&ownID, o.text, "client_id"), set(&method, o.text, "token_endpoint_auth_method"),
		set(&name, o.text, "client_name"), set(&uri, o.text, "client_uri"), set(&c.Scope, o.text, "scope"),
		set(&redirects, o.list, "redirect_uris"), set(&methods, o.list, "token_endpoint_auth_methods_supported"),
		set(&grants, o.list, "grant_types"), set(&responses, o.list, "response_types"),
	)
	switch {
	case err != nil:
		first, _, _ := strings.Cut(err.Error(), "\n")
		return Client{}, badDocument("The document is not valid: " + first + ".")
	case ownID != id:
		return Client{}, badDocument("The client_id in the document is not the address of the document.")
	case o.has("client_secret") || o.has("client_secret_expires_at"):
		return Client{}, badDocument("The document must not have a client_secret: everybody can read it.")
	case !canBePublic(method, methods):
		return Client{}, badDocument("The document asks for a token_endpoint_auth_method that this server does not have: it needs none.")
	case grants != nil && !slices.Contains(grants, grantCode), responses != nil && !slices.Contains(responses, responseCode):
		return Client{}, badDocument("The document leaves out the grant type authorization_code with the response type code.")
	case len(redirects) == 0 || len(redirects) > maxRedirects:
		return Client{}, badDocument("The document must have redirect_uris, at most 20.")
	case !isScopeText(c.Scope):
		return Client{}, badDocument("The scope in the document is not valid.")
	}
	// One document serves all servers: a redirect URI that this one does not
	// allow does not spoil the others.
	for _, uri := range redirects {
		if err = redirect.Check(uri, schemes); err == nil && !slices.Contains(c.RedirectURIs, uri) {
			c.RedirectURIs = append(c.RedirectURIs, uri)
		}
	}
	if len(c.RedirectURIs) == 0 {
		return Client{}, badDocument("None of the redirect_uris in the document is allowed: " + err.Error() + ".")
	}
	if c.Name = cleanName(name); c.Name == "" {
		c.Name, _ = redirect.Host(id)
	}
	c.URI = homePage(uri)
	return c, nil
}

// canBePublic reports whether a document describes a client that needs no
// authentication. One that would rather authenticate with its key says with
// the list that it can do without (OpenID Connect Relying Party Metadata
// Choices 1.0, 3).
func canBePublic(method string, methods []string) bool {
	if methods != nil {
		return slices.Contains(methods, AuthNone)
	}
	return method == "" || method == AuthNone
}

// set puts a member into its place.
func set[T any](to *T, get func(string) (T, error), name string) (err error) {
	*to, err = get(name)
	return err
}
