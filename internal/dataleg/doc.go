// Package dataleg decides which credential each person's requests to Nextcloud
// carry. It is separate from the front door, which only proves who somebody
// is: the two legs fail, expire and recover for different reasons.
//
// With OAuth, the token that proved a person is exchanged once per grant for
// an app password, which costs a quarter per request and needs no app
// on Nextcloud's side that checks bearer tokens on every API. What works
// depends on the version (28 and 29 refuse the exchange, some of 30 and 31 end
// the password after five minutes), so it is tried, proved again and fallen
// back from, never assumed.
package dataleg
