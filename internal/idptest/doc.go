// Package idptest is a simulated OpenID provider: an http.Handler with
// discovery, keys, an authorization endpoint with a login form, tokens,
// userinfo, introspection and revocation, and knobs for the ways in which
// Keycloak, Cognito and others differ.
//
// It is separate from the simulated Nextcloud, whose oidc app has quirks of its
// own, because sign-in at a provider outside Nextcloud takes other ways. It
// shares no code with what is tested against it. Everything lives in memory and
// is bounded; it is a simulator, not a provider for people's accounts.
package idptest
