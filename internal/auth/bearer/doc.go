// Package bearer proves who a bearer token speaks for: a signed token by the
// issuer's published keys (RFC 7519, RFC 9068), an opaque one by asking the
// issuer (introspection, RFC 7662, or OpenID Connect userinfo).
//
// It is separate from the other front doors because it alone speaks to an
// identity provider on behalf of an unproven caller: everything it takes from
// a token is bounded before it is parsed, every question to the provider is
// asked once and remembered briefly, and every doubt is a refusal.
package bearer
