package app

import (
	"context"
	"net/http"

	"nextcloud-mcp-server/internal/auth/basic"
	"nextcloud-mcp-server/internal/dataleg"
	"nextcloud-mcp-server/internal/tool"
)

// multiUser serves many people whose login name and password come with each
// request.
func (a *app) multiUser(ctx context.Context) error {
	a.log.InfoContext(ctx, "BasicAuth mode for several people (MCP_DEPLOYMENT_MODE=multi_user_basic)")
	door := basic.New(a.host, a.log, nil)
	leg := dataleg.NewBasic(a.host, door.Forget)
	server, err := a.mcpServer(tool.Binding{Clients: leg})
	if err != nil {
		return err
	}
	work, stop := context.WithCancel(ctx)
	done := background(func() { a.watchNextcloud(work, nil) })
	defer func() { stop(); done() }()
	return a.http(ctx, server, front{
		mode: "basic", basic: door,
		mount: func(mux *http.ServeMux, prefix string) { a.mountLanding(mux, prefix, a.pages(), "") },
		ready: func() (bool, checks) {
			return true, checks{"nextcloud": a.nextcloud.check(), "data_leg": legCheck(leg.Status())}
		},
		up: func() { a.announce(ctx) },
	})
}
