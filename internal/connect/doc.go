// Package connect leads a person's browser from a client's authorization
// request to the client's answer: sign-in at Nextcloud or at the OpenID
// provider, then the question what the client may do. The account pages borrow
// its sign-in.
//
// It is separate from the authorization server, which knows requests and
// codes, and from the proof of identity, which knows Nextcloud: what is
// decided here is which browser may take which step. A journey belongs to the
// browser session that began it. Its address alone is worth nothing: opened
// elsewhere, each page of it refuses and says nothing about it.
package connect
