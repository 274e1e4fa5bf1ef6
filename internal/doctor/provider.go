package doctor

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"nextcloud-mcp-server/internal/oidcclient"
)

// discovered is the OpenID provider as the server finds it.
type discovered struct {
	url    string
	meta   *oidcclient.Provider // nil when there is none
	err    error
	answer *answer // of the discovery document, for its date and its headers
}

func (v *visit) discover(ctx context.Context) discovered {
	cfg := v.cfg.SignIn
	d := discovered{url: cfg.DiscoveryURL}
	if d.url == "" {
		d.url = v.host.Base().String() + oidcclient.WellKnown
	}
	d.meta, d.err = oidcclient.Discover(ctx, v.host.HTTP(), d.url, &oidcclient.DiscoverOptions{
		Issuer: cfg.Issuer, PublicIssuer: cfg.PublicIssuer,
		JWKS: cfg.JWKSURI, Introspection: cfg.IntrospectionURI, Userinfo: cfg.UserinfoURI,
	})
	d.answer = v.ask(ctx, v.host.HTTP(), http.MethodGet, d.url, http.Header{"Accept": {"application/json"}}, nil)
	return d
}

func (v *visit) checkDiscovery(ctx context.Context) finding {
	d := v.provider()
	if d.err == nil {
		return providerFound(d.meta.Issuer)
	}
	var e *oidcclient.DiscoveryError
	if !errors.As(d.err, &e) {
		return noProvider()
	}
	if elsewhere := v.discoveryElsewhere(ctx, d); elsewhere != "" {
		return discoveryBelowIndex(elsewhere)
	}
	if e.Status == http.StatusNotFound && !v.needsProvider() {
		return noProviderNeeded()
	}
	// The sentence is what is wrong, a colon, and what to do.
	seen, fix := e.Message, ""
	if at := strings.LastIndex(seen, ": "); at >= 0 {
		seen, fix = seen[:at], seen[at+2:]
	}
	return discoveryFails(shown(d.url), seen, fix, v.needsProvider())
}

// discoveryElsewhere is where the oidc app describes itself when its web server
// does not pass on /.well-known; empty when it does, or nothing is there.
func (v *visit) discoveryElsewhere(ctx context.Context, d discovered) string {
	if v.cfg.SignIn.DiscoveryURL != "" || d.answer.status != http.StatusNotFound || d.answer.fromNextcloud() {
		return ""
	}
	for _, path := range []string{"/index.php" + oidcclient.WellKnown, "/index.php/apps/oidc/openid-configuration"} {
		var meta issuerMetadata
		if a := v.askNextcloud(ctx, http.MethodGet, path); a.status == http.StatusOK && a.json(&meta) && meta.Issuer != "" {
			return v.host.Base().String() + path
		}
	}
	return ""
}

// checkProviderIssuer compares the issuer with the address it was asked at
// (OpenID Connect Discovery 1.0, 4.3).
func (v *visit) checkProviderIssuer(context.Context) finding {
	d := v.provider()
	if d.meta == nil {
		return finding{}
	}
	cfg := v.cfg.SignIn
	if cfg.Issuer != "" {
		return issuerConfigured()
	}
	if cfg.DiscoveryURL != "" && !strings.Contains(cfg.DiscoveryURL, "/apps/oidc/") {
		if want := strings.TrimSuffix(cfg.DiscoveryURL, oidcclient.WellKnown); d.meta.Issuer != want && d.meta.Issuer != cfg.PublicIssuer {
			return providerIssuerDiffers(d.meta.Issuer, want)
		}
		return providerIssuerSame()
	}
	issuer, err := url.Parse(d.meta.Issuer)
	public := v.cfg.Nextcloud.Public
	if err != nil || origin(issuer) != origin(public) && d.meta.Issuer != cfg.PublicIssuer {
		return cloudIssuerDiffers(d.meta.Issuer, public)
	}
	return providerIssuerSame()
}

func (v *visit) checkProviderPKCE(context.Context) finding {
	d := v.provider()
	switch {
	case d.meta == nil:
		return finding{}
	case d.meta.PKCE() == oidcclient.PKCES256:
		return pkceAdvertised()
	case v.ownServer():
		// Clients do not meet it; the server uses PKCE all the same.
		return providerPKCEMissing(d.meta.PKCE())
	}
	return pkce(d.meta.CodeChallengeMethods)
}

func (v *visit) checkProviderClient(context.Context) finding {
	d := v.provider()
	switch {
	case d.meta == nil:
		return finding{}
	case v.cfg.SignIn.ClientID != "":
		return clientConfigured()
	case d.meta.RegistrationEndpoint == "":
		return ownRegistrationOff(v.needsProvider(), v.base)
	}
	return ownRegistrationOn(v.ownServer())
}

func (v *visit) checkIntrospection(context.Context) finding {
	d := v.provider()
	switch {
	case d.meta == nil:
		return finding{}
	case d.meta.IntrospectionEndpoint != "":
		return introspectionThere()
	case v.ownServer():
		return introspectionNotNeeded()
	}
	return introspectionMissing()
}

// checkSigning looks for an algorithm that can be checked with published keys:
// HS256 is made with the client's secret, which is no proof to anybody else.
func (v *visit) checkSigning(context.Context) finding {
	d := v.provider()
	if d.meta == nil {
		return finding{}
	}
	public := func(name string) bool {
		return strings.HasPrefix(name, "RS") || strings.HasPrefix(name, "PS") || strings.HasPrefix(name, "ES") || name == "EdDSA"
	}
	if len(d.meta.SigningAlgorithms) > 0 && !slices.ContainsFunc(d.meta.SigningAlgorithms, public) {
		return signingSymmetric(d.meta.SigningAlgorithms)
	}
	return signingPublic()
}

// checkProviderClock looks at the clock of a provider that is not Nextcloud.
func (v *visit) checkProviderClock(context.Context) finding {
	d := v.provider()
	if u, err := url.Parse(d.url); err != nil || d.meta == nil || u.Host == v.host.Base().Host {
		return finding{}
	}
	return clock(d.answer, "the OpenID provider")
}
