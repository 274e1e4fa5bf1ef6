package clients

import (
	"errors"
	"slices"
	"strings"

	"nextcloud-mcp-server/internal/oauth/redirect"
)

// What this server grants (RFC 7591, 2).
const (
	grantCode    = "authorization_code"
	grantRefresh = "refresh_token"
	responseCode = "code"
)

// The values of application_type (OpenID Connect Dynamic Client Registration
// 1.0, 2).
const (
	typeWeb    = "web"
	typeNative = "native"
)

// metadata is what a client may say of itself when it registers, checked and
// completed.
type metadata struct {
	name            string
	uri             string
	applicationType string
	redirectURIs    []string
	grantTypes      []string
	authMethod      string
	scope           string
}

// The error codes of RFC 7591, 3.2.2, and two for the rest.
const (
	codeRedirectURI = "invalid_redirect_uri"
	codeMetadata    = "invalid_client_metadata"
	codeDenied      = "access_denied"
	codeUnavailable = "temporarily_unavailable"
)

// registrationError is a registration that is not taken, with the sentence that says
// what to change.
type registrationError struct{ code, description string }

func (e *registrationError) Error() string { return e.code + ": " + e.description }

func badMetadata(description string) *registrationError {
	return &registrationError{codeMetadata, description}
}

func badRedirect(description string) *registrationError {
	return &registrationError{codeRedirectURI, description}
}

// parseMetadata reads the body of a registration request (RFC 7591, 2 and
// 3.1). Members that are not known are ignored; grant and response types that
// this server does not have are left out, as 3.2.1 allows.
func parseMetadata(body []byte, schemes redirect.Schemes) (*metadata, error) {
	o, err := parseObject(body)
	if err != nil {
		return nil, badMetadata("The body is not valid client metadata: " + err.Error() + ".")
	}
	m := &metadata{}
	var responses []string
	err = errors.Join(
		set(&m.name, o.text, "client_name"), set(&m.uri, o.text, "client_uri"), set(&m.scope, o.text, "scope"),
		set(&m.applicationType, o.text, "application_type"), set(&m.authMethod, o.text, "token_endpoint_auth_method"),
		set(&m.grantTypes, o.list, "grant_types"), set(&responses, o.list, "response_types"),
	)
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return nil, badMetadata("The body is not valid client metadata: " + first + ".")
	}
	if m.redirectURIs, err = redirectURIs(o, schemes); err != nil {
		return nil, err
	}
	if err := m.settleType(); err != nil {
		return nil, err
	}
	if err := m.settleGrants(responses); err != nil {
		return nil, err
	}
	switch m.authMethod {
	case AuthNone, AuthBasic, AuthPost:
	case "":
		// RFC 7591, 2 has client_secret_basic here. Native programs cannot keep
		// a secret, and those that say nothing do not expect one.
		m.authMethod = AuthBasic
		if m.applicationType == typeNative {
			m.authMethod = AuthNone
		}
	default:
		return nil, badMetadata("The token_endpoint_auth_method must be none, client_secret_basic or client_secret_post.")
	}
	if !isScopeText(m.scope) {
		return nil, badMetadata("The scope must be at most 2000 printable ASCII characters without quotes and backslashes.")
	}
	m.name, m.uri = displayName(m.name, m.redirectURIs), homePage(m.uri)
	return m, nil
}

// redirectURIs are those of a registration. One that is not allowed spoils it:
// the client would find out in front of a person otherwise.
func redirectURIs(o object, schemes redirect.Schemes) ([]string, error) {
	uris, err := o.list("redirect_uris")
	switch {
	case err != nil:
		return nil, badRedirect("The body is not valid client metadata: " + err.Error() + ".")
	case len(uris) == 0:
		return nil, badRedirect("The client needs redirect_uris.")
	case len(uris) > maxRedirects:
		return nil, badRedirect("The client may have at most 20 redirect_uris.")
	}
	out := make([]string, 0, len(uris))
	for _, uri := range uris {
		if err := redirect.Check(uri, schemes); err != nil {
			return nil, badRedirect("One of the redirect_uris is not allowed: " + err.Error() + ".")
		}
		if !slices.Contains(out, uri) {
			out = append(out, uri)
		}
	}
	return out, nil
}

// settleType checks application_type against the redirect URIs, or finds it
// out: most clients do not send it, and OpenID Connect's default (web) would
// shut out those of them that run on people's own machines.
func (m *metadata) settleType() error {
	onlyWeb := !slices.ContainsFunc(m.redirectURIs, func(uri string) bool { return !strings.HasPrefix(uri, "https://") })
	switch {
	case m.applicationType == "" && onlyWeb:
		m.applicationType = typeWeb
	case m.applicationType == "":
		m.applicationType = typeNative
	case m.applicationType != typeWeb && m.applicationType != typeNative:
		return badMetadata("The application_type must be web or native.")
	case m.applicationType == typeWeb && !onlyWeb:
		return badRedirect("A client of application_type web may have https redirect_uris only: register as native to use http on loopback or a scheme of its own.")
	}
	return nil
}

// settleGrants leaves the grant types that this server has.
func (m *metadata) settleGrants(responses []string) error {
	if m.grantTypes == nil {
		// RFC 7591, 2 has authorization_code alone here; clients that leave it
		// out expect to stay connected all the same.
		m.grantTypes = []string{grantCode, grantRefresh}
	}
	var granted []string
	for _, known := range []string{grantCode, grantRefresh} {
		if slices.Contains(m.grantTypes, known) {
			granted = append(granted, known)
		}
	}
	m.grantTypes = granted
	if !slices.Contains(granted, grantCode) {
		return badMetadata("The grant_types must have authorization_code.")
	}
	if responses != nil && !slices.Contains(responses, responseCode) {
		return badMetadata("The response_types must have code.")
	}
	return nil
}
