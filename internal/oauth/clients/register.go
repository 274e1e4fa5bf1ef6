package clients

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	"nextcloud-mcp-server/internal/oauth/redirect"
	"nextcloud-mcp-server/internal/store"
)

// The prefixes of what this server gives out, so that people and scanners for
// leaked secrets know it.
const (
	idPrefix           = "ncmcp_client_"
	secretPrefix       = "ncmcp_cs_" //nolint:gosec // only how secrets begin
	registrationPrefix = "ncmcp_reg_"
)

const maxRegistration = 64 << 10 // bytes

// errFull says that no more clients can be kept.
var errFull = errors.New("too many registered clients")

// Register answers POST {base}/oauth/register (RFC 7591, 3).
func (d *Directory) Register(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		answer(w, http.StatusMethodNotAllowed, errorAnswer{codeMetadata, "Register with POST."})
		return
	}
	if d.cfg.NoRegistration {
		answer(w, http.StatusForbidden, errorAnswer{
			codeDenied,
			"Clients cannot register themselves here: use a client id metadata document, or ask the administrator for a client id.",
		})
		return
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		answer(w, http.StatusBadRequest, errorAnswer{codeMetadata, "Send the client metadata as application/json."})
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRegistration))
	if err != nil {
		status := http.StatusBadRequest
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			status = http.StatusRequestEntityTooLarge
		}
		answer(w, status, errorAnswer{codeMetadata, "The client metadata cannot be read or is larger than 64 KiB."})
		return
	}
	m, err := parseMetadata(body, d.cfg.Schemes)
	if err != nil {
		refuse(w, err)
		return
	}
	out, err := d.register(r.Context(), m)
	if err != nil {
		d.cfg.Log.ErrorContext(r.Context(), "client not registered", "error", err)
		busy(w)
		return
	}
	d.cfg.Log.InfoContext(r.Context(), "client registered", "client_id", out.ClientID, "name", out.Name, "redirects_to", hosts(out.RedirectURIs))
	answer(w, http.StatusCreated, out)
}

// register keeps a new client and is what it is told, once.
func (d *Directory) register(ctx context.Context, m *metadata) (*information, error) {
	if err := d.makeRoom(ctx); err != nil {
		return nil, err
	}
	token := random(registrationPrefix, 32)
	c := store.Client{
		ID:              random(idPrefix, 16),
		Name:            m.name,
		URI:             m.uri,
		ApplicationType: m.applicationType,
		RedirectURIs:    m.redirectURIs,
		GrantTypes:      m.grantTypes,
		AuthMethod:      m.authMethod,
		Scope:           m.scope,
		Registration:    store.HashOf(token),
		CreatedAt:       d.cfg.Now(),
	}
	secret := ""
	if m.authMethod != AuthNone {
		secret = random(secretPrefix, 32)
		c.Secret = store.HashOf(secret)
	}
	if err := d.cfg.Store.PutClient(ctx, c); err != nil {
		return nil, err
	}
	out := d.information(c)
	out.RegistrationToken = token
	if secret != "" {
		out.Secret, out.SecretExpiresAt = secret, new(int64)
	}
	return out, nil
}

// makeRoom lets strangers who register without end push out each other, and
// nobody who has a grant or is just signing in.
func (d *Directory) makeRoom(ctx context.Context) error {
	n, err := d.cfg.Store.CountClients(ctx)
	if err != nil || n < d.cfg.MaxRegistered {
		return err
	}
	idle := d.cfg.Now().Add(-idleWhenFull)
	swept, err := d.cfg.Store.SweepClients(ctx, idle, idle, sweepBatch)
	if err == nil && n-swept >= d.cfg.MaxRegistered {
		err = errFull
	}
	return err
}

// information is the client information answer of RFC 7591, 3.2.1 and RFC
// 7592, 3.
type information struct {
	ClientID          string   `json:"client_id"`
	IssuedAt          int64    `json:"client_id_issued_at"` // Unix seconds
	Secret            string   `json:"client_secret,omitempty"`
	SecretExpiresAt   *int64   `json:"client_secret_expires_at,omitempty"` // 0: never
	RegistrationToken string   `json:"registration_access_token,omitempty"`
	RegistrationURI   string   `json:"registration_client_uri"`
	Name              string   `json:"client_name"`
	URI               string   `json:"client_uri,omitempty"`
	ApplicationType   string   `json:"application_type"`
	RedirectURIs      []string `json:"redirect_uris"`
	GrantTypes        []string `json:"grant_types"`
	ResponseTypes     []string `json:"response_types"`
	AuthMethod        string   `json:"token_endpoint_auth_method"`
	Scope             string   `json:"scope,omitempty"`
}

// information is what may be told about a client at any time: no secrets.
func (d *Directory) information(c store.Client) *information {
	return &information{
		ClientID:        c.ID,
		IssuedAt:        c.CreatedAt.Unix(),
		RegistrationURI: d.cfg.BaseURL + "/oauth/register/" + c.ID,
		Name:            c.Name,
		URI:             c.URI,
		ApplicationType: c.ApplicationType,
		RedirectURIs:    c.RedirectURIs,
		GrantTypes:      c.GrantTypes,
		ResponseTypes:   []string{responseCode},
		AuthMethod:      c.AuthMethod,
		Scope:           c.Scope,
	}
}

type errorAnswer struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

func refuse(w http.ResponseWriter, err error) {
	no, ok := errors.AsType[*registrationError](err)
	if !ok {
		no = badMetadata("The client metadata is not valid.")
	}
	answer(w, http.StatusBadRequest, errorAnswer{no.code, no.description})
}

func busy(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "60")
	answer(w, http.StatusServiceUnavailable, errorAnswer{codeUnavailable, "This server cannot keep registrations now: try again later."})
}

// answer writes JSON that nobody may keep.
func answer(w http.ResponseWriter, status int, body any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that is gone needs no answer
}

// random is n random bytes as text, behind a prefix.
func random(prefix string, n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails
	return prefix + base64.RawURLEncoding.EncodeToString(b)
}

func hosts(redirectURIs []string) []string {
	out := make([]string, 0, len(redirectURIs))
	for _, uri := range redirectURIs {
		host, _ := redirect.Host(uri)
		out = append(out, host)
	}
	return out
}
