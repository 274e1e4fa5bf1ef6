package nextcloudtest

// switches are the settings that change while the server runs.
type switches struct {
	maintenance         bool
	untrustedDomain     bool
	disableRegistration bool
	consent             bool
}

func (s *Server) switches() switches {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

func (s *Server) change(f func(*switches)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.state)
}

// SetMaintenance switches maintenance mode, as "occ maintenance:mode" does.
func (s *Server) SetMaintenance(on bool) { s.change(func(w *switches) { w.maintenance = on }) }

// SetUntrustedDomain makes the server refuse the name it is asked by, as one that is missing from trusted_domains.
func (s *Server) SetUntrustedDomain(on bool) { s.change(func(w *switches) { w.untrustedDomain = on }) }

// SetDisableRegistration switches dynamic client registration off or on.
func (s *Server) SetDisableRegistration(off bool) {
	s.change(func(w *switches) { w.disableRegistration = off })
}

// SetConsent switches the consent page of the oidc app.
func (s *Server) SetConsent(on bool) { s.change(func(w *switches) { w.consent = on }) }

// DisableUser disables or enables an account.
func (s *Server) DisableUser(userID string, disabled bool) {
	a := s.account(userID)
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.user.Disabled = disabled
}

// SetPassword changes an account password as its user does: app passwords stay good.
func (s *Server) SetPassword(userID, password string) {
	a := s.account(userID)
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.user.Password = password
}

// AdminResetPassword changes an account password as an administrator does: app passwords are refused until the user has
// logged in with the new one.
func (s *Server) AdminResetPassword(userID, password string) {
	s.SetPassword(userID, password)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.tokens.byHash {
		if p.account == userID {
			p.suspended = true
		}
	}
}
