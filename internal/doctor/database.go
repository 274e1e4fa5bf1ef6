package doctor

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"nextcloud-mcp-server/internal/store"
)

func (v *visit) keepsData() bool {
	return v.manyUsers() && (v.cfg.Storage.Database != "" || v.cfg.Storage.URL != "")
}

func (v *visit) keepsFile() bool { return v.keepsData() && v.cfg.Storage.URL == "" }

// lowDisk is the free space below which writing may soon fail, in bytes.
const lowDisk = 100 << 20

// checkFiles looks at the place of the SQLite file, without touching it.
func (v *visit) checkFiles(context.Context) finding {
	path := v.cfg.Storage.Database
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return v.checkDirectory(path)
	case err != nil:
		return databaseUnreadable(path)
	case !info.Mode().IsRegular():
		return databaseNoFile(path)
	}
	out := filesFine(path)
	for _, name := range []string{path, path + ".key"} {
		if info, err := os.Stat(name); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
			out = openFile(name)
		}
	}
	return out.and(v.checkSpace(filepath.Dir(path)))
}

// checkDirectory looks where the database will be made.
func (v *visit) checkDirectory(path string) finding {
	dir := filepath.Dir(path)
	for {
		info, err := os.Stat(dir)
		if err == nil && !info.IsDir() {
			return databaseNoDirectory(dir)
		}
		if err == nil {
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return databaseNoDirectory(dir)
		}
		dir = parent
	}
	probe, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return databaseNoDirectory(dir)
	}
	_ = probe.Close()
	_ = os.Remove(probe.Name())
	return databaseLater(path).and(v.checkSpace(dir))
}

func (*visit) checkSpace(dir string) finding {
	free, ok := freeSpace(dir)
	switch {
	case !ok:
		return finding{}
	case free < lowDisk:
		return diskLow(dir, free)
	}
	return diskFine(free)
}

// checkDatabase opens the database and proves the key. A database that is not
// there yet, or of another version, is not opened: that would make or change
// it.
func (v *visit) checkDatabase(ctx context.Context) finding {
	counts, err := v.count(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return finding{} // that was said
	case errors.Is(err, errNoTables):
		return databaseEmpty()
	case errors.Is(err, errOldTables):
		return databaseOld()
	}
	// What keeps it from being counted, the server's own way of opening says
	// better.
	c := v.cfg.Storage
	db, err := store.Open(ctx, store.Options{
		Path: c.Database, URL: c.URL, Key: c.EncryptionKey, PreviousKeys: c.PreviousKeys, MaxConnections: 2, BusyTimeout: time.Second,
	})
	if err != nil {
		return databaseFails(err)
	}
	defer db.Close()
	out := databaseOpens()
	if counts != nil {
		out = out.and(databaseHolds(counts))
	}
	if counts != nil && counts.late > 0 {
		out = out.and(revocationsLate(counts.late))
	}
	return out
}

// counts are what is in a database.
type counts struct {
	grants  int // active
	clients int
	waiting int // app passwords that Nextcloud has to be told to delete
	late    int // those of them that failed already
}

var (
	errNoTables      = errors.New("no tables")
	errForeignTables = errors.New("tables of another program")
	errOldTables     = errors.New("tables of an older version")
)

// count reads what is in the database and changes nothing, not even by a
// migration, which would take it away from a server of an older version.
func (v *visit) count(ctx context.Context) (*counts, error) {
	db, err := v.readOnly()
	if err != nil {
		return nil, err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	var tables, own int
	if err := tx.QueryRowContext(ctx, v.tablesQuery()).Scan(&tables, &own); err != nil {
		return nil, err
	}
	switch {
	case tables == 0:
		return nil, errNoTables
	case own == 0:
		return nil, errForeignTables
	}
	var version int64
	if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM schema_version WHERE is_applied").Scan(&version); err != nil {
		return nil, err
	}
	if newest, err := newestSchema(ctx); err != nil || version < newest {
		return nil, errOldTables
	}
	var c counts
	for query, to := range map[string]*int{
		"SELECT count(*) FROM grants WHERE state = 'active'":  &c.grants,
		"SELECT count(*) FROM clients":                        &c.clients,
		"SELECT count(*) FROM revocations":                    &c.waiting,
		"SELECT count(*) FROM revocations WHERE attempts > 0": &c.late,
	} {
		if err := tx.QueryRowContext(ctx, query).Scan(to); err != nil {
			return nil, err
		}
	}
	return &c, nil
}

// tablesQuery counts all tables, and the one that notes the version.
func (v *visit) tablesQuery() string {
	if v.cfg.Storage.URL != "" {
		return `SELECT count(*), count(*) FILTER (WHERE tablename = 'schema_version')
			FROM pg_catalog.pg_tables WHERE schemaname = current_schema()`
	}
	return "SELECT count(*), count(*) FILTER (WHERE name = 'schema_version') FROM sqlite_schema WHERE type = 'table'"
}

func (v *visit) readOnly() (*sql.DB, error) {
	c := v.cfg.Storage
	if c.URL != "" {
		return sql.Open("pgx", c.URL.Reveal())
	}
	path, err := filepath.Abs(c.Database)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return nil, fs.ErrNotExist
	}
	return sql.Open("sqlite", readOnlyFile(path))
}

// readOnlyFile names an existing SQLite file, which is not to be changed.
func readOnlyFile(path string) string {
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // a Windows drive
	}
	return (&url.URL{Scheme: "file", Path: slashed, RawQuery: "mode=ro&_pragma=busy_timeout(1000)"}).String()
}

// newestSchema is the version of the tables that this program makes.
func newestSchema(ctx context.Context) (int64, error) {
	dir, err := os.MkdirTemp("", "doctor-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "new.db")
	made, err := store.Open(ctx, store.Options{Path: path})
	if err != nil {
		return 0, err
	}
	defer made.Close()
	db, err := sql.Open("sqlite", readOnlyFile(path))
	if err != nil {
		return 0, err
	}
	defer db.Close()
	var version int64
	err = db.QueryRowContext(ctx, "SELECT max(version_id) FROM schema_version WHERE is_applied").Scan(&version)
	return version, err
}
