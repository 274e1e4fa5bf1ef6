// Package files is the typed client of Nextcloud's files: WebDAV with
// Nextcloud's own properties, its SEARCH, its chunked upload and the direct
// links. It is separate from the tools so that everything the server does
// differently from RFC 4918 is known in one place.
//
// Paths are those of the person's own files, as people see them:
// "/Projects/plan.md", "/" for the root.
package files
