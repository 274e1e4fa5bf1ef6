package bearer

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/scope"
)

const (
	maxHeader = 4 << 10 // bytes of a JOSE header
	maxKeyID  = 512
	skew      = time.Minute // how far the issuer's clock may be ahead
)

// header is the JOSE header (RFC 7515, 4.1). Keys come from the configured
// issuer only: "jku", "x5u" and "x5c", by which a token would name its own,
// are not even read.
type header struct {
	Algorithm string          `json:"alg"`
	KeyID     string          `json:"kid"`
	Type      string          `json:"typ"`
	Content   string          `json:"cty"`
	Critical  json.RawMessage `json:"crit"`
	Plain     json.RawMessage `json:"b64"`
	JWK       json.RawMessage `json:"jwk"`
	Encrypted json.RawMessage `json:"enc"`
	Zip       json.RawMessage `json:"zip"`
}

// proveSigned checks a JWT by the issuer's keys.
func (v *Verifier) proveSigned(ctx context.Context, token string) (*proof, error) {
	h, err := readHeader(token)
	if err != nil {
		return nil, err
	}
	typed, err := h.typed()
	if err != nil {
		return nil, err
	}
	payload, err := v.keys.open(ctx, h, token)
	if err != nil {
		return nil, err
	}
	var c claims
	if err := json.Unmarshal(payload, &c); err != nil {
		return nil, refuse(Malformed, errors.New("claims of the wrong type, or one twice"))
	}
	if !c.accessToken(typed) {
		return nil, refuse(WrongType, nil)
	}
	if v.cfg.Issuer == "" || c.Issuer != v.cfg.Issuer {
		return nil, refuse(BadIssuer, fmt.Errorf("issuer is %.200q, want %q", c.Issuer, v.cfg.Issuer))
	}
	now := time.Now()
	if c.Expires == nil {
		return nil, refuse(Malformed, errors.New("no exp"))
	}
	if err := c.checkTimes(now); err != nil {
		return nil, err
	}
	if err := v.checkAudience(ctx, &c); err != nil {
		return nil, err
	}
	return v.proofOf(&c, c.Username, now, jwtKept)
}

// readHeader reads and checks the first part of a token of three.
func readHeader(token string) (*header, error) {
	parts := strings.Split(token, ".")
	// Strict: the last character of a part has spare bits, by which one token
	// could be written in several ways and slip past a refusal.
	for _, p := range parts {
		if _, err := base64.RawURLEncoding.Strict().DecodeString(p); err != nil || p == "" {
			return nil, refuse(Malformed, errors.New("a part is not base64url"))
		}
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil || len(raw) > maxHeader {
		return nil, refuse(Malformed, errors.New("header is too long"))
	}
	var h header
	if err := json.Unmarshal(raw, &h); err != nil {
		return nil, refuse(Malformed, errors.New("header fields of the wrong type, or one twice"))
	}
	switch {
	case !slices.Contains(algorithms, jose.SignatureAlgorithm(h.Algorithm)):
		return nil, refuse(BadAlgorithm, fmt.Errorf("algorithm %.20q", h.Algorithm))
	case len(h.KeyID) > maxKeyID:
		return nil, refuse(Malformed, errors.New("kid is too long"))
	// No extension is understood, so all are refused (RFC 7515, 4.1.11).
	case h.Critical != nil, h.Plain != nil:
		return nil, refuse(Malformed, errors.New("header with an extension"))
	case h.JWK != nil:
		return nil, refuse(BadSignature, errors.New("header brings its own key"))
	case h.Encrypted != nil, h.Zip != nil, h.Content != "":
		return nil, refuse(Malformed, errors.New("header of a nested token"))
	}
	return &h, nil
}

// typed reports whether the header marks an access token (RFC 9068, 2.1).
func (h *header) typed() (bool, error) {
	// RFC 7515, 4.1.9: the prefix may be left out, and case does not matter.
	switch strings.TrimPrefix(strings.ToLower(h.Type), "application/") {
	case "at+jwt":
		return true, nil
	case "", "jwt":
		return false, nil
	}
	return false, refuse(WrongType, fmt.Errorf("header type %.20q", h.Type))
}

// checkTimes refuses a token outside its time. The end is exact; only what
// lies in the future may do so by the issuer's clock.
func (c *claims) checkTimes(now time.Time) error {
	switch latest := now.Add(skew); {
	case c.Expires != nil && !now.Before(time.Time(*c.Expires)):
		return refuse(Expired, nil)
	case c.NotBefore != nil && time.Time(*c.NotBefore).After(latest):
		return refuse(NotYetValid, errors.New("nbf is in the future"))
	case c.IssuedAt != nil && time.Time(*c.IssuedAt).After(latest):
		return refuse(NotYetValid, errors.New("iat is in the future"))
	}
	return nil
}

// checkAudience refuses a token that was issued for somebody else.
func (v *Verifier) checkAudience(ctx context.Context, c *claims) error {
	audience := c.Audience
	if audience == nil && v.cfg.ClientIDAsAudience && c.ClientID != "" {
		audience = list{c.ClientID}
	}
	if slices.ContainsFunc(audience, func(a string) bool { return slices.Contains(v.audiences, a) }) {
		return nil
	}
	if len(audience) > 0 {
		id, _, err := v.client(ctx)
		if err != nil {
			return err
		}
		if id != "" && slices.Contains(audience, id) {
			return nil
		}
	}
	e := refuse(BadAudience, fmt.Errorf("audience is %.300q", []string(audience[:min(len(audience), 8)])))
	if len(v.cfg.Resource) > 0 {
		e.Description += ": ask for resource=" + v.cfg.Resource[0]
	}
	return e
}

// proofOf turns checked claims into a principal, to be remembered for kept at
// most.
func (v *Verifier) proofOf(c *claims, name string, now time.Time, kept time.Duration) (*proof, error) {
	if !isName(c.Subject) {
		return nil, refuse(NoSubject, nil)
	}
	if !isName(name) {
		name = c.Subject
	}
	p := &proof{
		principal: auth.Principal{
			Issuer:   v.cfg.Issuer,
			Subject:  auth.Subject(c.Subject),
			ClientID: c.client(),
			Name:     name,
			Scopes:   scope.Parse(c.scopes(v.cfg.ScopePrefix)),
			Expires:  now.Add(kept),
		},
		until: now.Add(kept),
	}
	if c.Expires != nil {
		p.ends = true
		p.principal.Expires = time.Time(*c.Expires)
		if p.principal.Expires.Before(p.until) {
			p.until = p.principal.Expires
		}
	}
	return p, nil
}
