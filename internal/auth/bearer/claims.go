package bearer

import (
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/go-jose/go-jose/v4/json"
)

// claims are the parts of a token (RFC 7519, RFC 9068) or of an introspection
// answer (RFC 7662) that are looked at. They are read by go-jose's JSON, which
// takes names exactly and refuses an object with a name twice.
type claims struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	Audience  list   `json:"aud"`
	Expires   *date  `json:"exp"`
	NotBefore *date  `json:"nbf"`
	IssuedAt  *date  `json:"iat"`

	ClientID   string `json:"client_id"`
	Authorized string `json:"azp"` // OpenID Connect Core, 2
	Username   string `json:"preferred_username"`
	Scope      list   `json:"scope"`
	Scp        list   `json:"scp"` // Azure and Okta write scopes here

	Type string `json:"typ"`       // Keycloak: Bearer, ID, Refresh, Offline, Logout
	Use  string `json:"token_use"` // Cognito: access, id; Hydra: access_token, refresh_token

	// What only ID tokens and logout tokens have.
	Nonce  json.RawMessage `json:"nonce"`
	AtHash json.RawMessage `json:"at_hash"`
	CHash  json.RawMessage `json:"c_hash"`
	SHash  json.RawMessage `json:"s_hash"`
	Events json.RawMessage `json:"events"`
}

// list is a string or an array of strings.
type list []string

// UnmarshalJSON reads either form.
func (l *list) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	if b[0] == '[' {
		return json.Unmarshal(b, (*[]string)(l))
	}
	var one string
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	*l = list{one}
	return nil
}

// date is a NumericDate: seconds since 1970 as a JSON number (RFC 7519, 2).
type date time.Time

// maxDate is the last second of the year 9999, after which times no longer
// compare and print as they should.
const maxDate = 253402300799

// UnmarshalJSON reads a number in the range of years up to 9999.
func (d *date) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil || !(f >= 0 && f <= maxDate) {
		return errors.New("not a NumericDate")
	}
	*d = date(time.Unix(int64(f), 0))
	return nil
}

// client is the client the token was issued to.
func (c *claims) client() string {
	if c.ClientID != "" {
		return c.ClientID
	}
	return c.Authorized
}

// scopes is the scope value (RFC 6749, 3.3) with the issuer's prefix stripped.
func (c *claims) scopes(prefix string) string {
	all := c.Scope
	if all == nil {
		all = c.Scp
	}
	fields := strings.Fields(strings.Join(all, " "))
	if prefix != "" {
		for i, f := range fields {
			fields[i] = strings.TrimPrefix(f, strings.TrimSuffix(prefix, "/")+"/")
		}
	}
	return strings.Join(fields, " ")
}

// accessToken reports whether the payload may be that of an access token.
// typed says that the header is of RFC 9068, which settles it unless the
// payload objects.
//
// OpenID Connect has no mark for ID tokens, and both kinds are signed by the
// same keys. So an untyped token must show what ID tokens lack, and nothing
// that only they have.
func (c *claims) accessToken(typed bool) bool {
	switch strings.ToLower(c.Type) {
	case "", "bearer", "access", "access_token", "at+jwt":
	default:
		return false
	}
	switch c.Use {
	case "", "access", "access_token":
	default:
		return false
	}
	if c.Events != nil {
		return false
	}
	if typed {
		return true
	}
	if c.AtHash != nil || c.CHash != nil || c.SHash != nil {
		return false
	}
	// Keycloak: access tokens before version 24 repeat the nonce, but say what
	// they are.
	if c.Type != "" || c.Use != "" {
		return true
	}
	return c.Nonce == nil && (c.Scope != nil || c.Scp != nil || c.ClientID != "")
}

// maxSubject is the longest subject (OpenID Connect Core, 2: 255 characters).
const maxSubject = 255

// isName reports whether s can stand for a person in logs and keys.
func isName(s string) bool {
	return s != "" && len(s) <= maxSubject && !strings.ContainsFunc(s, unicode.IsControl)
}
