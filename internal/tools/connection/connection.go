// Package connection declares the tools that tell a client about its own
// connection: whom it works for, what it may do and where the person changes
// that. It is apart from the other areas because it asks Nextcloud nothing and
// needs no scope: it also has to answer when everything else is refused.
package connection

import (
	"context"
	"time"

	"nextcloud-mcp-server/internal/tool"
)

// Tools is the area of the connection itself.
var Tools = tool.Group[struct{}]{
	Name: "auth", Title: "This connection", Connections: true,
	Tools: []tool.Of[struct{}]{status},
}

// Status is the outcome of nc_auth_check_status.
type Status struct {
	UserID     string   `json:"user_id,omitempty"`
	Name       string   `json:"name,omitempty"`
	Client     string   `json:"client,omitempty"`
	Scopes     []string `json:"scopes"`
	Refused    []string `json:"refused,omitempty"`
	ReadOnly   bool     `json:"read_only,omitempty"`
	NoDelete   bool     `json:"no_delete,omitempty"`
	Folders    []string `json:"folders,omitempty"`
	Until      string   `json:"until,omitempty"`
	AccountURL string   `json:"account_url,omitempty"`
	Note       string   `json:"note"`
}

var status = tool.New(tool.Def{
	Name:        "nc_auth_check_status",
	Title:       "What this connection may do",
	Description: "Tell who is signed in, what this connection may do, until when, and where the person changes that.",
	Anyone:      true,
	Effect:      tool.Reads,
	Tier:        tool.Core,
}, func(ctx context.Context, _ struct{}, _ struct{}) (*Status, error) {
	p := tool.Caller(ctx)
	if p == nil {
		return nil, tool.Invalidf("Nobody is signed in.")
	}
	s := &Status{Name: p.Name, Client: p.ClientName, Scopes: p.Scopes.Strings()}
	if s.Client == "" {
		s.Client = p.ClientID
	}
	if p.GrantID == "" {
		s.Note = "The identity provider gave the client its token. The person changes there what it may do."
		return s, nil
	}
	s.UserID, s.AccountURL = string(p.Subject), tool.AccountURL(ctx)
	s.Refused, s.ReadOnly, s.NoDelete, s.Folders = p.Policy.Refused, p.Policy.ReadOnly, p.Policy.NoDelete, p.Policy.Folders
	if !p.GrantEnds.IsZero() {
		s.Until = p.GrantEnds.UTC().Format(time.RFC3339)
	}
	s.Note = "At account_url the person narrows, pauses or ends this connection, or allows what they refused. For more than that the client has to be connected again."
	return s, nil
})
