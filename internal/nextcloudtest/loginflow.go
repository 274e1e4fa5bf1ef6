package nextcloudtest

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"
)

const (
	// loginFlowLife is how long a login flow may take.
	loginFlowLife = 20 * time.Minute

	maxLoginFlows = 1000
)

// loginFlow is one run of Login Flow v2.
type loginFlow struct {
	pollToken  string
	loginToken string
	client     string // User-Agent of the application, which names the app password
	started    time.Time
	granted    *flowGrant
}

type flowGrant struct {
	loginName   string
	appPassword string
}

// loginFlows are the flows by poll token. The owner's lock guards them.
type loginFlows struct {
	byPoll  map[string]*loginFlow
	byLogin map[string]*loginFlow
}

func newLoginFlows() loginFlows {
	return loginFlows{byPoll: map[string]*loginFlow{}, byLogin: map[string]*loginFlow{}}
}

func (f *loginFlows) remove(one *loginFlow) {
	delete(f.byPoll, one.pollToken)
	delete(f.byLogin, one.loginToken)
}

func (f *loginFlows) forgetOld(now time.Time) {
	for _, one := range f.byPoll {
		if now.Sub(one.started) > loginFlowLife {
			f.remove(one)
		}
	}
}

func (s *Server) routesLoginFlow() {
	s.handle("POST /login/v2", familyOpen, s.flowStart)
	s.handle("POST /login/v2/poll", familyOpen, s.flowPoll)
	s.handle("GET /login/v2/flow/{token}", familyOpen, s.flowOpen)
	s.handle("GET /login/v2/flow", familyOpen, s.flowPick)
	s.handle("GET /login/v2/grant", familyWeb, s.flowGrantPage)
	s.handle("POST /login/v2/grant", familyWeb, s.flowGrantPost)
}

