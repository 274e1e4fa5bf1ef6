// Package oidcclient makes this server a client of an identity provider:
// Nextcloud's oidc app, or any OpenID provider. It reads what the provider
// says of itself (Discover), and gets client credentials and keeps them alive
// (Registrar), or takes given ones (StaticClient).
//
// It is separate because everything here is about this server's own standing
// at the provider; whose token is good is the business of internal/auth, and
// what people's MCP clients talk to is that of internal/oauth.
package oidcclient
