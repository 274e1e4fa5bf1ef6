package oidcclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/auth"
)

const (
	registrationTimeout = 30 * time.Second
	maxRegistration     = 256 << 10 // bytes
)

// clientName is how the provider's lists show this server.
const clientName = "Nextcloud MCP Server"

// What can go wrong with a registration, for errors.Is.
var (
	ErrRegistrationDisabled = errors.New("the provider lets no client register itself")
	ErrRateLimited          = errors.New("too many registrations in a short time")
	ErrTooManyClients       = errors.New("the provider holds too many registered clients")
	ErrRejected             = errors.New("the provider rejects the registration")
	ErrUnavailable          = errors.New("the provider is not available now")
	ErrBadAnswer            = errors.New("unexpected answer of the provider")
)

// RegistrationError says why there is no registration. It holds no secret.
type RegistrationError struct {
	Kind       error         // one of the Err values above
	Status     int           // HTTP status; 0 when there was no answer
	Code       string        // the provider's error code (RFC 7591, 3.2.2); may be empty
	Message    string        // what is wrong and what to do, in one sentence
	RetryAfter time.Duration // when to try again; 0 means not said
	Err        error         // the cause; may be nil
}

// Error is the sentence.
func (e *RegistrationError) Error() string { return "Dynamic registration failed: " + e.Message }

// Is matches the kind.
func (e *RegistrationError) Is(target error) bool { return target == e.Kind }

// Unwrap is the cause.
func (e *RegistrationError) Unwrap() error { return e.Err }

// registrationRequest is the client metadata of RFC 7591, 2, with token_type
// and resource_url of Nextcloud's oidc app.
type registrationRequest struct {
	ClientName      string   `json:"client_name"`
	RedirectURIs    []string `json:"redirect_uris"`
	AuthMethod      string   `json:"token_endpoint_auth_method"`
	GrantTypes      []string `json:"grant_types"`
	ResponseTypes   []string `json:"response_types"`
	ApplicationType string   `json:"application_type"`
	Scope           string   `json:"scope"`
	TokenType       string   `json:"token_type,omitempty"`
	ResourceURL     string   `json:"resource_url,omitempty"`
}

// registration is the client information of RFC 7591, 3.2.1 and RFC 7592, 3.
type registration struct {
	ClientID          string  `json:"client_id"`
	ClientSecret      string  `json:"client_secret"`
	IssuedAt          float64 `json:"client_id_issued_at"`      // Unix seconds; 0 when not said
	SecretExpiresAt   float64 `json:"client_secret_expires_at"` // Unix seconds; 0 means never
	RegistrationToken string  `json:"registration_access_token"`
	RegistrationURI   string  `json:"registration_client_uri"`
	Scope             *string `json:"scope"`
	TokenType         string  `json:"token_type"`
}

// expiry is when the secret ends by our own clock; zero means never, or
// nothing that can be believed.
func (r *registration) expiry(now time.Time) time.Time {
	if r.SecretExpiresAt <= 0 {
		return time.Time{}
	}
	end := unix(r.SecretExpiresAt)
	if r.IssuedAt > 0 {
		// The lifetime is right also where the provider's clock is not ours.
		end = now.Add(end.Sub(unix(r.IssuedAt)))
	}
	if !end.After(now) {
		return time.Time{}
	}
	return end
}

// unix is a time in Unix seconds, at most that of the year 9999.
func unix(seconds float64) time.Time { return time.Unix(int64(min(seconds, 253402300799)), 0) }

// register asks for a new client (RFC 7591, 3.1).
func (r *Registrar) register(ctx context.Context) (*registration, error) {
	if r.cfg.RegistrationEndpoint == "" {
		return nil, r.withHelp(&RegistrationError{Kind: ErrRegistrationDisabled})
	}
	body, err := json.Marshal(registrationRequest{
		ClientName:      clientName,
		RedirectURIs:    []string{r.cfg.RedirectURI},
		AuthMethod:      "client_secret_post",
		GrantTypes:      []string{"authorization_code", "refresh_token"},
		ResponseTypes:   []string{"code"},
		ApplicationType: "web",
		Scope:           r.cfg.Scopes.String(),
		TokenType:       r.cfg.TokenType,
		ResourceURL:     r.cfg.Resource,
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, registrationTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.cfg.RegistrationEndpoint, bytes.NewReader(body))
	if err != nil {
		return nil, &RegistrationError{Kind: ErrBadAnswer, Message: "the registration endpoint is not a URL", Err: cause(err)}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	res, answer, err := r.send(req)
	if err != nil {
		return nil, &RegistrationError{Kind: ErrUnavailable, Message: connectionProblem(err), Err: cause(err)}
	}
	if res.StatusCode/100 != 2 {
		return nil, r.withHelp(refusalOf(res, answer))
	}
	var got registration
	if err := json.Unmarshal(answer, &got); err != nil || got.ClientID == "" || got.ClientSecret == "" {
		return nil, &RegistrationError{Kind: ErrBadAnswer, Status: res.StatusCode, Message: "the provider's answer holds no client_id and client_secret: look into its log", Err: err}
	}
	return &got, nil
}

// send sends one request, without following redirects, and reads the answer.
func (r *Registrar) send(req *http.Request) (*http.Response, []byte, error) {
	res, err := r.http.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxRegistration))
	return res, answer, err
}

