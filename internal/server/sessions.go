package server

import (
	"net/http"
	"sync"

	sdkauth "github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// maxSessions is how many sessions of the older generation one person may have
// open. Most clients never end theirs, so the oldest gives way.
const maxSessions = 64

// sessions bounds the open sessions of each person.
type sessions struct {
	server *mcp.Server

	mu     sync.Mutex          // guards the fields below
	opened map[string][]string // session ids by person, oldest first
}

func (s *sessions) bound(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r)
		if r.Method != http.MethodPost || r.Header.Get("Mcp-Session-Id") != "" {
			return
		}
		id := w.Header().Get("Mcp-Session-Id")
		if id == "" {
			return
		}
		var person string
		if info := sdkauth.TokenInfoFromContext(r.Context()); info != nil {
			person = info.UserID
		}
		if oldest := s.add(person, id); oldest != nil {
			// It waits for the calls that are still running.
			go func() { _ = oldest.Close() }()
		}
	})
}

// add notes a new session and answers the one that has to give way, or nil.
func (s *sessions) add(person, id string) (oldest *mcp.ServerSession) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opened == nil {
		s.opened = map[string][]string{}
	}
	s.opened[person] = append(s.opened[person], id)
	live := map[string]*mcp.ServerSession{}
	for session := range s.server.Sessions() {
		live[session.ID()] = session
	}
	for owner, ids := range s.opened {
		kept := ids[:0]
		for _, id := range ids {
			if live[id] != nil {
				kept = append(kept, id)
			}
		}
		if s.opened[owner] = kept; len(kept) == 0 {
			delete(s.opened, owner)
		}
	}
	ids := s.opened[person]
	if len(ids) <= maxSessions {
		return nil
	}
	s.opened[person] = ids[1:]
	return live[ids[0]]
}
