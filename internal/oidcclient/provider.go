package oidcclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// WellKnown is the path of the discovery document below an issuer (OpenID
// Connect Discovery 1.0, 4).
const WellKnown = "/.well-known/openid-configuration"

const (
	discoveryTimeout = 20 * time.Second
	maxMetadata      = 1 << 20 // bytes
)

// Provider is what an identity provider says of itself (OpenID Connect
// Discovery 1.0, 3; RFC 8414, 2), after the overrides.
type Provider struct {
	Issuer                string // byte for byte as given: tokens are compared with it
	AuthorizationEndpoint string // for people's browsers
	TokenEndpoint         string
	UserinfoEndpoint      string // may be empty
	JWKSURI               string
	IntrospectionEndpoint string // may be empty
	RevocationEndpoint    string // may be empty
	RegistrationEndpoint  string // empty when clients cannot register themselves
	EndSessionEndpoint    string // for people's browsers; may be empty
	ScopesSupported       []string
	CodeChallengeMethods  []string // as advertised; nil when the field is missing
	SigningAlgorithms     []string // of ID tokens
	AuthMethods           []string // how clients may authenticate at the token endpoint; nil when the field is missing
	IssParameter          bool     // the authorization answer carries iss (RFC 9207)
}

// PKCE is what the provider says about PKCE.
func (p *Provider) PKCE() PKCEState { return PKCE(p.CodeChallengeMethods) }

// Supports reports whether the provider lists a scope, or lists none at all.
// Nextcloud's oidc app lists no custom scopes, but grants them.
func (p *Provider) Supports(scope string) bool {
	return len(p.ScopesSupported) == 0 || slices.Contains(p.ScopesSupported, scope)
}

// DiscoverOptions override what the provider says; nil means nothing is
// overridden.
type DiscoverOptions struct {
	Issuer        string // OIDC_ISSUER; any issuer in the answer is accepted then
	JWKS          string // JWKS_URI
	Introspection string // INTROSPECTION_URI
	Userinfo      string // USERINFO_URI

	// PublicIssuer (NEXTCLOUD_PUBLIC_ISSUER_URL) is the provider's address for
	// people's browsers, where it differs from ours. It is accepted as issuer,
	// and browser endpoints on our address are moved to it.
	PublicIssuer string
}

// metadata is the discovery document (OpenID Connect Discovery 1.0, 3).
type metadata struct {
	Issuer                string  `json:"issuer"`
	AuthorizationEndpoint string  `json:"authorization_endpoint"`
	TokenEndpoint         string  `json:"token_endpoint"`
	UserinfoEndpoint      string  `json:"userinfo_endpoint"`
	JWKSURI               string  `json:"jwks_uri"`
	IntrospectionEndpoint string  `json:"introspection_endpoint"`
	RevocationEndpoint    string  `json:"revocation_endpoint"`
	RegistrationEndpoint  string  `json:"registration_endpoint"`
	EndSessionEndpoint    string  `json:"end_session_endpoint"`
	ScopesSupported       strList `json:"scopes_supported"`
	CodeChallengeMethods  strList `json:"code_challenge_methods_supported"`
	SigningAlgorithms     strList `json:"id_token_signing_alg_values_supported"`
	AuthMethods           strList `json:"token_endpoint_auth_methods_supported"`
	IssParameter          bool    `json:"authorization_response_iss_parameter_supported"`
}

// strList is a list of strings that some providers give as one string.
type strList []string

// UnmarshalJSON implements json.Unmarshaler.
func (l *strList) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil && !bytes.Equal(data, []byte("null")) {
		*l = strings.Fields(one)
		return nil
	}
	return json.Unmarshal(data, (*[]string)(l))
}

