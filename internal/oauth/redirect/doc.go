// Package redirect decides where an authorization server may send a browser
// with its answer: which redirect URIs a client may register (Check), and
// whether the one in a request is a registered one (Match). It is apart from
// the clients because everything that leaks codes goes through these few rules,
// and they can be read and tested alone.
//
// The rules are those of RFC 9700, 2.1 (exact matching), RFC 8252, 7 (loopback
// and private-use schemes) and RFC 6749, 3.1.2 (absolute, no fragment).
package redirect
