package nextcloudtest

import (
	"net/url"
	"strings"
	"testing"
)

const (
	sharesPath  = sharingRoot + "shares?format=json"
	aliceFiles  = "/remote.php/dav/files/alice/"
	pendingPath = sharingRoot + "shares/pending?format=json"
)

func shareForm(pairs ...string) string {
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form.Encode()
}

// ocsCall is mustCall with the header that OCS demands.
func ocsCall(t *testing.T, s *Server, status int, user, method, target, body string, headers ...string) string {
	t.Helper()
	return mustCall(t, s, status, user, method, target, body, append(headers, "OCS-APIRequest", "true")...)
}

func createForm(t *testing.T, s *Server, status int, user string, pairs ...string) string {
	t.Helper()
	return ocsCall(t, s, status, user, "POST", sharesPath, shareForm(pairs...), "Content-Type", formType)
}

// TestSharedFiles: what is shared is among the files of whoever gets it, with the rights that were given.
func TestSharedFiles(t *testing.T) {
	s := New(nil)
	s.AddFile("alice", "/Plans/a.txt", []byte("text"))
	createForm(t, s, 200, "alice", "path", "/Plans", "shareType", "0", "shareWith", "bob", "permissions", "1")
	ocsCall(t, s, 200, "bob", "GET", "/remote.php/dav/files/bob/Plans/a.txt", "")
	ocsCall(t, s, 403, "bob", "PUT", "/remote.php/dav/files/bob/Plans/a.txt", "changed")
	ocsCall(t, s, 200, "alice", "PUT", sharingRoot+"shares/1?format=json", shareForm("permissions", "3"), "Content-Type", formType)
	ocsCall(t, s, 204, "bob", "PUT", "/remote.php/dav/files/bob/Plans/a.txt", "changed")
	// Moving the file leaves the share where it is.
	ocsCall(t, s, 201, "alice", "MOVE", aliceFiles+"Plans", "", "Destination", aliceFiles+"Moved")
	if list := ocsCall(t, s, 200, "alice", "GET", sharesPath, ""); !strings.Contains(list, `"path":"\/Moved"`) {
		t.Errorf("after the move: %s", list)
	}
	ocsCall(t, s, 200, "bob", "GET", "/remote.php/dav/files/bob/Plans/a.txt", "")
	ocsCall(t, s, 200, "alice", "DELETE", sharingRoot+"shares/1?format=json", "")
	ocsCall(t, s, 404, "bob", "GET", "/remote.php/dav/files/bob/Plans/a.txt", "")
}

// TestShareOfDeletedFile: the trash shares nothing.
func TestShareOfDeletedFile(t *testing.T) {
	s := New(nil)
	s.AddFolder("alice", "/Plans")
	createForm(t, s, 200, "alice", "path", "/Plans", "shareType", "3")
	ocsCall(t, s, 204, "alice", "DELETE", aliceFiles+"Plans", "")
	if list := ocsCall(t, s, 200, "alice", "GET", sharesPath, ""); strings.Contains(list, `"id"`) {
		t.Errorf("in the trash: %s", list)
	}
	ocsCall(t, s, 404, "alice", "GET", sharingRoot+"shares/1?format=json", "")
}

// TestLinkWithRecipient: Nextcloud makes a public link of it and says nothing.
func TestLinkWithRecipient(t *testing.T) {
	s := New(nil)
	s.AddFolder("alice", "/Plans")
	if made := createForm(t, s, 200, "alice", "path", "/Plans", "shareType", "3", "shareWith", "bob"); !strings.Contains(made, `"url":"http`) || !strings.Contains(made, `"share_with":null`) {
		t.Errorf("made %s", made)
	}
}

func TestMustAccept(t *testing.T) {
	s := New(&Options{Sharing: SharingPolicy{MustAccept: true}})
	s.AddFile("alice", "/Plans/a.txt", []byte("text"))
	createForm(t, s, 200, "alice", "path", "/Plans", "shareType", "0", "shareWith", "bob")
	ocsCall(t, s, 404, "bob", "GET", "/remote.php/dav/files/bob/Plans/a.txt", "")
	ocsCall(t, s, 404, "bob", "GET", sharingRoot+"shares/1?format=json", "")
	if list := ocsCall(t, s, 200, "bob", "GET", pendingPath, ""); !strings.Contains(list, `"permissions":0`) {
		t.Errorf("pending %s", list)
	}
	ocsCall(t, s, 200, "bob", "POST", sharingRoot+"shares/pending/1?format=json", "")
	ocsCall(t, s, 200, "bob", "GET", "/remote.php/dav/files/bob/Plans/a.txt", "")
}

func TestShareRules(t *testing.T) {
	s := New(&Options{Sharing: SharingPolicy{NoFederation: true, NoGroups: true}})
	s.AddFile("alice", "/Plans/a.txt", []byte("text"))
	for name, c := range map[string]struct {
		status int
		pairs  []string
	}{
		"no path":             {404, []string{"shareType", "3"}},
		"group":               {404, []string{"path", "/Plans", "shareType", "1", "shareWith", "admin"}},
		"federated":           {403, []string{"path", "/Plans", "shareType", "6", "shareWith", "eve@far.example"}},
		"bad date":            {404, []string{"path", "/Plans", "shareType", "3", "expireDate", "soon"}},
		"past":                {404, []string{"path", "/Plans", "shareType", "3", "expireDate", "2001-01-01"}},
		"upload to a file":    {400, []string{"path", "/Plans/a.txt", "shareType", "3", "publicUpload", "true"}},
		"too much":            {403, []string{"path", "/Plans", "shareType", "0", "shareWith", "bob", "permissions", "63"}},
		"root":                {403, []string{"path", "/", "shareType", "3"}},
		"not an address":      {404, []string{"path", "/Plans", "shareType", "4", "shareWith", "eve"}},
		"long label":          {400, []string{"path", "/Plans", "shareType", "3", "label", strings.Repeat("x", 256)}},
		"broken attributes":   {400, []string{"path", "/Plans", "shareType", "3", "attributes", "x"}},
		"delete without read": {400, []string{"path", "/Plans", "shareType", "3", "permissions", "8"}},
	} {
		t.Run(name, func(t *testing.T) { createForm(t, s, c.status, "alice", c.pairs...) })
	}
	// The default of what is shared with somebody is everything that a file can have.
	if made := createForm(t, s, 200, "alice", "path", "/Plans/a.txt", "shareType", "0", "shareWith", "bob"); !strings.Contains(made, `"permissions":19,`) {
		t.Errorf("made %s", made)
	}
}

func TestSampleShares(t *testing.T) {
	s := New(&Options{SampleData: true})
	if list := ocsCall(t, s, 200, "alice", "GET", sharesPath, ""); strings.Count(list, `"id"`) != 2 {
		t.Errorf("alice shares %s", list)
	}
	if list := ocsCall(t, s, 200, "bob", "GET", sharingRoot+"shares?format=json&shared_with_me=true", ""); strings.Count(list, `"id"`) != 1 {
		t.Errorf("bob has %s", list)
	}
}
