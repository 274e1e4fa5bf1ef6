// Package store keeps what must outlive the process: OAuth client
// registrations, app passwords and leases, in one SQLite database that is
// opened once. Secrets in it are encrypted and bound to their row.
//
// It is separate so that the packages that need something kept declare small
// interfaces of their own and know neither SQL nor keys. The suite in
// storetest says what every implementation of them has to do.
//
// On disk there are at most five files, readable by their owner only: the
// database, SQLite's -wal and -shm beside it while it is open, the key file
// <database>.key unless a key is configured, and <database>.lock, which is
// empty and is held while the database is set up.
package store
