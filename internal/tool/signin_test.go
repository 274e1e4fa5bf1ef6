package tool_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	own "nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
)

const signInURL = "https://mcp.example.org/oauth/connect/abc"

// latecomers has no credential until the person has signed in.
type latecomers struct {
	clients

	mu       sync.Mutex
	signedIn bool
}

func (l *latecomers) Client(ctx context.Context, p *own.Principal) (*nextcloud.Client, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.signedIn {
		return nil, &own.SignInRequired{URL: signInURL, Reason: "Nextcloud has ended the connection of this server."}
	}
	return l.clients.Client(ctx, p)
}

// browser is a client that can send its person to pages.
func browser(asked *[]*mcp.ElicitParams, answer func() string) *mcp.ClientOptions {
	return &mcp.ClientOptions{
		Capabilities: &mcp.ClientCapabilities{Elicitation: &mcp.ElicitationCapabilities{URL: &mcp.URLElicitationCapabilities{}}},
		ElicitationHandler: func(_ context.Context, req *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			*asked = append(*asked, req.Params)
			return &mcp.ElicitResult{Action: answer()}, nil
		},
	}
}

const signInSentence = "Nextcloud has ended the connection of this server"

// TestSignInByInputRequest sends the person to the page in the middle of the
// call, which then goes on (2026-07-28).
func TestSignInByInputRequest(t *testing.T) {
	for what, want := range map[string]string{"nc_echo": `"id":1`, "nc://notes/17": "note 17"} {
		l := &latecomers{}
		var asked []*mcp.ElicitParams
		session := connect(t, setup{data: l, version: "2026-07-28", client: browser(&asked, func() string {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.signedIn = true
			return "accept"
		})})
		var text string
		if strings.Contains(what, ":") {
			got, err := read(t, session, what)
			if err != nil {
				t.Fatal(err)
			}
			text = got.Text
		} else {
			text, _ = call(t, session, what, raw(`{"id":1}`))
		}
		if !strings.Contains(text, want) {
			t.Errorf("%s: %s", what, text)
		}
		wanted := []*mcp.ElicitParams{{Mode: "url", URL: signInURL, Message: signInSentence + "."}}
		if diff := cmp.Diff(wanted, asked); diff != "" {
			t.Errorf("%s (-want +got)\n%s", what, diff)
		}
	}
}

// TestSignInNotFinished checks that a person who says no, or is still at it,
// is not asked again and again.
func TestSignInNotFinished(t *testing.T) {
	for _, answer := range []string{"accept", "decline", "cancel"} {
		var asked []*mcp.ElicitParams
		session := connect(t, setup{data: &latecomers{}, version: "2026-07-28", client: browser(&asked, func() string { return answer })})
		text, failed := call(t, session, "nc_echo", raw(`{"id":1}`))
		if !failed || !strings.Contains(text, signInURL) || len(asked) != 1 {
			t.Errorf("%s: failed %v, %s; asked %d times", answer, failed, text, len(asked))
		}
	}
}

// TestSignInByError checks the error of protocol 2025-11-25.
func TestSignInByError(t *testing.T) {
	for _, what := range []string{"nc_echo", "nc://notes/17"} {
		var asked []*mcp.ElicitParams
		session := connect(t, setup{data: &latecomers{}, version: "2025-11-25", client: browser(&asked, func() string { return "accept" })})
		var err error
		if strings.Contains(what, ":") {
			_, err = read(t, session, what)
		} else {
			_, err = session.CallTool(t.Context(), callParams(what, `{"id":1}`))
		}
		var wire *jsonrpc.Error
		if !errors.As(err, &wire) || wire.Code != mcp.CodeURLElicitationRequired {
			t.Fatalf("%s: %v", what, err)
		}
		var data struct {
			Elicitations []mcp.ElicitParams `json:"elicitations"`
		}
		if err := json.Unmarshal(wire.Data, &data); err != nil || len(data.Elicitations) != 1 {
			t.Fatalf("%s: %s, %v", what, wire.Data, err)
		}
		id := data.Elicitations[0].ElicitationID
		want := mcp.ElicitParams{Mode: "url", URL: signInURL, ElicitationID: id, Message: signInSentence + "."}
		if diff := cmp.Diff(want, data.Elicitations[0]); diff != "" || len(id) < 20 {
			t.Errorf("%s: id %q (-want +got)\n%s", what, id, diff)
		}
	}
}

// TestSignInByText checks that all other clients get the link in words.
func TestSignInByText(t *testing.T) {
	form := &mcp.ClientOptions{ElicitationHandler: func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
		return nil, errors.New("only forms")
	}}
	var asked []*mcp.ElicitParams
	for name, s := range map[string]setup{
		"plain client, 2026": {version: "2026-07-28"},
		"plain client, 2025": {version: "2025-11-25"},
		"forms only, 2026":   {version: "2026-07-28", client: form},
		"forms only, 2025":   {version: "2025-11-25", client: form},
		"before URLs":        {version: "2025-06-18", client: browser(&asked, func() string { return "accept" })},
	} {
		s.data = &latecomers{}
		session := connect(t, s)
		want := signInSentence + ". Ask the person to open " + signInURL + " in a browser and to sign in there, then try again."
		if text, failed := call(t, session, "nc_echo", raw(`{"id":1}`)); !failed || text != want {
			t.Errorf("%s: failed %v, %s", name, failed, text)
		}
		if _, err := read(t, session, "nc://notes/17"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(asked) > 0 {
		t.Error("a client of an older revision was asked")
	}
}

func TestSignInWithoutPage(t *testing.T) {
	var asked []*mcp.ElicitParams
	for _, version := range []string{"2026-07-28", "2025-11-25"} {
		session := connect(t, setup{clients: &clients{err: &own.SignInRequired{}}, version: version, client: browser(&asked, func() string { return "accept" })})
		text, failed := call(t, session, "nc_echo", raw(`{"id":1}`))
		if !failed || text != "The person has to sign in to Nextcloud. Ask the person to connect this server again in the client." {
			t.Errorf("failed %v, %s", failed, text)
		}
	}
	if len(asked) > 0 {
		t.Error("a page was shown that is none")
	}
}
