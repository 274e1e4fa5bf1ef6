// Package nextcloudtest is a simulated Nextcloud: an http.Handler that answers the APIs this project uses the way
// recordings of a real Nextcloud 34 do, and, where Options.Version says so, the way older versions were seen to.
//
// It is separate from the clients and shares no type with them, so that one misreading of an API cannot pass on both
// sides: the recordings in testdata are replayed against it, and the clients are tested against it. The tests of this
// project and its demo command both run it, hence nothing here imports package testing.
//
// Everything lives in memory and is bounded. Passwords are compared in constant time but kept in the clear: it is a
// simulator, not a server for people's data.
package nextcloudtest
