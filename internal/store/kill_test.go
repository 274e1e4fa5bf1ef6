package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/store"
)

// connectChild connects and ends connections until it is killed. It prints
// each app password that it gave into the store.
func connectChild() {
	s, err := store.Open(context.Background(), store.Options{Path: os.Getenv(childPath)})
	for i := 0; err == nil; i++ {
		err = connectOnce(s, fmt.Sprint(os.Getpid(), "-", i), i, func(password string) { fmt.Println(password) })
	}
	fmt.Println("error:", err)
	os.Exit(1)
}

// connectOnce goes through all that happens to a connection. Three people
// share two clients, so that most grants meet an older one.
func connectOnce(s *store.Store, name string, i int, stored func(password string)) error {
	ctx := context.Background()
	user, client := nextcloud.UserID(fmt.Sprint("person", i%3)), fmt.Sprint("client", i%2)
	err := s.CreateGrant(ctx, store.Grant{
		ID: name, State: store.GrantPending, UserID: user, ClientID: client,
		Credential: store.Credential{Kind: store.AppPasswordCredential, Secret: auth.Secret(name), Version: 1},
	})
	if err != nil {
		return err
	}
	stored(name)
	g, err := s.ActivateGrant(ctx, name, scope.NewSet(scope.NotesRead), policy.Policy{ReadOnly: true}, time.Time{})
	if err != nil {
		return err
	}
	h := func(kind string) store.Hash { return store.HashOf(kind + name) }
	tokens := func(n int) store.Pair {
		until := time.Now().Add(time.Hour)
		return store.Pair{Access: h(fmt.Sprint("at", n)), AccessExpires: until, Refresh: h(fmt.Sprint("rt", n)), RefreshUntil: until}
	}
	flow := store.Flow{Kind: "k", Key: h("flow"), Payload: "p", ExpiresAt: time.Now().Add(time.Minute)}
	_, err = s.RedeemCode(ctx, h("no code"), store.Family{}, tokens(0), allow)
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	err = errors.Join(
		s.PutFlow(ctx, flow),
		s.PutCode(ctx, store.Code{Hash: h("code"), GrantID: g.ID, ClientID: client, ExpiresAt: time.Now().Add(time.Minute)}),
		s.PutClient(ctx, store.Client{ID: client}),
	)
	if err == nil {
		_, err = s.RedeemCode(ctx, h("code"), store.Family{ID: h("family")}, tokens(0), allow)
	}
	for n := range 3 {
		if err == nil {
			_, err = s.Rotate(ctx, h("family"), h(fmt.Sprint("rt", n)), tokens(n+1), allowFamily)
		}
	}
	if err == nil {
		_, err = s.TakeFlow(ctx, flow.Kind, flow.Key)
	}
	if err == nil && i%4 == 3 {
		_, err = s.EndGrant(ctx, g.ID, store.EndedByPerson)
	}
	if err == nil && i%16 == 15 {
		err = s.Sweep(ctx)
	}
	return err
}

// A process that is killed in the middle of connecting people leaves a
// database in which everything has what it belongs to, and in which no app
// password got lost: each is with its grant or waits to be revoked.
func TestKilledWhileConnecting(t *testing.T) {
	file := path(t)
	passwords := make(map[string]bool)
	for range 12 {
		cmd := child(t, executable(t), "connect", file)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if len(passwords)%8 == 0 { // not before it is at work
				time.AfterFunc(rand.N(20*time.Millisecond), func() { _ = cmd.Process.Kill() }) // any moment will do
			}
			if strings.HasPrefix(lines.Text(), "error:") {
				t.Errorf("the process says %s", lines.Text())
			}
			passwords[lines.Text()] = true
		}
		_ = cmd.Wait()
		checkConnections(t, file, passwords)
	}
}

func checkConnections(t *testing.T, file string, passwords map[string]bool) {
	t.Helper()
	ctx := t.Context()
	s := open(t, store.Options{Path: file})
	defer s.Close()
	db := raw(t, file)
	defer db.Close()
	for what, query := range map[string]string{
		"families without grant":             "SELECT count(*) FROM families WHERE grant_id NOT IN (SELECT id FROM grants WHERE state = 'active')",
		"access tokens without family":       "SELECT count(*) FROM access_tokens WHERE family_id NOT IN (SELECT id FROM families)",
		"families without access token":      "SELECT count(*) FROM families WHERE id NOT IN (SELECT family_id FROM access_tokens)",
		"codes without grant":                "SELECT count(*) FROM codes WHERE grant_id NOT IN (SELECT id FROM grants)",
		"used codes without family":          "SELECT count(*) FROM codes WHERE family_id IS NOT NULL AND family_id NOT IN (SELECT id FROM families)",
		"people with two grants of a client": "SELECT count(*) FROM (SELECT 1 FROM grants WHERE state = 'active' GROUP BY user_id, client_id HAVING count(*) > 1)",
	} {
		var n int
		if err := db.QueryRowContext(ctx, query).Scan(&n); err != nil || n > 0 {
			t.Errorf("%s: %d, %v", what, n, err)
		}
	}
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity check: %s, %v", verdict, err)
	}

	kept := make(map[string]int)
	for _, id := range texts(t, db, "SELECT id FROM grants") {
		g, err := s.Grant(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		kept[g.Credential.Secret.Reveal()]++
	}
	due, err := s.DueRevocations(ctx, 1e6)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range due {
		kept[r.Password.Reveal()]++
	}
	for password := range passwords {
		if kept[password] != 1 {
			t.Errorf("app password %s is kept %d times", password, kept[password])
		}
	}
	if err := connectOnce(s, fmt.Sprint("after-", len(passwords), "-", len(due)), 0, func(password string) { passwords[password] = true }); err != nil {
		t.Errorf("connecting after the crash: %v", err)
	}
}
