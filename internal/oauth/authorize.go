package oauth

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/oauth/clients"
	"nextcloud-mcp-server/internal/ratelimit"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/store"
)

const (
	maxState    = 2 << 10 // bytes
	maxClientID = 2 << 10 // bytes; the address of a document may be long
	findTimeout = 15 * time.Second
)

// page is a refusal for a person: as long as client and redirect URI are not
// proven, nothing goes to the client (RFC 6749, 4.1.2.1).
type page struct {
	status int
	code   string
	client *clients.Client
	detail string
	wait   time.Duration // for Retry-After; zero means not said
}

// authorize is the authorization endpoint (RFC 6749, 3.1).
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer") // the address holds the request
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		h.Set("Allow", "GET, POST")
		s.cfg.Fail(w, r, http.StatusMethodNotAllowed, PageMethod, nil, "")
		return
	}
	if ok, wait := s.limits.authorize.Allow(ratelimit.Key(s.limits.address(r))); !ok {
		s.show(w, r, &page{status: http.StatusTooManyRequests, code: PageRateLimited, wait: wait})
		return
	}
	p, err := readRequest(w, r)
	if err != nil {
		s.show(w, r, &page{status: http.StatusBadRequest, code: PageUnknownClient, detail: "The address is not complete or was changed on the way: " + err.Error() + "."})
		return
	}
	req, no := s.prove(r, p)
	if no != nil {
		s.show(w, r, no)
		return
	}
	if err := s.complete(req, p); err != nil {
		var no *refusal
		if !errors.As(err, &no) {
			no = refuse(codeInvalidRequest, "")
		}
		http.Redirect(w, r, s.Answer(req, no.code, no.description), http.StatusSeeOther)
		return
	}
	s.cfg.Begin(w, r, req)
}

func (s *Server) show(w http.ResponseWriter, r *http.Request, no *page) {
	if no.wait > 0 {
		w.Header().Set("Retry-After", seconds(no.wait))
	}
	s.cfg.Fail(w, r, no.status, no.code, no.client, no.detail)
}

// readRequest reads the parameters from the query, or from the form of a POST
// (RFC 6749, 3.1).
func readRequest(w http.ResponseWriter, r *http.Request) (parameters, error) {
	encoded := r.URL.RawQuery
	if r.Method == http.MethodPost {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxParameters))
		if err != nil {
			return nil, errTooLong
		}
		encoded = string(body)
	}
	if len(encoded) > maxParameters {
		return nil, errTooLong
	}
	return parse(encoded)
}

// prove finds the client and makes sure that the redirect URI is one of its
// own. Only then anything may go there.
func (s *Server) prove(r *http.Request, p parameters) (*Request, *page) {
	id := p.one("client_id")
	if id == "" || len(id) > maxClientID {
		return nil, &page{status: http.StatusBadRequest, code: PageUnknownClient, detail: "The request does not name exactly one client_id."}
	}
	ctx, cancel := context.WithTimeout(r.Context(), findTimeout)
	defer cancel()
	c, err := s.cfg.Clients.Find(ctx, id)
	if err != nil {
		return nil, s.notFound(r, err)
	}
	if ok, wait := s.limits.clientAuthorize.Allow(s.limits.clientKey(r, c, false)); !ok {
		return nil, &page{status: http.StatusTooManyRequests, code: PageRateLimited, client: c, wait: wait}
	}
	// OAuth 2.1, 4.1.1 lets it be left out where one is registered; but with
	// any port of loopback there is never just one, and MCP clients send it.
	uri := p.one("redirect_uri")
	switch {
	case uri == "":
		return nil, &page{status: http.StatusBadRequest, code: PageBadRedirect, client: c, detail: "The request does not name exactly one redirect_uri."}
	case !s.cfg.Clients.Allows(c, uri):
		return nil, &page{status: http.StatusBadRequest, code: PageBadRedirect, client: c, detail: "The redirect_uri of the request is none of those that the client registered."}
	}
	state := p.one("state") // two of them cannot both be returned
	if len(state) > maxState {
		state = "" // refused in a moment
	}
	return &Request{Client: *c, RedirectURI: uri, State: state}, nil
}

