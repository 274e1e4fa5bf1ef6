package dataleg_test

import (
	"log/slog"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/dataleg"
	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/store"
)

func (r *rig) keeper() *dataleg.Keeper {
	k := dataleg.NewKeeper(r.host, r.db, slog.New(slog.DiscardHandler))
	k.SetNow(r.clock.Now)
	return k
}

func (r *rig) waiting(t *testing.T) int {
	t.Helper()
	r.clock.advance(24 * time.Hour) // everything is due
	due, err := r.db.DueRevocations(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	return len(due)
}

// Ending a connection here deletes its app password in Nextcloud, as soon as
// Nextcloud can be reached.
func TestKeeperRevokes(t *testing.T) {
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	k := r.keeper()
	p, other := r.password(t, "alice", "one"), r.password(t, "alice", "two")
	if _, err := r.db.EndGrant(t.Context(), p.GrantID, store.EndedByPerson); err != nil {
		t.Fatal(err)
	}
	r.sim.SetMaintenance(true)
	k.Keep(t.Context())
	if n := len(r.sim.AppPasswords("alice")); n != 2 {
		t.Fatalf("%d app passwords during maintenance, want both", n)
	}
	k.Keep(t.Context()) // not due: no second try at once
	r.sim.SetMaintenance(false)
	r.clock.advance(2 * time.Minute)
	k.Keep(t.Context())
	left := r.sim.AppPasswords("alice")
	if len(left) != 1 || left[0].Name != "two" {
		t.Errorf("left are %+v, want that of the other connection", left)
	}
	if n := r.waiting(t); n != 0 {
		t.Errorf("%d revocations wait, want none", n)
	}
	if _, err := who(t, r.connections(nil), other); err != nil {
		t.Errorf("the other connection: %v", err)
	}
}

// Passwords that are gone already count as failed logins, so that few of them
// are sent at once; the others wait, and all are done in the end.
func TestKeeperIsCarefulWithDeadPasswords(t *testing.T) {
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	for _, client := range []string{"a", "b", "c", "d", "e"} {
		p := r.password(t, "alice", client)
		if _, err := r.db.EndGrant(t.Context(), p.GrantID, store.EndedByPerson); err != nil {
			t.Fatal(err)
		}
	}
	r.sim.RevokeAppPasswords("alice")
	k := r.keeper()
	k.Keep(t.Context())
	if n := r.sim.BadLogins(); n != 3 {
		t.Errorf("%d bad logins at once, want 3", n)
	}
	k.Keep(t.Context())
	if n := r.waiting(t); n != 0 {
		t.Errorf("%d revocations wait, want none", n)
	}
}

// What cannot be done is given up: another Nextcloud, or one that has not
// answered for two weeks.
func TestKeeperGivesUp(t *testing.T) {
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	away := r.connect(t, "alice", "away", store.Credential{Kind: store.AppPasswordCredential, Secret: "x", Host: "https://old.example.org"})
	late := r.password(t, "alice", "late")
	for _, p := range []*auth.Principal{away, late} {
		if _, err := r.db.EndGrant(t.Context(), p.GrantID, store.EndedByPerson); err != nil {
			t.Fatal(err)
		}
	}
	r.sim.SetMaintenance(true)
	k := r.keeper()
	k.Keep(t.Context())
	if n := r.waiting(t); n != 1 {
		t.Errorf("%d revocations wait, want the late one", n)
	}
	r.clock.advance(15 * 24 * time.Hour)
	k.Keep(t.Context())
	if n := r.waiting(t); n != 0 {
		t.Errorf("%d revocations wait, want none", n)
	}
}

func TestKeeperEndsWhatIsOver(t *testing.T) {
	r := newRig(t, nextcloudtest.Options{}, dataleg.Options{})
	abandoned := store.Grant{
		ID: "abandoned", State: store.GrantPending, UserID: "bob", LoginName: "bob", ClientID: "one", ClientKind: store.ClientRegistered,
		Credential: store.Credential{Kind: store.AppPasswordCredential, Secret: auth.Secret(r.sim.CreateAppPassword("bob", "one")), Host: r.host.Base().String()},
	}
	if err := r.db.CreateGrant(t.Context(), abandoned); err != nil {
		t.Fatal(err)
	}
	used := r.password(t, "alice", "used")
	k := r.keeper()
	var ended []string
	k.Ended = func(id string) { ended = append(ended, id) }

	r.clock.advance(2 * time.Hour)
	k.Keep(t.Context())
	if len(ended) != 0 {
		t.Fatalf("ended %v while the person may still be reading", ended)
	}
	r.clock.advance(20 * time.Minute)
	k.Keep(t.Context())
	if len(ended) != 1 || ended[0] != "abandoned" || len(r.sim.AppPasswords("bob")) != 0 {
		t.Errorf("ended %v, app passwords %v", ended, r.sim.AppPasswords("bob"))
	}
	r.clock.advance(80 * 24 * time.Hour)
	if err := r.db.TouchGrant(t.Context(), used.GrantID, r.clock.Now()); err != nil {
		t.Fatal(err)
	}
	r.clock.advance(80 * 24 * time.Hour)
	k.Keep(t.Context())
	if r.gone(t, used) {
		t.Error("a connection ended that was used 80 days ago")
	}
	r.clock.advance(11 * 24 * time.Hour)
	k.Keep(t.Context())
	if !r.gone(t, used) {
		t.Error("a connection lives that was not used for 91 days")
	}
}