// Discover reads the discovery document at discoveryURL, by one request that
// follows redirects on the same host only. An error is a *DiscoveryError with
// one sentence for the administrator.
func Discover(ctx context.Context, client *http.Client, discoveryURL string, opts *DiscoverOptions) (*Provider, error) {
	if opts == nil {
		opts = &DiscoverOptions{}
	}
	asked, err := url.Parse(discoveryURL)
	if err != nil || asked.Host == "" || (asked.Scheme != "https" && asked.Scheme != "http") {
		return nil, &DiscoveryError{URL: "", Message: "the address is not an http or https URL: correct NEXTCLOUD_HOST or OIDC_DISCOVERY_URL"}
	}
	asked.User, asked.Fragment = nil, ""
	doc, final, err := fetchMetadata(ctx, client, asked)
	if err != nil {
		return nil, err
	}
	if message := doc.problem(opts); message != "" {
		return nil, &DiscoveryError{URL: shown(asked), Message: message}
	}
	if message := issuerProblem(doc.Issuer, asked, final, opts); message != "" {
		return nil, &DiscoveryError{URL: shown(asked), Message: message}
	}
	p := &Provider{
		Issuer:                doc.Issuer,
		AuthorizationEndpoint: public(doc.AuthorizationEndpoint, doc.Issuer, asked, opts),
		TokenEndpoint:         doc.TokenEndpoint,
		UserinfoEndpoint:      or(opts.Userinfo, doc.UserinfoEndpoint),
		JWKSURI:               or(opts.JWKS, doc.JWKSURI),
		IntrospectionEndpoint: or(opts.Introspection, doc.IntrospectionEndpoint),
		RevocationEndpoint:    doc.RevocationEndpoint,
		RegistrationEndpoint:  doc.RegistrationEndpoint,
		EndSessionEndpoint:    public(doc.EndSessionEndpoint, doc.Issuer, asked, opts),
		ScopesSupported:       doc.ScopesSupported,
		CodeChallengeMethods:  doc.CodeChallengeMethods,
		SigningAlgorithms:     doc.SigningAlgorithms,
		AuthMethods:           doc.AuthMethods,
		IssParameter:          doc.IssParameter,
	}
	if opts.Issuer != "" {
		p.Issuer = opts.Issuer
	}
	return p, nil
}

// fetchMetadata gets the document and the URL it came from in the end.
func fetchMetadata(ctx context.Context, client *http.Client, asked *url.URL) (*metadata, *url.URL, error) {
	ctx, cancel := context.WithTimeout(ctx, discoveryTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, asked.String(), nil)
	if err != nil {
		return nil, nil, &DiscoveryError{URL: shown(asked), Message: "the address is not usable", Err: err}
	}
	req.Header.Set("Accept", "application/json")
	c := *client
	c.Jar = nil
	c.CheckRedirect = sameHostRedirects
	res, err := c.Do(req)
	if err != nil {
		return nil, nil, &DiscoveryError{URL: shown(asked), Message: connectionProblem(err), Err: cause(err)}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxMetadata+1))
	e := &DiscoveryError{URL: shown(asked), Status: res.StatusCode, RetryAfter: retryAfter(res.Header), Err: err}
	switch {
	case err != nil:
		e.Message = "the answer was cut off"
		return nil, nil, e
	case len(body) > maxMetadata:
		e.Message = fmt.Sprintf("the answer is larger than %d bytes: this is no discovery document", maxMetadata)
		return nil, nil, e
	case res.StatusCode != http.StatusOK:
		e.Message = statusProblem(res, body, asked)
		return nil, nil, e
	}
	var doc metadata
	if err := json.Unmarshal(body, &doc); err != nil {
		e.Message, e.Err = "the answer is not the JSON of a discovery document", err
		if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] == '<' {
			e.Message = "a web page came where JSON was expected: check NEXTCLOUD_HOST or OIDC_DISCOVERY_URL, and that the oidc app is enabled (`occ app:enable oidc`)"
		}
		return nil, nil, e
	}
	return &doc, res.Request.URL, nil
}

