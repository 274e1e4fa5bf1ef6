package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/oauth"
	"nextcloud-mcp-server/internal/oauth/clients"
	"nextcloud-mcp-server/internal/ratelimit"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/store"
)

const (
	issuer   = "https://mcp.example.org"
	resource = issuer + "/mcp"
	callback = "https://app.example/callback"
	clientID = "ncmcp_client_bench"
)

// authorization is the authorization server in this process, over SQLite in a
// file, with its endpoints and one registered client.
type authorization struct {
	*oauth.Server
	store *store.Store
	file  string
	mux   *http.ServeMux
}

func newAuthorization(ctx context.Context, file string) (*authorization, error) {
	st, err := store.Open(ctx, store.Options{Path: file})
	if err != nil {
		return nil, err
	}
	now := time.Now()
	err = st.PutClient(ctx, store.Client{
		ID: clientID, Name: "Bench", AuthMethod: clients.AuthNone, RedirectURIs: []string{callback},
		GrantTypes: []string{"authorization_code", "refresh_token"}, CreatedAt: now, LastUsedAt: now,
	})
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	without := ratelimit.Rate{PerMinute: -1}
	a := &authorization{store: st, file: file, mux: http.NewServeMux()}
	a.Server = oauth.New(oauth.Config{
		Issuer: issuer, Resource: resource, Store: st,
		Clients: clients.New(clients.Config{Store: st, BaseURL: issuer}),
		Scopes:  func() scope.Set { return scope.NewSet(scope.NotesRead, scope.NotesWrite) },
		Limits:  oauth.Limits{Token: without, ClientToken: without},
	})
	a.Handle(a.mux, "")
	return a, nil
}

func (a *authorization) close() error {
	a.Close()
	return a.store.Close()
}

// ask is a request to the token endpoint.
func (a *authorization) ask(ctx context.Context, form url.Values) (access, refresh string, err error) {
	form.Set("client_id", clientID)
	req := httptest.NewRequestWithContext(ctx, http.MethodPost, "/oauth/token", strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	a.mux.ServeHTTP(w, req)
	var answer struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Refresh == "" {
		return "", "", fmt.Errorf("token endpoint: %d %s", w.Code, w.Body)
	}
	return answer.Access, answer.Refresh, nil
}

func (a *authorization) refresh(ctx context.Context, token string) (next string, err error) {
	_, next, err = a.ask(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
	return next, err
}

// connect makes the n-th connection: a grant, a code, and tokens for it.
func (a *authorization) connect(ctx context.Context, n int) (access, refresh string, err error) {
	user := "user" + strconv.Itoa(n)
	scopes := scope.NewSet(scope.NotesRead, scope.NotesWrite)
	g := store.Grant{
		ID: "bench-" + user, State: store.GrantActive, UserID: nextcloud.UserID(user), LoginName: nextcloud.LoginName(user), DisplayName: "User " + strconv.Itoa(n),
		Issuer: "https://cloud.example.org", Method: store.ByLoginFlow, ClientID: clientID, ClientName: "Bench", ClientKind: store.ClientRegistered, Scopes: scopes,
		Credential: store.Credential{Kind: store.AppPasswordCredential, Secret: auth.Secret(strings.Repeat("p", 72)), Host: "https://cloud.example.org"},
	}
	if err := a.store.CreateGrant(ctx, g); err != nil {
		return "", "", err
	}
	verifier := strings.Repeat("v", 43)
	sum := sha256.Sum256([]byte(verifier))
	to, err := a.Approve(ctx, &oauth.Request{
		Client: clients.Client{ID: clientID}, RedirectURI: callback, Scopes: scopes, Resource: resource,
		CodeChallenge: base64.RawURLEncoding.EncodeToString(sum[:]),
	}, g, scopes)
	if err != nil {
		return "", "", err
	}
	back, err := url.Parse(to)
	if err != nil {
		return "", "", err
	}
	return a.ask(ctx, url.Values{
		"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")},
		"redirect_uri": {callback}, "code_verifier": {verifier}, "resource": {resource},
	})
}

// atOnce is how many requests are under way at the same time.
const atOnce = 8

