package store

// SealedColumns are the columns that a rotation of the key seals anew, as
// "table.column", each with its key columns.
func SealedColumns() map[string][]string {
	out := map[string][]string{}
	for _, c := range sealedColumns {
		out[c.table+"."+c.column] = c.key
	}
	return out
}
