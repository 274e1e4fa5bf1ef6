// Package dav speaks WebDAV (RFC 4918) and the parts of CalDAV (RFC 4791) and
// extended MKCOL (RFC 5689) that need no knowledge of what is stored: property
// requests, reports, conditional writes, and the multistatus answers. It is
// separate because calendars, address books and files share all of it, and
// because XML is read and written here only: by an encoder and a decoder,
// never by joining strings.
package dav
