package store

import (
	"context"
	"database/sql"
	"sync"
)

// statements are prepared statements by their text.
type statements struct {
	mu     sync.Mutex
	byText map[string]*sql.Stmt
}

// prepared is a statement that is parsed once, not for each use: parsing takes
// SQLite longer than running. It is for the statement on the path of each call;
// each prepared one takes memory on each connection, until the database is
// closed.
func (s *Store) prepared(ctx context.Context, statement string) (*sql.Stmt, error) {
	s.statements.mu.Lock()
	defer s.statements.mu.Unlock()
	if found := s.statements.byText[statement]; found != nil {
		return found, nil
	}
	made, err := s.db.PrepareContext(ctx, s.engine.dialect().bind(statement)) //nolint:sqlclosecheck // it ends with the database
	if err != nil {
		return nil, err
	}
	if s.statements.byText == nil {
		s.statements.byText = make(map[string]*sql.Stmt)
	}
	s.statements.byText[statement] = made
	return made, nil
}
