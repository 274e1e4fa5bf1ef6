// Package store keeps what must outlive the process: grants and what was
// issued for them, clients, sign-ins under way, app passwords, leases and the
// audit, in one SQLite database, or in PostgreSQL where several processes share
// it. Secrets in it are encrypted and bound to their row, or kept as hashes.
//
// It is separate so that the packages that need something kept declare small
// interfaces of their own and know neither SQL nor keys. The suite in
// storetest says what every implementation of them has to do.
//
// With SQLite there are at most five files on disk, readable by their owner
// only: the database, SQLite's -wal and -shm beside it while it is open, the
// key file <database>.key unless a key is configured, and <database>.lock,
// which is empty and is held while the database is set up or its key rotated.
package store
