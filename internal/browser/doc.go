// Package browser recognises browsers: a cookie names a session in the store,
// and the session says who signed in there. It also proves that a form came
// from a page that this server showed that very browser.
//
// It is separate because the sign-in journey and the account pages share one
// session, and because everything that a stolen, planted or forged cookie or
// form could do is decided here and nowhere else.
package browser