// problem is what is wrong with the fields of the document, in one sentence.
func (m *metadata) problem(opts *DiscoverOptions) string {
	secure := strings.HasPrefix(m.Issuer, "https://")
	for _, f := range []struct {
		name, value string
		mandatory   bool
	}{
		{"issuer", m.Issuer, true},
		{"authorization_endpoint", m.AuthorizationEndpoint, true},
		{"token_endpoint", m.TokenEndpoint, true},
		{"jwks_uri", m.JWKSURI, opts.JWKS == ""},
		{"userinfo_endpoint", m.UserinfoEndpoint, false},
		{"introspection_endpoint", m.IntrospectionEndpoint, false},
		{"revocation_endpoint", m.RevocationEndpoint, false},
		{"registration_endpoint", m.RegistrationEndpoint, false},
		{"end_session_endpoint", m.EndSessionEndpoint, false},
	} {
		if f.value == "" {
			if f.mandatory {
				return "the discovery document has no " + f.name + ": check that the address is that of an OpenID provider"
			}
			continue
		}
		u, err := url.Parse(f.value)
		switch {
		case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
			return "the " + f.name + " of the discovery document is not an http or https URL"
		case secure && u.Scheme == "http":
			return "the " + f.name + " of the discovery document is not https, though the issuer is: set overwriteprotocol to https in Nextcloud's config.php"
		}
	}
	return ""
}

// issuerProblem is what is wrong with an issuer that does not belong to the
// address the document came from (OpenID Connect Discovery 1.0, 4.3). The
// origins are compared, since Nextcloud in a subdirectory has its discovery
// document at the root of the host.
func issuerProblem(issuer string, asked, final *url.URL, opts *DiscoverOptions) string {
	u, err := url.Parse(issuer)
	if err != nil {
		return "the issuer of the discovery document is not a URL"
	}
	switch {
	case opts.Issuer != "",
		origin(u) == origin(asked), origin(u) == origin(final),
		opts.PublicIssuer != "" && strings.TrimSuffix(issuer, "/") == strings.TrimSuffix(opts.PublicIssuer, "/"):
		return ""
	}
	says := fmt.Sprintf("the provider calls itself %s, but was asked at %s", origin(u), origin(asked))
	switch {
	case loopback(u.Hostname()) && loopback(asked.Hostname()) && u.Hostname() != asked.Hostname():
		return says + ": localhost and 127.0.0.1 are different names, use the provider's in NEXTCLOUD_HOST, or set OIDC_ISSUER"
	case u.Hostname() == asked.Hostname() && u.Scheme != asked.Scheme:
		return says + ": behind a proxy that ends TLS, set overwriteprotocol in Nextcloud's config.php, or set OIDC_ISSUER"
	}
	return says + ": use its own address in NEXTCLOUD_HOST, or set NEXTCLOUD_PUBLIC_ISSUER_URL (or OIDC_ISSUER) to its own address"
}

// public is an endpoint for browsers, moved from our address to the public one.
func public(endpoint, issuer string, asked *url.URL, opts *DiscoverOptions) string {
	if opts.PublicIssuer == "" || endpoint == "" {
		return endpoint
	}
	u, err := url.Parse(endpoint)
	if err != nil || origin(u) != origin(asked) {
		return endpoint
	}
	base := origin(asked)
	if i, err := url.Parse(issuer); err == nil && origin(i) == origin(asked) {
		base += strings.TrimSuffix(i.EscapedPath(), "/")
	}
	rest, ok := strings.CutPrefix(origin(u)+u.EscapedPath(), base)
	if !ok {
		return endpoint
	}
	if u.RawQuery != "" {
		rest += "?" + u.RawQuery
	}
	return strings.TrimSuffix(opts.PublicIssuer, "/") + rest
}

// origin is scheme, host and port, the default ports left out.
func origin(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return u.Scheme + "://" + host
}

func loopback(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "::1"
}

// shown is a URL for messages: without a query, which may hold anything.
func shown(u *url.URL) string { return origin(u) + u.EscapedPath() }

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

var errOtherHost = errors.New("redirect to another host")

// sameHostRedirects follows at most three redirects, on the host that was
// asked, never from https to http.
func sameHostRedirects(r *http.Request, via []*http.Request) error {
	first := via[0].URL
	switch {
	case r.URL.Hostname() != first.Hostname(), first.Scheme == "https" && r.URL.Scheme != "https":
		return fmt.Errorf("%w: %s", errOtherHost, origin(r.URL))
	case len(via) > 3:
		return errors.New("more than three redirects")
	}
	return nil
}
