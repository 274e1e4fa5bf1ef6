// Package nextcloud talks to one Nextcloud on behalf of one person: requests
// with that person's credentials, JSON and OCS answers, conditional headers,
// bounded bodies, short retries, and errors that can be told apart. The typed
// clients of the APIs (notes, calendar, ...) are built on it and live in
// packages below; none of them knows MCP.
package nextcloud
