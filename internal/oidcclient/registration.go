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
	res, err := r.send(req)
	if err != nil {
		return nil, &RegistrationError{Kind: ErrUnavailable, Message: connectionProblem(err), Err: cause(err)}
	}
	if res.status/100 != 2 {
		return nil, r.withHelp(refusalOf(res))
	}
	var got registration
	if err := json.Unmarshal(res.body, &got); err != nil || got.ClientID == "" || got.ClientSecret == "" {
		return nil, &RegistrationError{Kind: ErrBadAnswer, Status: res.status, Message: "the provider's answer holds no client_id and client_secret: look into its log", Err: err}
	}
	return &got, nil
}

// answer is what the provider answered, read to its end or to maxRegistration.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send sends one request, without following redirects, and reads the answer.
func (r *Registrar) send(req *http.Request) (answer, error) {
	res, err := r.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxRegistration))
	return answer{res.StatusCode, res.Header, body}, err
}

// refusalOf reads an answer that is no success (RFC 7591, 3.2.2).
func refusalOf(res answer) *RegistrationError {
	var body struct {
		Code        string `json:"error"`
		Description string `json:"error_description"`
	}
	_ = json.Unmarshal(res.body, &body) // other answers have no code
	e := &RegistrationError{Status: res.status, Code: printable(body.Code, 64), RetryAfter: retryAfter(res.header)}
	switch {
	case e.Code == "dynamic_registration_not_allowed", res.status == http.StatusNotFound, res.status == http.StatusMethodNotAllowed:
		e.Kind = ErrRegistrationDisabled
	case e.Code == "max_num_clients_exceeded":
		e.Kind = ErrTooManyClients
	case res.status == http.StatusTooManyRequests:
		e.Kind = ErrRateLimited
		if e.RetryAfter == 0 {
			// Nextcloud: ten registrations a minute and address; the answer
			// does not say how long to wait.
			e.RetryAfter = time.Minute
		}
	case res.status == http.StatusServiceUnavailable && maintenance(res.header):
		e.Kind, e.Message = ErrUnavailable, "Nextcloud is in maintenance mode: `occ maintenance:mode --off` ends it"
	case res.status >= 500:
		e.Kind, e.Message = ErrUnavailable, fmt.Sprintf("the provider answers with HTTP %d: look into its log", res.status)
	case res.status/100 == 3:
		e.Kind, e.Message = ErrBadAnswer, "the provider sends us elsewhere: set NEXTCLOUD_HOST (or OIDC_DISCOVERY_URL) to the final address"
	case res.status == http.StatusBadRequest && e.Code == "" && untrustedDomain(res.body):
		e.Kind, e.Message = ErrUnavailable, "Nextcloud does not accept this host name: add it to trusted_domains in its config.php"
	default:
		e.Kind = ErrRejected
		e.Message = fmt.Sprintf("the provider rejects it with HTTP %d", res.status)
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
	case ErrRegistrationDisabled: //nolint:errorlint // a kind is one of the sentinels themselves
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
	res, err := r.send(req)
	switch {
	case err != nil:
		return &RegistrationError{Kind: ErrUnavailable, Message: connectionProblem(err), Err: cause(err)}
	case res.status == http.StatusTooManyRequests, res.status >= 500:
		return &RegistrationError{Kind: ErrUnavailable, Status: res.status, Message: fmt.Sprintf("the provider answers with HTTP %d", res.status)}
	}
	return nil // gone, or never to be deleted by us
}
