package store_test

import (
	"database/sql"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/store"
)

// hashColumns hold SHA-256 hashes of random secrets: nothing to decrypt.
var hashColumns = []string{
	"access_tokens.family_id", "access_tokens.hash", "browser_sessions.id", "clients.registration", "clients.secret",
	"codes.family_id", "codes.hash", "ended_tokens.hash", "families.id", "families.raced", "families.refresh",
	"families.replaced", "flows.flow_key",
}

// schemaQueries list table, column and whether the column holds bytes, and
// table and column of primary keys in their order.
var schemaQueries = map[bool][2]string{
	false: {
		`SELECT m.name, c.name, c.type = 'BLOB' FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY 1, 2`,
		`SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' AND c.pk > 0 ORDER BY m.name, c.pk`,
	},
	true: {
		`SELECT table_name, column_name, data_type = 'bytea' FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY 1, 2`,
		`SELECT k.table_name, k.column_name FROM information_schema.table_constraints t
		JOIN information_schema.key_column_usage k ON k.constraint_name = t.constraint_name AND k.table_schema = t.table_schema
		WHERE t.constraint_type = 'PRIMARY KEY' AND t.table_schema = current_schema() ORDER BY k.table_name, k.ordinal_position`,
	},
}

// A column of bytes is sealed, and then a rotation of the key knows it and
// finds its rows, or it holds hashes.
func TestSealedColumns(t *testing.T) {
	engines(t, func(t *testing.T, opts store.Options) {
		t.Helper()
		opts.Key = testKey
		open(t, opts)
		db := rawOf(t, opts)
		queries := schemaQueries[opts.URL != ""]
		want := append(slices.Collect(maps.Keys(store.SealedColumns())), hashColumns...)
		want = append(want, "key_check.value") // rotated last, by itself
		slices.Sort(want)
		if d := cmp.Diff(want, byteColumns(t, db, queries[0])); d != "" {
			t.Errorf("columns of bytes that are in no list (+), and the other way round (-):\n%s", d)
		}
		primary := primaryKeys(t, db, queries[1])
		for column, key := range store.SealedColumns() {
			table, _, _ := strings.Cut(column, ".")
			if d := cmp.Diff(primary[table], key); d != "" {
				t.Errorf("the key columns of %s (-primary key, +list):\n%s", column, d)
			}
		}
	})
}

func byteColumns(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	var out []string
	each(t, db, query, func(scan func(...any) error) error {
		var table, column string
		var isBytes bool
		err := scan(&table, &column, &isBytes)
		if isBytes {
			out = append(out, table+"."+column)
		}
		return err
	})
	slices.Sort(out)
	return out
}

func primaryKeys(t *testing.T, db *sql.DB, query string) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	each(t, db, query, func(scan func(...any) error) error {
		var table, column string
		err := scan(&table, &column)
		out[table] = append(out[table], column)
		return err
	})
	return out
}

func each(t *testing.T, db *sql.DB, query string, row func(scan func(...any) error) error) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// Both databases have the same tables and columns.
func TestSchemasAgree(t *testing.T) {
	columns := func(opts store.Options) (out []string) {
		opts.Key = testKey
		open(t, opts)
		db := rawOf(t, opts)
		each(t, db, schemaQueries[opts.URL != ""][0], func(scan func(...any) error) error {
			var table, column string
			var isBytes bool
			err := scan(&table, &column, &isBytes)
			if table != "schema_version" && table != "sqlite_sequence" { // goose's
				out = append(out, table+"."+column)
			}
			return err
		})
		slices.Sort(out)
		return out
	}
	postgres := columns(store.Options{URL: database(t)})
	if d := cmp.Diff(columns(store.Options{Path: path(t)}), postgres); d != "" {
		t.Errorf("(-SQLite, +PostgreSQL):\n%s", d)
	}
}
