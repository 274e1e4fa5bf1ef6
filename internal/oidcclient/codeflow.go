package oidcclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json"
	"golang.org/x/oauth2"

	"nextcloud-mcp-server/internal/auth"
)

const (
	tokenTimeout = 20 * time.Second
	maxTokens    = 256 << 10 // bytes of an answer with tokens
)

// Authorization is what a person's browser asks the provider for (RFC 6749,
// 4.1.1; OpenID Connect Core, 3.1.2.1). Empty fields are left out; a Verifier
// there must be.
type Authorization struct {
	RedirectURI string
	Scopes      []string
	State       string
	Nonce       string
	Verifier    string // of PKCE; the browser is sent with its S256 challenge only (RFC 7636, 4.2)
	Resource    string // RFC 8707
	Prompt      string // "login" makes the person sign in again
}

// AuthorizationURL is where the browser is sent with a.
func (p *Provider) AuthorizationURL(c Client, a *Authorization) (string, error) {
	u, err := url.Parse(p.AuthorizationEndpoint)
	if err != nil {
		return "", errors.New("the authorization endpoint is not a URL")
	}
	q := u.Query()
	q.Set("response_type", "code")
	q.Set("client_id", c.ID)
	// Nextcloud: the oidc app before 1.10 ignores PKCE, all others enforce it.
	q.Set("code_challenge_method", "S256")
	q.Set("code_challenge", oauth2.S256ChallengeFromVerifier(a.Verifier))
	for name, value := range map[string]string{
		"redirect_uri": a.RedirectURI, "scope": strings.Join(a.Scopes, " "), "state": a.State, "nonce": a.Nonce,
		"resource": a.Resource, "prompt": a.Prompt,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	u.RawQuery, u.Fragment = q.Encode(), ""
	return u.String(), nil
}

// Tokens are the answer of the token endpoint (RFC 6749, 5.1; OpenID Connect
// Core, 3.1.3.3).
type Tokens struct {
	Access  auth.Secret
	Refresh auth.Secret   // empty when there is none
	ID      auth.Secret   // not verified; empty when there is none
	Life    time.Duration // of Access; zero when not said
}

// TokenError says why the token endpoint gave no tokens. It holds nothing of
// what was sent, nor the provider's own description, which may repeat it.
type TokenError struct {
	Status      int           // HTTP status; 0 when there was no answer
	Code        string        // RFC 6749, 5.2; empty when there was none
	Maintenance bool          // Nextcloud is in maintenance mode
	RetryAfter  time.Duration // as the provider asked; 0 means not said
	Err         error         // the cause; may be nil
}

// Error is the code, the status and the cause.
func (e *TokenError) Error() string {
	s := "token endpoint"
	if e.Code != "" {
		s += ": " + e.Code
	}
	if e.Status != 0 {
		s += fmt.Sprintf(" (HTTP %d)", e.Status)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap is the cause.
func (e *TokenError) Unwrap() error { return e.Err }

// Redeem exchanges an authorization code (RFC 6749, 4.1.3) with its PKCE
// verifier. a is the request that the code came of. Errors are *TokenError.
func (p *Provider) Redeem(ctx context.Context, client *http.Client, c Client, a *Authorization, code auth.Secret) (*Tokens, error) {
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code.Reveal()}, "redirect_uri": {a.RedirectURI}, "code_verifier": {a.Verifier},
	}
	if a.Resource != "" {
		form.Set("resource", a.Resource)
	}
	return p.tokens(ctx, client, c, form)
}

// Refresh exchanges a refresh token (RFC 6749, 6). The answer's Refresh is
// empty when the old one stays good. Errors are *TokenError; the code
// "invalid_grant" means that the refresh token is no good any more.
func (p *Provider) Refresh(ctx context.Context, client *http.Client, c Client, refresh auth.Secret, resource string) (*Tokens, error) {
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh.Reveal()}}
	if resource != "" {
		form.Set("resource", resource)
	}
	return p.tokens(ctx, client, c, form)
}

