package oauth

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/store"
)

// codeLife is how long an authorization code may be exchanged. RFC 6749, 4.1.2
// allows ten minutes; a client exchanges it at once.
const codeLife = time.Minute

// Approve makes the code of a request that a person consented to and answers
// where to send the browser: the redirect URI with code, state and iss.
// scopes are what the client gets of what the active grant holds.
//
// The error is store.ErrNotFound when the grant is gone or not active, and one
// of the store else.
func (s *Server) Approve(ctx context.Context, req *Request, grant store.Grant, scopes scope.Set) (location string, err error) {
	code := newCode()
	err = s.cfg.Store.PutCode(ctx, store.Code{
		Hash:          store.HashOf(code.Reveal()),
		GrantID:       grant.ID,
		ClientID:      req.Client.ID,
		RedirectURI:   req.RedirectURI,
		CodeChallenge: req.CodeChallenge,
		Resource:      req.Resource,
		Scopes:        scopes,
		ExpiresAt:     s.cfg.Now().Add(codeLife),
	})
	if err != nil {
		return "", fmt.Errorf("approve authorization request: %w", err)
	}
	return s.location(req, url.Values{"code": {code.Reveal()}}), nil
}

// Deny is where to send the browser when the person refused.
func (s *Server) Deny(req *Request) string {
	return s.Answer(req, codeAccessDenied, "The person did not agree.")
}

// Answer is the redirect URI with an error (RFC 6749, 4.1.2.1), state and iss.
// description may be empty.
func (s *Server) Answer(req *Request, code, description string) string {
	answer := url.Values{"error": {code}}
	if description != "" {
		answer.Set("error_description", plain(description))
	}
	return s.location(req, answer)
}

// location is the redirect URI with the parameters of an answer. What the
// client registered stays as it is, byte for byte. iss tells the client who
// answers, so that it cannot be made to bring the code to somebody else (RFC
// 9207).
func (s *Server) location(req *Request, answer url.Values) string {
	if req.State != "" {
		answer.Set("state", req.State)
	}
	answer.Set("iss", s.cfg.Issuer)
	joint := "?"
	switch {
	case strings.HasSuffix(req.RedirectURI, "?"), strings.Contains(req.RedirectURI, "?") && strings.HasSuffix(req.RedirectURI, "&"):
		joint = ""
	case strings.Contains(req.RedirectURI, "?"):
		joint = "&"
	}
	return req.RedirectURI + joint + answer.Encode()
}
