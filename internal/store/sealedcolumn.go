package store

import "strconv"

// sealedColumn is a column of sealed values. The cell of each is bound to the
// row's primary key.
type sealedColumn struct {
	table, column string
	key           []string
}

// sealedColumns are all of them but the key check.
var sealedColumns = []sealedColumn{
	{"oauth_clients", "secret", []string{"provider", "client_id"}},
	{"oauth_clients", "registration_token", []string{"provider", "client_id"}},
	{"app_passwords", "password", []string{"grant_key"}},
	{"grants", "credential_secret", []string{"id"}},
	{"flows", "payload", []string{"kind", "flow_key"}},
	{"revocations", "password", []string{"id"}},
	{"account", "password", []string{"id"}},
}

// cell is the cell of the row with the given key, as a driver reads it.
func (c *sealedColumn) cell(key []any) cell {
	out := cell{table: c.table, column: c.column}
	for _, part := range key {
		switch part := part.(type) {
		case string:
			out.key = append(out.key, part)
		case []byte:
			out.key = append(out.key, string(part))
		case int64:
			out.key = append(out.key, strconv.FormatInt(part, 10))
		}
	}
	return out
}
