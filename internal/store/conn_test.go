package store

import "testing"

func TestBind(t *testing.T) {
	for statement, want := range map[string]string{
		"SELECT 1":                             "SELECT 1",
		"?":                                    "$1",
		"VALUES (?, ?, ?)":                     "VALUES ($1, $2, $3)",
		"UPDATE a SET b = ?1 WHERE c = ?2":     "UPDATE a SET b = $1 WHERE c = $2",
		"a > ?2 OR (a > ?1 AND b < ?2) OR ?10": "a > $2 OR (a > $1 AND b < $2) OR $10",
		"(?,?,?,?,?,?,?,?,?,?)":                "($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)",
	} {
		if got := (&dialect{numbered: true}).bind(statement); got != want {
			t.Errorf("%s: got %s, want %s", statement, got, want)
		}
		if got := (&dialect{}).bind(statement); got != statement {
			t.Errorf("%s became %s for SQLite", statement, got)
		}
	}
}
