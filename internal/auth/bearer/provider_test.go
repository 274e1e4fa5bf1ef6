package bearer

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"nextcloud-mcp-server/internal/auth"
)

const (
	testIssuer   = "https://cloud.example.com"
	testResource = "https://mcp.example.com/mcp"
	testClient   = "our-client"
	testSecret   = "canary-secret-of-the-client"
)

var (
	rsaKey   = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	otherRSA = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	smallRSA = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 1024)) })
	p256     = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	p384     = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) })
	p521     = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)) })
	edKey    = sync.OnceValue(func() ed25519.PrivateKey {
		_, k, err := ed25519.GenerateKey(rand.Reader)
		return must(k, err)
	})
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// provider is an identity provider without a network, so that it works under
// synctest. Its fields are set before use or under mu.
type provider struct {
	mu         sync.Mutex
	keys       []jose.JSONWebKey
	rawKeys    string // in place of keys when set
	keysHeader http.Header
	keysStatus int
	down       bool          // every request fails
	delay      time.Duration // before every answer; below zero a panic in its place
	calls      map[string]int
	introspect http.HandlerFunc
	userinfo   http.HandlerFunc
}

func (p *provider) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	if p.calls == nil {
		p.calls = map[string]int{}
	}
	p.calls[r.URL.Path]++
	down, delay := p.down, p.delay
	p.mu.Unlock()
	if delay < 0 {
		panic("broken transport")
	}
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	if down {
		return nil, errors.New("connection refused")
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	p.serve(w, r)
	return w.Result(), nil
}

func (p *provider) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/jwks":
		p.mu.Lock()
		defer p.mu.Unlock()
		maps.Copy(w.Header(), p.keysHeader)
		if p.keysStatus != 0 {
			w.WriteHeader(p.keysStatus)
			return
		}
		if p.rawKeys != "" {
			_, _ = io.WriteString(w, p.rawKeys)
			return
		}
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: p.keys})
	case r.URL.Path == "/introspect" && p.introspect != nil:
		p.introspect(w, r)
	case r.URL.Path == "/userinfo" && p.userinfo != nil:
		p.userinfo(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (p *provider) count(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[path]
}

func (p *provider) set(change func(*provider)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

// publicKey is a published signing key.
func publicKey(kid, alg string, key crypto.Signer) jose.JSONWebKey {
	return jose.JSONWebKey{Key: key.Public(), KeyID: kid, Algorithm: alg, Use: "sig"}
}

// standardProvider publishes one key of each type and would vouch for
// anything at introspection and userinfo.
func standardProvider() *provider {
	return &provider{
		keys: []jose.JSONWebKey{
			publicKey("rsa", "", rsaKey()),
			publicKey("p256", "ES256", p256()),
			publicKey("p384", "", p384()),
			publicKey("p521", "", p521()),
			publicKey("ed", "EdDSA", edKey()),
			{Key: otherRSA().Public(), KeyID: "enc", Use: "enc"},
			{Key: smallRSA().Public(), KeyID: "small", Use: "sig"},
		},
		introspect: answering(200, `{"active":true,"sub":"mallory","scope":"notes.read","aud":"our-client"}`),
		userinfo:   answering(200, `{"sub":"mallory","scope":"notes.read"}`),
	}
}

func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// newVerifier is a verifier for p with every way of proof configured, unless
// change takes some away.
func newVerifier(p *provider, change ...func(*Config)) *Verifier {
	cfg := Config{
		Issuer:           testIssuer,
		JWKSURI:          testIssuer + "/jwks",
		IntrospectionURI: testIssuer + "/introspect",
		UserinfoURI:      testIssuer + "/userinfo",
		Resource:         []string{testResource, "https://mcp.example.com"},
		Client: func(context.Context) (string, auth.Secret, error) {
			return testClient, testSecret, nil
		},
		HTTP: &http.Client{Transport: p},
	}
	for _, c := range change {
		c(&cfg)
	}
	return New(cfg, nil)
}

// values are JSON members.
type values map[string]any

// with is a copy with other members; a nil value removes one.
func (v values) with(more values) values {
	out := maps.Clone(v)
	for k, x := range more {
		if x == nil {
			delete(out, k)
		} else {
			out[k] = x
		}
	}
	return out
}

func (v values) json() string { return string(must(json.Marshal(v))) }

// header is that of an access token signed by the RSA key.
func goodHeader() values { return values{"alg": "RS256", "kid": "rsa", "typ": "at+jwt"} }

// goodClaims are those of an access token for this server.
func goodClaims() values {
	now := time.Now().Unix()
	return values{
		"iss": testIssuer, "sub": "alice", "aud": testResource,
		"exp": now + 900, "iat": now, "nbf": now,
		"client_id": "inspector", "scope": "openid notes.read", "preferred_username": "Alice",
	}
}

// jwt signs header and claims with key, whatever the header says of it.
func jwt(key crypto.Signer, header, claims values) string {
	return jwtOf(key, header["alg"], header.json(), claims.json())
}

// jwtOf signs two texts as they are. The signature is made by the standard
// library and not by the library under test.
func jwtOf(key crypto.Signer, alg any, header, payload string) string {
	b64 := base64.RawURLEncoding.EncodeToString
	input := b64([]byte(header)) + "." + b64([]byte(payload))
	hash := crypto.SHA256
	if a, _ := alg.(string); strings.HasSuffix(a, "384") {
		hash = crypto.SHA384
	} else if strings.HasSuffix(a, "512") {
		hash = crypto.SHA512
	}
	h := hash.New()
	h.Write([]byte(input))
	digest := h.Sum(nil)
	var sig []byte
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if a, _ := alg.(string); strings.HasPrefix(a, "PS") {
			sig = must(rsa.SignPSS(rand.Reader, k, hash, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}))
		} else {
			sig = must(rsa.SignPKCS1v15(nil, k, hash, digest))
		}
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, k, digest)
		if err != nil {
			panic(err)
		}
		size := (k.Curve.Params().BitSize + 7) / 8
		sig = append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
	case ed25519.PrivateKey:
		sig = ed25519.Sign(k, []byte(input))
	}
	return input + "." + b64(sig)
}

// goodToken is an access token that every verifier of the tests accepts.
func goodToken() string { return jwt(rsaKey(), goodHeader(), goodClaims()) }

// wantReason checks that err is an *auth.Error of that status and reason.
func wantReason(t *testing.T, err error, status int, reason Reason) {
	t.Helper()
	e, ok := errors.AsType[*auth.Error](err)
	if !ok {
		t.Errorf("error = %v (%T), want an *auth.Error", err, err)
		return
	}
	if e.Status != status || ReasonOf(err) != reason {
		t.Errorf("refused with %d %q (%v), want %d %q", e.Status, ReasonOf(err), err, status, reason)
	}
	code := auth.CodeInvalidToken
	if status == http.StatusServiceUnavailable {
		code = auth.CodeTemporarilyUnavailable
	}
	if e.Code != code || e.Description == "" {
		t.Errorf("code %q, description %q; want code %q", e.Code, e.Description, code)
	}
}

// logs is a log that keeps everything, safe for concurrent use.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logs) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug - 8}))
}

// formOf is the form a request carries.
func formOf(r *http.Request) url.Values {
	b, _ := io.ReadAll(r.Body)
	v, _ := url.ParseQuery(string(b))
	return v
}
