package store

import "testing"

// LimitPages lets the database grow no further, as a full disk does.
func (s *Store) LimitPages(t *testing.T) {
	t.Helper()
	s.db.SetMaxOpenConns(1)
	if _, err := s.db.ExecContext(t.Context(), "PRAGMA max_page_count = 1"); err != nil {
		t.Fatal(err)
	}
}
