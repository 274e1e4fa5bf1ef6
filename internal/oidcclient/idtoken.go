package oidcclient

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/go-jose/go-jose/v4/json"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/auth/bearer"
)

const (
	// idTokenSkew is how far the provider's clock may be off.
	idTokenSkew = time.Minute
	maxUserinfo = 64 << 10 // bytes
	maxSubject  = 255      // characters (OpenID Connect Core, 2)
	maxName     = 200      // characters that are kept of a name
)

// ErrIDToken means that an ID token must not be believed. Errors with it say
// why, and quote nothing secret.
var ErrIDToken = errors.New("the ID token is not acceptable")

// Identity is who the provider says a person is.
type Identity struct {
	Subject  auth.Subject
	Name     string // to be shown; empty when not said
	Username string // preferred_username; empty when not said
}

// Expected is what an ID token has to agree with.
type Expected struct {
	ClientID string
	Nonce    string
	Access   auth.Secret // the access token that came with it
	Now      time.Time
}

// VerifyIDToken proves an ID token of the provider (OpenID Connect Core,
// 3.1.3.7): signature, issuer, audience, authorized party, times, nonce, and
// the hash of the access token where there is one. The error is ErrIDToken, or
// an *auth.Error with status 503 when the provider's keys cannot be had.
func (p *Provider) VerifyIDToken(ctx context.Context, keys *bearer.Keys, raw auth.Secret, want *Expected) (*Identity, error) {
	opened, err := keys.Open(ctx, raw.Reveal())
	if err != nil {
		if e, ok := errors.AsType[*auth.Error](err); ok && e.Status == http.StatusServiceUnavailable {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %w", ErrIDToken, err)
	}
	var c idClaims
	if err := json.Unmarshal(opened.Payload, &c); err != nil {
		return nil, fmt.Errorf("%w: claims of the wrong type, or one twice", ErrIDToken)
	}
	if problem := c.problem(p.Issuer, opened, want); problem != "" {
		return nil, fmt.Errorf("%w: %s", ErrIDToken, problem)
	}
	return &Identity{Subject: auth.Subject(c.Subject), Name: shownName(c.Name), Username: shownName(c.Username)}, nil
}

// idClaims are the claims of an ID token that are looked at.
type idClaims struct {
	Issuer     string   `json:"iss"`
	Subject    string   `json:"sub"`
	Audience   audience `json:"aud"`
	Authorized string   `json:"azp"`
	Expires    float64  `json:"exp"` // seconds since 1970
	IssuedAt   float64  `json:"iat"`
	NotBefore  float64  `json:"nbf"`
	Nonce      string   `json:"nonce"`
	AccessHash string   `json:"at_hash"`
	Name       string   `json:"name"`
	Username   string   `json:"preferred_username"`

	Type string `json:"typ"`       // Keycloak: ID, Bearer, Refresh
	Use  string `json:"token_use"` // Cognito: id, access
}

// audience is a string or a list of strings (RFC 7519, 4.1.3).
type audience []string

// UnmarshalJSON implements json.Unmarshaler.
func (a *audience) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		return json.Unmarshal(data, (*[]string)(a))
	}
	var one string
	if err := json.Unmarshal(data, &one); err != nil {
		return err
	}
	*a = audience{one}
	return nil
}

// problem is why the claims must not be believed; empty when they may.
func (c *idClaims) problem(issuer string, opened *bearer.Opened, want *Expected) string {
	now := float64(want.Now.Unix())
	skew := idTokenSkew.Seconds()
	switch typ := strings.TrimPrefix(strings.ToLower(opened.Type), "application/"); {
	case typ != "" && typ != "jwt", c.Type != "" && !strings.EqualFold(c.Type, "ID"), c.Use != "" && c.Use != "id" && c.Use != "id_token":
		return "it is a token of another kind"
	case issuer == "" || c.Issuer != issuer:
		return fmt.Sprintf("the issuer is %.200q", c.Issuer)
	case want.ClientID == "" || !slices.Contains(c.Audience, want.ClientID):
		return "it was issued to another client"
	case c.Authorized != "" && c.Authorized != want.ClientID, c.Authorized == "" && len(c.Audience) > 1:
		return "the authorized party is another client"
	case c.Expires <= now-skew:
		return "it has expired"
	case c.IssuedAt == 0 || c.IssuedAt > now+skew || c.NotBefore > now+skew:
		return "it is from the future"
	case want.Nonce == "" || subtle.ConstantTimeCompare([]byte(c.Nonce), []byte(want.Nonce)) != 1:
		return "the nonce is that of another sign-in"
	case c.AccessHash != "" && !hashes(c.AccessHash, opened.Algorithm, want.Access):
		return "it belongs to another access token"
	case c.Subject == "" || len(c.Subject) > maxSubject || strings.ContainsFunc(c.Subject, unicode.IsControl):
		return "it names no person"
	}
	return ""
}

// hashes reports whether hash is that of the access token (OpenID Connect
// Core, 3.1.3.6): the left half, by the hash function of the signature. What
// function EdDSA means is not agreed upon, so nothing is checked there.
func hashes(hash, algorithm string, access auth.Secret) bool {
	var sum []byte
	switch token := []byte(access.Reveal()); {
	case strings.HasSuffix(algorithm, "256"):
		s := sha256.Sum256(token)
		sum = s[:]
	case strings.HasSuffix(algorithm, "384"):
		s := sha512.Sum384(token)
		sum = s[:]
	case strings.HasSuffix(algorithm, "512"):
		s := sha512.Sum512(token)
		sum = s[:]
	default:
		return true
	}
	want := base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
	return subtle.ConstantTimeCompare([]byte(strings.TrimRight(hash, "=")), []byte(want)) == 1
}

// Userinfo asks for the names of the person of an access token (OpenID Connect
// Core, 5.3). An answer about another subject is an error (5.3.2).
func (p *Provider) Userinfo(ctx context.Context, client *http.Client, access auth.Secret, subject auth.Subject) (*Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.UserinfoEndpoint, nil)
	if err != nil {
		return nil, errors.New("the userinfo endpoint is not a URL")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Authorization", "Bearer "+access.Reveal())
	own := *client
	own.Jar = nil
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := own.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask userinfo: %w", cause(err))
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxUserinfo))
	if err != nil || res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask userinfo: HTTP %d", res.StatusCode)
	}
	var c struct {
		Subject  string `json:"sub"`
		Name     string `json:"name"`
		Username string `json:"preferred_username"`
	}
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, errors.New("ask userinfo: the answer is not a JSON object of claims")
	}
	if c.Subject != string(subject) {
		return nil, errors.New("ask userinfo: the answer is about another person")
	}
	return &Identity{Subject: subject, Name: shownName(c.Name), Username: shownName(c.Username)}, nil
}

// shownName is a name without what could disturb a page or a log.
func shownName(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
	if r := []rune(s); len(r) > maxName {
		s = string(r[:maxName])
	}
	return strings.TrimSpace(s)
}
