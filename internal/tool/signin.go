package tool

import (
	"crypto/rand"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/auth"
)

const (
	// urlElicitation is the first protocol revision in which a server may send
	// a person to a page (MCP 2025-11-25, Elicitation, URL mode).
	urlElicitation = "2025-11-25"
	// inputRequired is the first one in which it does so by a result that asks
	// for input (MCP 2026-07-28, Multi round-trip requests).
	inputRequired = "2026-07-28"
)

// signInKey names the request for input in a result.
const signInKey = "sign_in"

// clientRequest is what a request says of the client that sent it.
type clientRequest interface {
	ProtocolVersion() string
	ClientCapabilities() *mcp.ClientCapabilities
}

// askForSignIn sends the person to the sign-in page in the way that the
// client's protocol revision has for it: as a request for input to answer with,
// or as a protocol error. Both are nil for a client that cannot do that, and
// for one that has been asked before: those get the link in a text.
func askForSignIn(missing *auth.SignInRequired, req clientRequest, answers mcp.InputResponseMap) (mcp.InputRequestMap, error) {
	caps, version := req.ClientCapabilities(), req.ProtocolVersion()
	if missing.URL == "" || caps == nil || caps.Elicitation == nil || caps.Elicitation.URL == nil {
		return nil, nil
	}
	ask := &mcp.ElicitParams{Mode: "url", URL: missing.URL, Message: signInReason(missing) + "."}
	switch {
	case version >= inputRequired && len(answers) > 0:
		// Asking again at once would go round in circles while the person is
		// still on the page, or has said no.
		return nil, nil
	case version >= inputRequired:
		return mcp.InputRequestMap{signInKey: ask}, nil
	case version >= urlElicitation:
		ask.ElicitationID = rand.Text()
		return nil, mcp.URLElicitationRequiredError([]*mcp.ElicitParams{ask})
	}
	return nil, nil
}

// signInReason is one sentence without its full stop.
func signInReason(missing *auth.SignInRequired) string {
	if missing.Reason == "" {
		return "The person has to sign in to Nextcloud"
	}
	return strings.TrimSuffix(missing.Reason, ".")
}

// signInText is what a model reads when its client cannot send people to a
// page.
func signInText(missing *auth.SignInRequired) string {
	if missing.URL == "" {
		return signInReason(missing) + ". Ask the person to connect this server again in the client."
	}
	return signInReason(missing) + ". Ask the person to open " + missing.URL + " in a browser and to sign in there, then try again."
}