// notFound is the page for a client that Find does not know.
func (s *Server) notFound(r *http.Request, err error) *page {
	var p *clients.Problem
	if !errors.As(err, &p) {
		if r.Context().Err() == nil {
			s.cfg.Log.ErrorContext(r.Context(), "A client could not be looked up", "error", err)
		}
		return &page{status: http.StatusServiceUnavailable, code: PageUnavailable, wait: retryLater}
	}
	switch {
	case errors.Is(p, clients.ErrUnavailable):
		return &page{status: http.StatusBadGateway, code: PageClientUnavailable, detail: p.Detail}
	case errors.Is(p, clients.ErrBadDocument):
		return &page{status: http.StatusBadRequest, code: PageBadDocument, detail: p.Detail}
	default:
		return &page{status: http.StatusBadRequest, code: PageUnknownClient, detail: p.Detail}
	}
}

// complete checks the rest of a request whose client is proven. Errors are
// *refusal, for the client.
func (s *Server) complete(req *Request, p parameters) error {
	switch {
	case p.repeated() != "":
		return refuse(codeInvalidRequest, "A parameter is given more than once.")
	case len(p.get("state")) > maxState:
		return refuse(codeInvalidRequest, "The state is longer than 2048 bytes.")
	case p.get("request") != "":
		return refuse(codeRequestNotSupported, "Request objects are not supported.")
	case p.get("request_uri") != "":
		return refuse(codeRequestURINotSupported, "Request objects are not supported.")
	case p.get("response_type") == "":
		return refuse(codeInvalidRequest, "response_type is missing.")
	case p.get("response_type") != "code":
		return refuse(codeUnsupportedResponseType, "The only response_type is code.")
	case p.get("response_mode") != "" && p.get("response_mode") != "query":
		return refuse(codeInvalidRequest, "The only response_mode is query.")
	case p.get("code_challenge") == "":
		return refuse(codeInvalidRequest, "PKCE is required: code_challenge is missing.")
	case p.get("code_challenge_method") != "S256":
		// Without a method it would be plain (RFC 7636, 4.3).
		return refuse(codeInvalidRequest, "code_challenge_method must be S256.")
	case !isProof(p.get("code_challenge")):
		return refuse(codeInvalidRequest, "code_challenge must be 43 to 128 unreserved characters.")
	case !s.ours(p["resource"]):
		return refuse(codeInvalidTarget, "This server grants access to "+plain(s.cfg.Resource)+" only.")
	case slices.Contains(strings.Fields(p.get("prompt")), "none"):
		return refuse(codeInteractionRequired, "Nobody is connected without being asked.")
	}
	asked, err := s.asked(&req.Client, p.get("scope"))
	if err != nil {
		return err
	}
	req.Scopes, req.Resource, req.CodeChallenge = asked, s.cfg.Resource, p.get("code_challenge")
	return nil
}

// asked are the scopes that a request asks for, cut to what there is. Unknown
// ones are left out (RFC 6749, 3.3 lets a server ignore some).
//
// What a client registered as its scope is what it gets when it asks for none.
// It is a limit only where an administrator wrote it: a client that registered
// itself does so before it knows what it will need, and must be able to ask
// for more later.
func (s *Server) asked(c *clients.Client, value string) (scope.Set, error) {
	can := s.cfg.Scopes()
	registered := both(areas(scope.Parse(c.Scope)), can)
	if c.Kind == store.ClientConfigured && c.Scope != "" {
		can = registered
	}
	named := scope.Parse(value)
	asked := areas(named)
	switch {
	case !asked.Empty():
		asked = both(asked, can)
	case !registered.Empty():
		asked = registered
	default:
		asked = can
	}
	if asked.Empty() {
		return scope.Set{}, refuse(codeInvalidScope, "None of the scopes is known here.")
	}
	return asked, nil
}
