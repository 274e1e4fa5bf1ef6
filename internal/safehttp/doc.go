// Package safehttp fetches small documents from addresses that strangers name,
// without letting them reach what only this machine can reach (server-side
// request forgery). It resolves a name once, looks at every address that comes
// back, and connects to exactly those, so that a second answer of the name
// server changes nothing; it follows no redirects, uses no proxy and keeps no
// cookies and no connections.
//
// It is apart from its users because each of these rules is a hole when it is
// missing in one place.
package safehttp
