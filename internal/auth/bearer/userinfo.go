package bearer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4/json"
)

// userinfo asks the issuer whose token it is (OpenID Connect Core, 5.3).
func (v *Verifier) userinfo(ctx context.Context, token string) (*proof, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.cfg.UserinfoURI, nil)
	if err != nil {
		return nil, unavailable(NetworkError, defaultWait, err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	now := time.Now()
	a, err := v.question(r)
	if err != nil {
		return nil, err
	}
	switch a.status {
	case http.StatusOK:
	case http.StatusBadRequest, // Nextcloud: the answer to a bad token, where RFC 6750 has 401
		http.StatusUnauthorized, http.StatusForbidden:
		return nil, refuse(Inactive, fmt.Errorf("userinfo: status %d", a.status))
	default:
		return nil, unavailable(NetworkError, defaultWait, fmt.Errorf("userinfo: status %d", a.status))
	}
	var c claims
	if err := json.Unmarshal(a.body, &c); err != nil {
		return nil, unavailable(NetworkError, defaultWait, errors.New("userinfo: answer is not a JSON object of claims"))
	}
	if c.Issuer != "" && c.Issuer != v.cfg.Issuer {
		return nil, refuse(BadIssuer, fmt.Errorf("issuer is %.200q, want %q", c.Issuer, v.cfg.Issuer))
	}
	// These are claims about the person; an "exp" here is not the token's.
	c.Expires = nil
	return v.proofOf(&c, c.Username, now, activeKept)
}