// tokenEndpoint is how fast the token endpoint exchanges refresh tokens, on
// two processors. What other programs take of them spoils the rate, so limits
// hold for what makes it: 1 ms of processor time is 1,000 requests a second on
// one of them, if requests that come at once do not hold each other up.
func tokenEndpoint(ctx context.Context, dir string) (rows []row, err error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	a, err := newAuthorization(ctx, filepath.Join(dir, "token.db"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	current := make([]string, atOnce)
	for i := range current {
		if _, current[i], err = a.connect(ctx, i); err != nil {
			return nil, err
		}
	}
	exchange := func(i, times int) (err error) {
		for range times {
			if current[i], err = a.refresh(ctx, current[i]); err != nil {
				return err
			}
		}
		return nil
	}
	const turns, each = 9, 50
	var rates, used, together []float64
	for range turns {
		before := processorTime()
		parallel, err := atSameTime(func(i int) error { return exchange(i, each) })
		if err != nil {
			return nil, err
		}
		used = append(used, milliseconds(processorTime()-before)/(atOnce*each))
		began := time.Now()
		if err := exchange(0, atOnce*each); err != nil {
			return nil, err
		}
		rates = append(rates, atOnce*each/parallel.Seconds())
		together = append(together, float64(parallel)/float64(time.Since(began)))
	}
	return []row{
		{"token requests per second (SQLite, 2 processors, median of 9; 1,000 is the target)", median(rates), 0, "/s"},
		{"processor time of a token request (best of 9)", slices.Min(used), 1, "ms"},
		{"time of token requests at once over one after the other (median of 9)", median(together), 2, ""},
	}, nil
}

// atSameTime does the same with atOnce goroutines.
func atSameTime(do func(i int) error) (time.Duration, error) {
	failures := make([]error, atOnce)
	var done sync.WaitGroup
	began := time.Now()
	for i := range atOnce {
		done.Go(func() { failures[i] = do(i) })
	}
	done.Wait()
	return time.Since(began), errors.Join(failures...)
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// liveGrants is what ten thousand connections cost: on disk, and for the check
// of a token that every call makes, beside the same with one connection.
func liveGrants(ctx context.Context, dir string) (rows []row, err error) {
	const many = 10_000
	one, err := newAuthorization(ctx, filepath.Join(dir, "one.db"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, one.close()) }()
	all, err := newAuthorization(ctx, filepath.Join(dir, "many.db"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, all.close()) }()
	alone, _, err := one.connect(ctx, 0)
	if err != nil {
		return nil, err
	}
	tokens := make([]string, many)
	_, err = atSameTime(func(i int) error {
		for ; i < many; i += atOnce {
			token, _, err := all.connect(ctx, i)
			if err != nil {
				return err
			}
			tokens[i] = token
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	size, err := onDisk(ctx, all.file)
	if err != nil {
		return nil, err
	}
	at := 0
	next := func() string {
		at = (at + 7919) % many // hardly twice the same page
		return tokens[at]
	}
	// The first check in a while also notes that the connection was used.
	for range many {
		if _, err := all.Verify(ctx, next()); err != nil {
			return nil, err
		}
	}
	few, lots := time.Hour, time.Hour
	for range 9 {
		took, err := one.check(ctx, func() string { return alone })
		if err != nil {
			return nil, err
		}
		few = min(few, took)
		if took, err = all.check(ctx, next); err != nil {
			return nil, err
		}
		lots = min(lots, took)
	}
	return []row{
		{"10,000 connections on disk", size, 40, "MB"},
		{"processor time to check a token of ours with 1 connection (best of 9)", float64(few) / float64(time.Microsecond), 0, "us"},
		{"the same with 10,000 connections", float64(lots) / float64(time.Microsecond), 0, "us"},
		{"the second over the first", float64(lots) / float64(few), 6, ""},
	}, nil
}

// check is the processor time of the check of a token.
func (a *authorization) check(ctx context.Context, token func() string) (time.Duration, error) {
	const checks = 2000
	before := processorTime()
	for range checks {
		if _, err := a.Verify(ctx, token()); err != nil {
			return 0, err
		}
	}
	return (processorTime() - before) / checks, nil
}

// onDisk is the size in megabytes of a database and its log, once all that is
// in the log stands in the database too.
func onDisk(ctx context.Context, file string) (float64, error) {
	db, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		return 0, err
	}
	_, err = db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	if err := errors.Join(err, db.Close()); err != nil {
		return 0, err
	}
	var size int64
	for _, suffix := range []string{"", "-wal"} {
		info, err := os.Stat(file + suffix)
		if err != nil {
			return 0, err
		}
		size += info.Size()
	}
	return float64(size) / 1e6, nil
}