// refusalOf reads an answer that is no success (RFC 7591, 3.2.2).
func refusalOf(res *http.Response, answer []byte) *RegistrationError {
	var body struct {
		Code        string `json:"error"`
		Description string `json:"error_description"`
	}
	_ = json.Unmarshal(answer, &body) // other answers have no code
	e := &RegistrationError{Status: res.StatusCode, Code: printable(body.Code, 64), RetryAfter: retryAfter(res.Header)}
	switch {
	case e.Code == "dynamic_registration_not_allowed", res.StatusCode == http.StatusNotFound, res.StatusCode == http.StatusMethodNotAllowed:
		e.Kind = ErrRegistrationDisabled
	case e.Code == "max_num_clients_exceeded":
		e.Kind = ErrTooManyClients
	case res.StatusCode == http.StatusTooManyRequests:
		e.Kind = ErrRateLimited
		if e.RetryAfter == 0 {
			// Nextcloud: ten registrations a minute and address; the answer
			// does not say how long to wait.
			e.RetryAfter = time.Minute
		}
	case res.StatusCode == http.StatusServiceUnavailable && maintenance(res):
		e.Kind, e.Message = ErrUnavailable, "Nextcloud is in maintenance mode: `occ maintenance:mode --off` ends it"
	case res.StatusCode >= 500:
		e.Kind, e.Message = ErrUnavailable, fmt.Sprintf("the provider answers with HTTP %d: look into its log", res.StatusCode)
	case res.StatusCode/100 == 3:
		e.Kind, e.Message = ErrBadAnswer, "the provider sends us elsewhere: set NEXTCLOUD_HOST (or OIDC_DISCOVERY_URL) to the final address"
	case res.StatusCode == http.StatusBadRequest && e.Code == "" && untrustedDomain(answer):
		e.Kind, e.Message = ErrUnavailable, "Nextcloud does not accept this host name: add it to trusted_domains in its config.php"
	default:
		e.Kind = ErrRejected
		e.Message = fmt.Sprintf("the provider rejects it with HTTP %d", res.StatusCode)
		if e.Code != "" {
			e.Message += " " + e.Code
		}
		if d := printable(body.Description, 200); d != "" {
			e.Message += " (" + d + ")"
		}
	}
	return e
}

// withHelp completes e with the command that helps.
func (r *Registrar) withHelp(e *RegistrationError) *RegistrationError {
	create := "`occ oidc:create " + quote(clientName) + " " + quote(r.cfg.RedirectURI)
	if r.cfg.TokenType != "" {
		create += " --token_type=" + r.cfg.TokenType
	}
	if r.cfg.Resource != "" {
		create += " --resource_url=" + quote(r.cfg.Resource)
	}
	create += "` and set NEXTCLOUD_OIDC_CLIENT_ID and NEXTCLOUD_OIDC_CLIENT_SECRET"
	switch e.Kind {
	case ErrRegistrationDisabled:
		e.Message = "the provider lets no client register itself: run `occ config:app:set oidc dynamic_client_registration --value=true`, or make a client with " + create
	case ErrTooManyClients:
		e.Message = "Nextcloud holds too many registered clients: remove some with `occ oidc:list` and `occ oidc:remove <client_id>`, or make a lasting one with " + create
	case ErrRateLimited:
		e.Message = "too many registrations in a short time (HTTP 429): it is tried again in " + e.RetryAfter.String() + "; a lasting client needs none: make it with " + create
	case ErrRejected:
		e.Message += ": make a client with " + create
	}
	return e
}

// quote is s as one word for a shell.
func quote(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/._-", c)
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// printable is the printable ASCII of s, at most n bytes.
func printable(s string, n int) string {
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return -1
		}
		return c
	}, s[:min(len(s), 4*n)])
	return s[:min(len(s), n)]
}

// unregister takes a client away from the provider (RFC 7592, 2.3). A client
// that is already gone, or whose registration token is, is no error.
func (r *Registrar) unregister(ctx context.Context, uri string, token auth.Secret) error {
	if uri == "" || token == "" {
		return nil
	}
	// The token must reach nobody but whom it came from.
	at, err := url.Parse(uri)
	endpoint, err2 := url.Parse(r.cfg.RegistrationEndpoint)
	if err != nil || err2 != nil || origin(at) != origin(endpoint) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, registrationTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, uri, nil)
	if err != nil {
		return nil //nolint:nilerr // nothing at such an address can be deleted, ever
	}
	req.Header.Set("Authorization", "Bearer "+token.Reveal())
	res, _, err := r.send(req)
	switch {
	case err != nil:
		return &RegistrationError{Kind: ErrUnavailable, Message: connectionProblem(err), Err: cause(err)}
	case res.StatusCode == http.StatusTooManyRequests, res.StatusCode >= 500:
		return &RegistrationError{Kind: ErrUnavailable, Status: res.StatusCode, Message: fmt.Sprintf("the provider answers with HTTP %d", res.StatusCode)}
	}
	return nil // gone, or never to be deleted by us
}