func (s *Server) flowStart(w http.ResponseWriter, r *http.Request, _ *account) {
	one := &loginFlow{pollToken: randomText(longTokenLength), loginToken: randomText(longTokenLength), client: r.UserAgent(), started: s.now()}
	s.mu.Lock()
	s.flows.forgetOld(s.now())
	full := len(s.flows.byPoll) >= maxLoginFlows
	if !full {
		s.flows.byPoll[one.pollToken] = one
		s.flows.byLogin[one.loginToken] = one
	}
	s.mu.Unlock()
	if full {
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	base := s.base(r)
	writeJSON(w, http.StatusOK, struct {
		Poll  map[string]string `json:"poll"`
		Login string            `json:"login"`
	}{
		Poll:  map[string]string{"token": one.pollToken, "endpoint": base + "/login/v2/poll"},
		Login: base + "/login/v2/flow/" + one.loginToken,
	})
}

// flowPoll hands out the app password once, and says 404 before and after.
func (s *Server) flowPoll(w http.ResponseWriter, r *http.Request, _ *account) {
	s.mu.Lock()
	s.flows.forgetOld(s.now())
	one := s.flows.byPoll[r.PostFormValue("token")]
	var granted *flowGrant
	if one != nil && one.granted != nil {
		granted = one.granted
		s.flows.remove(one)
	}
	s.mu.Unlock()
	if granted == nil {
		writeJSON(w, http.StatusNotFound, noData)
		return
	}
	writeJSON(w, http.StatusOK, struct {
		Server      string `json:"server"`
		LoginName   string `json:"loginName"`
		AppPassword string `json:"appPassword"`
	}{cmp.Or(s.opts.FlowServer, s.base(r)), granted.loginName, granted.appPassword})
}

// flowOpen is the link that the application shows: it binds the flow to the browser.
func (s *Server) flowOpen(w http.ResponseWriter, r *http.Request, _ *account) {
	one := s.browserSession(w, r)
	token := r.PathValue("token")
	s.mu.Lock()
	s.flows.forgetOld(s.now())
	_, known := s.flows.byLogin[token]
	if known {
		one.flow, one.stateToken = token, ""
	}
	s.mu.Unlock()
	if !known {
		writePage(w, http.StatusForbidden, "Access forbidden", "Could not complete login: this link is not valid or no longer.")
		return
	}
	s.introduceSession(w, one)
	query := "?user=" + url.QueryEscape(r.URL.Query().Get("user")) + "&direct=0"
	redirect(w, s.base(r)+"/login/v2/flow"+query)
}

// introduceSession names the user of a browser page.
func (s *Server) introduceSession(w http.ResponseWriter, one *session) {
	if one.account != nil {
		w.Header().Set("X-User-Id", one.account.id)
	}
}

type flowForm struct {
	Client, Name, StateToken, RequestToken string
}

func (f flowForm) pickPage() string {
	return markup(`<p>Please log in before granting <strong>%s</strong> access to your Simulated Nextcloud account.</p>
<p>If you did not start this on your device, close this page.</p>
<form method="get" action="/login/v2/grant">
<input type="hidden" name="stateToken" value="%s">
<input type="hidden" name="user" value="">
<input type="hidden" name="direct" value="0">
<button type="submit">Log in</button>
</form>`, f.Client, f.StateToken)
}

func (f flowForm) grantPage() string {
	return markup(`<p>You are about to grant <strong>%s</strong> access to your account, %s.</p>
<form method="post" action="/login/v2/grant">
<input type="hidden" name="stateToken" value="%s">
<input type="hidden" name="requesttoken" value="%s">
<button type="submit">Grant access</button>
</form>`, f.Client, f.Name, f.StateToken, f.RequestToken)
}

// flowPick shows what asks for access and makes the state token that the next steps must carry.
func (s *Server) flowPick(w http.ResponseWriter, r *http.Request, _ *account) {
	one := s.browserSession(w, r)
	s.mu.Lock()
	flow := s.flows.byLogin[one.flow]
	if flow != nil {
		one.stateToken = randomText(clientSecretLength)
	}
	form := flowForm{StateToken: one.stateToken}
	s.mu.Unlock()
	if flow == nil {
		refuseFlow(w, "Login flow session is missing or expired.")
		return
	}
	if !s.allowsAgent(flow.client) {
		refuseFlow(w, "Please use original client")
		return
	}
	form.Client = flow.client
	s.introduceSession(w, one)
	renderPage(w, http.StatusOK, "Connect to your account", form.pickPage())
}

// flowOf returns the flow that a session may grant with a state token, or nil.
func (s *Server) flowOf(one *session, stateToken string) *loginFlow {
	if one == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flows.forgetOld(s.now())
	flow := s.flows.byLogin[one.flow]
	if flow == nil || !same(one.stateToken, stateToken) || flow.granted != nil || !s.allowsAgent(flow.client) {
		return nil
	}
	return flow
}

// allowsAgent tells whether an application may use Login Flow v2.
//
// Nextcloud: this is not looked at when a flow begins, only on its pages after the first.
func (s *Server) allowsAgent(agent string) bool {
	return len(s.agents) == 0 || slices.ContainsFunc(s.agents, func(allowed *regexp.Regexp) bool { return allowed.MatchString(agent) })
}

func refuseFlow(w http.ResponseWriter, why string) {
	writePage(w, http.StatusForbidden, "Access forbidden", why)
}

func (s *Server) flowGrantPage(w http.ResponseWriter, r *http.Request, a *account) {
	one := s.session(r)
	flow := s.flowOf(one, r.URL.Query().Get("stateToken"))
	if flow == nil {
		refuseFlow(w, "State token does not match")
		return
	}
	form := flowForm{Client: flow.client, Name: a.profile().DisplayName, StateToken: r.URL.Query().Get("stateToken"), RequestToken: one.csrf}
	renderPage(w, http.StatusOK, "Account access", form.grantPage())
}

func (s *Server) flowGrantPost(w http.ResponseWriter, r *http.Request, a *account) {
	one := s.session(r)
	flow := s.flowOf(one, r.PostFormValue("stateToken"))
	if flow == nil {
		refuseFlow(w, "State token does not match")
		return
	}
	secret := s.createAppPassword(a, one.loginName, flow.client, false)
	s.mu.Lock()
	flow.granted = &flowGrant{loginName: one.loginName, appPassword: secret}
	one.stateToken, one.flow = "", ""
	s.mu.Unlock()
	writePage(w, http.StatusOK, "Account connected", "Your client should now be connected! You can close this window.")
}
