package doctor

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"nextcloud-mcp-server/internal/oidcclient"
)

// resourceMetadata is RFC 9728, 2.
type resourceMetadata struct {
	Resource             string   `json:"resource"`
	AuthorizationServers []string `json:"authorization_servers"`
}

// resourceFound is the protected resource metadata; ok is false when there is
// none.
func (v *visit) resourceFound() (m resourceMetadata, ok bool) {
	a := v.protected()
	ok = a.status == http.StatusOK && a.json(&m) && m.Resource != ""
	return m, ok
}

// checkResource compares the protected resource metadata with what people
// type, as clients do (RFC 9728, 3.3).
func (v *visit) checkResource(ctx context.Context) finding {
	if v.door() == openDoor || v.door() == basicDoor {
		return finding{} // no token protects anything
	}
	m, ok := v.resourceFound()
	if !ok {
		a := v.protected()
		if a.status == http.StatusNotFound && v.base.Path != "" {
			return wellKnownNotPassedOn(a)
		}
		return v.foreign(a)
	}
	if m.Resource != v.resource {
		return v.otherAddress(m.Resource)
	}
	out := sameAddress(m.Resource)
	if v.base.Path == "" {
		// Clients that were not told the address by a challenge try this one.
		if short := v.get(ctx, v.wellKnown(protectedResource)); short.status != http.StatusOK {
			out = out.and(shortMetadataMissing(short))
		}
	}
	return out
}

// otherAddress says in what a server's idea of its address differs from that
// which was typed.
func (v *visit) otherAddress(stated string) finding {
	said, err := url.Parse(stated)
	typed, _ := url.Parse(v.resource)
	if err != nil || typed == nil || said.Host == "" {
		return statesNonsense(v.base)
	}
	switch {
	case strings.TrimRight(stated, "/") == strings.TrimRight(v.resource, "/"):
		return slashDiffers(stated)
	case said.Host == typed.Host && said.Path == typed.Path:
		return schemeDiffers(said, v.base)
	case said.Scheme == typed.Scheme && said.Path == typed.Path:
		return hostDiffers(said, v.base)
	case said.Scheme == typed.Scheme && said.Host == typed.Host:
		return pathDiffers(said, v.base)
	}
	return addressDiffers(said, v.base)
}

// issuerMetadata is RFC 8414, 2.
type issuerMetadata struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	RegistrationEndpoint  string   `json:"registration_endpoint"`
	CodeChallengeMethods  []string `json:"code_challenge_methods_supported"`
	ClientDocuments       bool     `json:"client_id_metadata_document_supported"`
}

// issuerFound is the authorization server that clients are sent to, and where
// its metadata were found.
type issuerFound struct {
	issuer string         // as the resource names it
	meta   issuerMetadata // empty when there are none
	oauth  *answer        // RFC 8414
	openID *answer        // OpenID Connect Discovery
}

// findIssuer looks for the metadata in the order in which clients do (MCP
// 2025-11-25, Authorization Server Metadata Discovery).
func (v *visit) findIssuer(ctx context.Context) issuerFound {
	m, ok := v.resourceFound()
	if !ok || len(m.AuthorizationServers) == 0 {
		return issuerFound{}
	}
	found := issuerFound{issuer: m.AuthorizationServers[0]}
	u, err := url.Parse(found.issuer)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return found
	}
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	root := u.Scheme + "://" + u.Host
	found.oauth = v.get(ctx, root+authServer+path)
	found.openID = v.get(ctx, root+oidcclient.WellKnown+path)
	if found.openID.status != http.StatusOK && path != "" {
		found.openID = v.get(ctx, root+path+oidcclient.WellKnown)
	}
	for _, a := range []*answer{found.oauth, found.openID} {
		if a.status == http.StatusOK && a.json(&found.meta) && found.meta.Issuer != "" {
			return found
		}
		found.meta = issuerMetadata{}
	}
	return found
}

// selfIssued reports whether the MCP server is its own authorization server.
func (v *visit) selfIssued(issuer string) bool {
	return strings.TrimRight(issuer, "/") == strings.TrimRight(v.base.String(), "/")
}

func (v *visit) checkIssuer(context.Context) finding {
	if m, ok := v.resourceFound(); !ok {
		return finding{}
	} else if len(m.AuthorizationServers) == 0 {
		return noIssuer()
	}
	found := v.issuer()
	switch {
	case found.oauth == nil:
		return issuerIsNoURL()
	case found.meta.Issuer == "" && v.selfIssued(found.issuer) && v.base.Path != "" && found.oauth.status == http.StatusNotFound:
		return wellKnownNotPassedOn(found.oauth)
	case found.meta.Issuer == "" && v.selfIssued(found.issuer):
		return v.foreign(found.oauth)
	case found.meta.Issuer == "":
		return issuerSilent(found.issuer, found.openID)
	case found.meta.Issuer != found.issuer:
		return issuerDiffers(found.meta.Issuer, found.issuer)
	}
	out := issuerStated(found.issuer)
	if v.selfIssued(found.issuer) && found.openID.status != http.StatusOK {
		out = out.and(openIDMissing(found.openID))
	}
	return out
}

func (v *visit) checkPKCE(context.Context) finding {
	if found := v.issuer(); found.meta.Issuer != "" {
		return pkce(found.meta.CodeChallengeMethods)
	}
	return finding{}
}

func pkce(methods []string) finding {
	switch oidcclient.PKCE(methods) {
	case oidcclient.PKCES256:
		return pkceAdvertised()
	case oidcclient.PKCEWithoutS256:
		return pkceWithoutS256()
	case oidcclient.PKCEMissing:
	}
	return pkceMissing()
}

// checkRegistration looks whether clients can make themselves known. Nothing
// is registered.
func (v *visit) checkRegistration(ctx context.Context) finding {
	meta := v.issuer().meta
	switch {
	case meta.Issuer == "":
		return finding{}
	case meta.RegistrationEndpoint == "" && meta.ClientDocuments:
		return documentsOnly()
	case meta.RegistrationEndpoint == "" && v.selfIssued(meta.Issuer):
		return registrationOff()
	case meta.RegistrationEndpoint == "":
		return providerRegistrationOff()
	}
	a := v.ask(ctx, v.stranger, http.MethodOptions, meta.RegistrationEndpoint, http.Header{}, nil)
	if a.err != nil || a.status == http.StatusNotFound || a.status >= 500 || a.status/100 == 3 {
		return endpointMissing("registration", meta.RegistrationEndpoint, a)
	}
	return registrationOn()
}

// checkAuthorize opens the page that clients send people to. Without a client
// it can only refuse, but it has to be there.
func (v *visit) checkAuthorize(ctx context.Context) finding {
	meta := v.issuer().meta
	if meta.Issuer == "" {
		return finding{}
	}
	a := v.ask(ctx, v.stranger, http.MethodGet, meta.AuthorizationEndpoint, http.Header{"Accept": {"text/html"}}, nil)
	if a.err != nil || a.status == http.StatusNotFound || a.status >= 500 {
		return endpointMissing("authorization", meta.AuthorizationEndpoint, a)
	}
	return authorizeThere()
}
