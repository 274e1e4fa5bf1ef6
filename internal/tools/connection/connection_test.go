package connection

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// cut is a data leg that leads nowhere.
type cut struct{}

func (cut) Client(context.Context, *auth.Principal) (*nextcloud.Client, error) {
	return nil, errors.New("no Nextcloud here")
}

// status calls nc_auth_check_status for p and answers its result as JSON.
func statusOf(t *testing.T, p *auth.Principal) string {
	t.Helper()
	registry, _ := tool.Select([]tool.Set{Tools.Set()}, tool.Selection{Tier: tool.Core, Connections: true})
	server := mcp.NewServer(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	err := registry.Register(server, tool.Binding{
		Clients: cut{}, Single: p, Log: slog.New(slog.DiscardHandler), AccountURL: "https://mcp.example.org/account",
	})
	if err != nil {
		t.Fatal(err)
	}
	there, here := mcp.NewInMemoryTransports()
	if _, err := server.Connect(t.Context(), there, nil); err != nil {
		t.Fatal(err)
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), here, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "nc_auth_check_status"})
	if err != nil || res.IsError {
		t.Fatalf("%+v, %v", res, err)
	}
	b, err := json.Marshal(res.StructuredContent)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestStatus(t *testing.T) {
	const ours = `"note":"At account_url the person narrows, pauses or ends this connection, or allows what they refused. For more than that the client has to be connected again."`
	for name, test := range map[string]struct {
		p    *auth.Principal
		want string
	}{
		"narrow": {
			&auth.Principal{
				Issuer: "https://mcp.example.org", Subject: "alice", Name: "Alice A.", ClientID: "ncmcp_client_x", ClientName: "Claude", GrantID: "g",
				Token: "a-secret-token", Scopes: scope.NewSet(scope.NotesRead, scope.FilesRead), GrantEnds: time.Date(2027, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600)),
				Policy: policy.Policy{Refused: []string{"notes.write"}, ReadOnly: true, NoDelete: true, Folders: []string{"/Projects"}},
			},
			`{"account_url":"https://mcp.example.org/account","client":"Claude","folders":["/Projects"],"name":"Alice A.","no_delete":true,` + ours +
				`,"read_only":true,"refused":["notes.write"],"scopes":["files.read","notes.read"],"until":"2027-01-02T02:04:05Z","user_id":"alice"}`,
		},
		"wide": {
			&auth.Principal{Subject: "alice", Name: "Alice A.", ClientID: "https://claude.ai/client.json", GrantID: "g"},
			`{"account_url":"https://mcp.example.org/account","client":"https://claude.ai/client.json","name":"Alice A.",` + ours + `,"scopes":[],"user_id":"alice"}`,
		},
		"from elsewhere": {
			&auth.Principal{Issuer: "https://idp.example", Subject: "0a1b2c", Name: "alice", ClientID: "c", Scopes: scope.NewSet(scope.NotesRead)},
			`{"client":"c","name":"alice","note":"The identity provider gave the client its token. The person changes there what it may do.","scopes":["notes.read"]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, statusOf(t, test.p)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
