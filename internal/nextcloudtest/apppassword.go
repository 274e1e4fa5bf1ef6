package nextcloudtest

import (
	"crypto/sha256"
	"slices"
	"strings"
	"time"
)

const (
	maxAppPasswords    = 4096
	maxAppPasswordName = 120
)

// appPassword is one device-specific password.
type appPassword struct {
	account   string // user id
	loginName string
	name      string
	created   time.Time
	exchanged bool // made from a bearer token
	suspended bool // refused until the next login with the account password
}

// appPasswords are the passwords by the hash of their secret. The owner's lock guards them.
type appPasswords struct {
	byHash map[[sha256.Size]byte]*appPassword
	order  [][sha256.Size]byte
}

func newAppPasswords() appPasswords {
	return appPasswords{byHash: map[[sha256.Size]byte]*appPassword{}}
}

func (p *appPasswords) add(secret string, one *appPassword) {
	if len(p.order) >= maxAppPasswords {
		delete(p.byHash, p.order[0])
		p.order = p.order[1:]
	}
	hash := sha256.Sum256([]byte(secret))
	p.byHash[hash] = one
	p.order = append(p.order, hash)
}

// AppPasswordInfo is what a user sees of an app password in the security settings.
type AppPasswordInfo struct {
	Name    string
	Created time.Time
}

// CreateAppPassword makes an app password as a user does in the security settings, and returns it; empty for an unknown
// user.
func (s *Server) CreateAppPassword(userID, name string) string {
	a := s.account(userID)
	if a == nil {
		return ""
	}
	return s.createAppPassword(a, a.profile().LoginName, name, false)
}

func (s *Server) createAppPassword(a *account, loginName, name string, exchanged bool) string {
	// Nextcloud: long names are cut, ending in an ellipsis.
	if runes := []rune(name); len(runes) > maxAppPasswordName {
		name = string(runes[:maxAppPasswordName-1]) + "…"
	}
	secret := randomText(appPasswordLength)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens.add(secret, &appPassword{account: a.id, loginName: loginName, name: name, created: s.now(), exchanged: exchanged})
	return secret
}

// AppPasswords lists the app passwords of a user, oldest first.
func (s *Server) AppPasswords(userID string) []AppPasswordInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []AppPasswordInfo
	for _, hash := range s.tokens.order {
		if p := s.tokens.byHash[hash]; p != nil && p.account == userID {
			found = append(found, AppPasswordInfo{Name: p.name, Created: p.created})
		}
	}
	return found
}

// RevokeAppPasswords deletes all app passwords of a user, as the user can in the security settings.
func (s *Server) RevokeAppPasswords(userID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for hash, p := range s.tokens.byHash {
		if p.account == userID {
			s.deleteAppPassword(hash)
		}
	}
}

func (s *Server) deleteAppPassword(hash [sha256.Size]byte) {
	delete(s.tokens.byHash, hash)
	s.tokens.order = slices.DeleteFunc(s.tokens.order, func(h [sha256.Size]byte) bool { return h == hash })
}

// revokeAppPassword deletes one app password and tells whether it was there.
func (s *Server) revokeAppPassword(secret string) bool {
	hash := sha256.Sum256([]byte(secret))
	s.mu.Lock()
	defer s.mu.Unlock()
	_, found := s.tokens.byHash[hash]
	s.deleteAppPassword(hash)
	return found
}

// appPasswordState is what a secret turns out to be.
type appPasswordState int

const (
	notAnAppPassword appPasswordState = iota
	refusedAppPassword
	goodAppPassword
)

// checkAppPassword looks a secret up. An empty login name stands for one sent as a bearer token.
func (s *Server) checkAppPassword(secret, loginName string) (*account, string, appPasswordState) {
	s.mu.Lock()
	p := s.tokens.byHash[sha256.Sum256([]byte(secret))]
	s.mu.Unlock()
	if p == nil {
		return nil, "", notAnAppPassword
	}
	if loginName != "" && !strings.EqualFold(loginName, p.loginName) {
		return nil, "", refusedAppPassword
	}
	a := s.account(p.account)
	a.mu.Lock()
	revived := a.passwordLogin.After(p.created)
	a.mu.Unlock()
	s.mu.Lock()
	suspended := p.suspended
	s.mu.Unlock()
	dead := p.exchanged && s.rules.exchangedLife > 0 && s.now().Sub(p.created) > s.rules.exchangedLife
	if suspended || (dead && !revived) {
		return nil, "", refusedAppPassword
	}
	return a, p.loginName, goodAppPassword
}

// changeAppPassword gives an app password a new secret; empty when there is no such password.
func (s *Server) changeAppPassword(old string) string {
	hash := sha256.Sum256([]byte(old))
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.tokens.byHash[hash]
	if p == nil {
		return ""
	}
	s.deleteAppPassword(hash)
	secret := randomText(appPasswordLength)
	s.tokens.add(secret, p)
	return secret
}
