package nextcloudtest

import (
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Server is one simulated Nextcloud. It is safe for concurrent use.
type Server struct {
	opts    Options
	rules   rules
	mux     *http.ServeMux
	log     requestLog
	faults  faults
	oidc    *provider
	agents  []*regexp.Regexp // Options.AllowedUserAgents
	files   *fileStore
	tables  *tableStore
	sharing shareDesk
	deck    deckApp
	mail    *postOffice
	talk    talkHall

	accounts map[string]*account // by user id; the map itself never changes after New

	mu       sync.Mutex // guards the fields below
	opened   listening
	state    switches
	sessions sessions
	tokens   appPasswords
	attempts badLogins
	flows    loginFlows
}

// account is one user with everything that belongs to them. Handlers get it when the request was authenticated.
type account struct {
	id        string // User.ID, never changes
	files     *fileHome
	notes     *notebook
	calendars *calendarHome
	told      told
	cards     *cardHome

	mu            sync.Mutex // guards the fields below
	user          User       // read it with a.profile()
	firstLogin    time.Time
	lastLogin     time.Time
	passwordLogin time.Time // last login with the account password
}

// profile returns the user's settings as they are now.
func (a *account) profile() User {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.user
}

// New builds a simulated Nextcloud; Listen or Start make it reachable, or mount it as a handler.
func New(opts *Options) *Server {
	o := opts.withDefaults()
	s := &Server{
		opts:     o,
		rules:    rulesOf(o.Version),
		mux:      http.NewServeMux(),
		accounts: make(map[string]*account, len(o.Users)),
	}
	s.state = switches{
		maintenance:         o.Maintenance,
		untrustedDomain:     o.UntrustedDomain,
		disableRegistration: o.DisableRegistration,
		consent:             o.Consent,
	}
	for _, allowed := range o.AllowedUserAgents {
		s.agents = append(s.agents, regexp.MustCompile(allowed))
	}
	s.oidc = newProvider()
	s.mail = newPostOffice()
	s.files = newFileStore(s.now)
	s.tables = newTableStore(s.now)
	s.sessions = newSessions()
	s.tokens = newAppPasswords()
	s.attempts = newBadLogins()
	s.flows = newLoginFlows()
	for _, u := range o.Users {
		u = u.withDefaults()
		a := &account{id: u.ID, user: u}
		a.files = s.files.newHome(a)
		a.notes = newNotebook(s, a)
		a.calendars = newCalendarHome(s, u)
		a.cards = newCardHome(s, u)
		s.accounts[u.ID] = a
		if u.Email != "" {
			s.mail.open(u)
		}
	}
	s.routesCore()
	s.routesLogin()
	s.routesLoginFlow()
	if !o.DisableOIDC {
		s.routesOIDC()
	}
	if !o.DisableNotes {
		s.routesNotes()
	}
	if !o.DisableTables {
		s.routesTables()
	}
	s.routesFiles()
	s.routesCalDAV()
	if !o.DisableMail {
		s.routesMail()
	}
	s.routesSearch()
	s.routesNotifications()
	s.routesSharing()
	if !o.DisableDeck {
		s.routesDeck()
	}
	if !o.DisableTalk {
		s.routesTalk()
	}
	if o.SampleData {
		s.loadSample()
	}
	return s
}

// now is the simulator's clock.
func (s *Server) now() time.Time { return s.opts.Now() }

// account returns the user of an id, or nil.
func (s *Server) account(id string) *account { return s.accounts[id] }

// family is a kind of API: it decides how requests are authenticated and what refusals look like.
type family int

const (
	familyOpen      family = iota // anybody, and credentials are not looked at: status.php, login pages, the oidc app
	familyOCS                     // /ocs/v2.php (and v1.php): needs a user; Basic needs OCS-APIRequest
	familyOCSPublic               // the same, but a is nil for people who are not signed in: capabilities
	familyDAV                     // /remote.php/dav
	familyCORS                    // REST APIs of apps below /apps: Notes, Deck, Tables v1, News, Cookbook
	familyApp                     // what an app offers to its own pages: as pages, and reading needs the CSRF proof too
	familyWeb                     // pages for browsers: without a session they lead to the login page
)

// handle registers a route. The pattern is one of http.ServeMux with any method ("PROPFIND /remote.php/dav/..."). Paths
// of apps are written without "/index.php", which works in front of them as well; paths of OCS are written with
// "/ocs/v2.php", and v1.php works as well.
//
// The request is authenticated as the family demands before h sees it: a is the user, never nil except in familyOpen and
// familyOCSPublic. The answer carries X-User-Id already.
func (s *Server) handle(pattern string, f family, h func(w http.ResponseWriter, r *http.Request, a *account)) {
	serve := func(w http.ResponseWriter, r *http.Request) {
		if who, ok := s.admit(w, r, f); ok {
			h(w, r.WithContext(withIdentity(r.Context(), who)), who.account)
		}
	}
	s.mux.HandleFunc(pattern, serve)
	if f == familyOCS || f == familyOCSPublic {
		s.mux.HandleFunc(strings.Replace(pattern, "/ocs/v2.php/", "/ocs/v1.php/", 1), serve)
	}
}