// Revoke ends a refresh token that is not needed (RFC 7009). A provider
// without a revocation endpoint is not asked.
func (p *Provider) Revoke(ctx context.Context, client *http.Client, c Client, refresh auth.Secret) error {
	if p.RevocationEndpoint == "" {
		return nil
	}
	_, err := p.post(ctx, client, p.RevocationEndpoint, c, url.Values{"token": {refresh.Reveal()}, "token_type_hint": {"refresh_token"}})
	return err
}

// tokenAnswer is a success of the token endpoint. It is read by go-jose's
// JSON, which takes names exactly and refuses an object with a name twice.
type tokenAnswer struct {
	AccessToken  string          `json:"access_token"`
	TokenType    string          `json:"token_type"`
	ExpiresIn    json.RawMessage `json:"expires_in"` // a number; some write a string
	RefreshToken string          `json:"refresh_token"`
	IDToken      string          `json:"id_token"`
}

func (p *Provider) tokens(ctx context.Context, client *http.Client, c Client, form url.Values) (*Tokens, error) {
	body, err := p.post(ctx, client, p.TokenEndpoint, c, form)
	if err != nil {
		return nil, err
	}
	var a tokenAnswer
	switch err := json.Unmarshal(body, &a); {
	case err != nil:
		return nil, &TokenError{Status: http.StatusOK, Err: errors.New("the answer is not the JSON of a token response")}
	case !strings.EqualFold(a.TokenType, "Bearer"):
		return nil, &TokenError{Status: http.StatusOK, Err: errors.New("the token type is not Bearer")}
	case !sendable(a.AccessToken):
		return nil, &TokenError{Status: http.StatusOK, Err: errors.New("there is no usable access token")}
	}
	t := &Tokens{Access: auth.Secret(a.AccessToken), Refresh: auth.Secret(a.RefreshToken), ID: auth.Secret(a.IDToken)}
	const longest = 10 * 365 * 24 * 60 * 60
	if s, err := strconv.ParseFloat(strings.Trim(string(a.ExpiresIn), `"`), 64); err == nil && s > 0 {
		t.Life = time.Duration(min(s, longest)) * time.Second
	}
	return t, nil
}

// sendable reports whether a token fits into a header (RFC 6750, 2.1).
func sendable(token string) bool {
	return token != "" && !strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' })
}

// post sends a form with the client's credentials and answers the body of a
// success.
func (p *Provider) post(ctx context.Context, client *http.Client, endpoint string, c Client, form url.Values) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	basic := c.Secret != "" && !slices.Contains(p.AuthMethods, "client_secret_post")
	if !basic {
		form.Set("client_id", c.ID)
		if c.Secret != "" {
			form.Set("client_secret", c.Secret.Reveal())
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, &TokenError{Err: errors.New("the endpoint is not a URL")}
	}
	if basic {
		// RFC 6749, 2.3.1: encoded like a form before it becomes Basic.
		req.SetBasicAuth(url.QueryEscape(c.ID), url.QueryEscape(c.Secret.Reveal()))
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	own := *client
	own.Jar = nil
	// A redirect would carry the code and the client secret elsewhere.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := own.Do(req)
	if err != nil {
		return nil, &TokenError{Err: cause(err)}
	}
	defer res.Body.Close()
	e := &TokenError{Status: res.StatusCode, Maintenance: maintenance(res.Header), RetryAfter: retryAfter(res.Header)}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxTokens+1))
	switch {
	case err != nil:
		return nil, &TokenError{Err: errors.New("the answer was cut off")}
	case len(body) > maxTokens:
		e.Err = errors.New("the answer is too large")
		return nil, e
	case res.StatusCode == http.StatusOK:
		return body, nil
	}
	var refusal struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &refusal) == nil && isErrorCode(refusal.Error) {
		e.Code = refusal.Error
	}
	return nil, e
}

// isErrorCode reports whether s looks like an error code: the names of RFC
// 6749 and its extensions, which are safe to log.
func isErrorCode(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && r != '_' && r != '.' && r != '-'
	})
}
