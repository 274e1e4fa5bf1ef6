// Package contacts is a client of Nextcloud's CardDAV (RFC 6352): address
// books and the contacts in them. Cards are read and written as they are
// stored and edited in place, so that nothing is lost that this package does
// not know; see package vcard.
package contacts
