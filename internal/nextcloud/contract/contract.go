// Package contract is what the typed clients rely on Nextcloud to do, as a
// test suite: the simulator has to keep it always, and a real server whenever
// one is at hand, so that neither drifts away from the other. It is a package
// of its own because it needs all typed clients at once.
package contract

import (
	"crypto/rand"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
)

// Env is one Nextcloud and one person in it, whose data the suite adds to and
// cleans up behind itself. What was there before is left alone.
type Env struct {
	// Client is a new client of the person, with an empty cache of its own.
	Client func(t testing.TB) *nextcloud.Client
	// Other is a new client of a second person, for what people do with one
	// another; nil when there is none, and such parts are left out.
	Other func(t testing.TB) *nextcloud.Client
}

// Run checks everything that the typed clients rely on. newEnv is called once
// for each part of the suite.
func Run(t *testing.T, newEnv func(t testing.TB) *Env) {
	for _, suite := range suites {
		t.Run(suite.name, func(t *testing.T) { suite.run(t, newEnv(t)) })
	}
}

var suites = []struct {
	name string
	run  func(t *testing.T, env *Env)
}{
	{"notes", runNotes},
	{"calendar", runCalendar},
	{"search", runSearch},
	{"mail", runMail},
	{"notifications", runNotifications},
	{"deck", runDeck},
	{"tasks", runTasks},
	{"files", runFiles},
	{"sharing", runSharing},
	{"contacts", runContacts},
	{"tables", runTables},
	{"talk", runTalk},
}

// unique is a name that no other run and no person uses.
func unique(prefix string) string {
	return prefix + " " + strings.ToLower(rand.Text()[:10])
}
