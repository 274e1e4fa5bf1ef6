// Package app puts the parts of the server together. It is the only package
// that knows all of them.
package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/config"
	"nextcloud-mcp-server/internal/dataleg"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/exclusion"
	"nextcloud-mcp-server/internal/safehttp"
	"nextcloud-mcp-server/internal/telemetry"
	"nextcloud-mcp-server/internal/tool"
	"nextcloud-mcp-server/internal/tools"
	"nextcloud-mcp-server/internal/tools/prompts"
	"nextcloud-mcp-server/internal/version"
)

// Streams are the standard streams of the process.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Serve runs the server until ctx ends. The configuration has to be one that
// config.Load found no problem with, CheckTools included.
func Serve(ctx context.Context, cfg *config.Config, s Streams) error {
	return serve(ctx, cfg, s, nil)
}

// serve is Serve; ready is called once when clients can sign in.
func serve(ctx context.Context, cfg *config.Config, s Streams, ready func()) error {
	registry, _ := choose(cfg)
	a := &app{cfg: cfg, streams: s, registry: registry, whenReady: ready}
	a.log = telemetry.NewLogger(s.Err, cfg.Log.Level, cfg.Log.Format == config.JSON)
	a.host = nextcloud.NewHost(cfg.Nextcloud.Host, &nextcloud.HostOptions{
		Public: cfg.Nextcloud.Public,
		Transport: nextcloud.NewTransport(&nextcloud.TransportOptions{
			CABundle: cfg.Nextcloud.CABundle, InsecureSkipTLS: cfg.Nextcloud.SkipVerify, DisableKeepAlive: !cfg.Nextcloud.KeepAlive,
		}),
		UserAgent: "nextcloud-mcp-server/" + version.String(),
	})
	if cfg.Nextcloud.SkipVerify {
		a.log.WarnContext(ctx, "TLS certificates are not verified (NEXTCLOUD_VERIFY_SSL=false): anybody on the way can read and change everything")
	}
	if cfg.Metrics.Enabled {
		a.metrics = telemetry.NewMetrics()
	}
	switch cfg.Mode() {
	case config.SingleUser:
		return a.singleUser(ctx)
	case config.MultiUser:
		return a.multiUser(ctx)
	case config.OAuth:
	}
	return a.oauth(ctx)
}

// app is one running process.
type app struct {
	cfg       *config.Config
	streams   Streams
	log       *slog.Logger
	host      *nextcloud.Host
	registry  *tool.Registry
	metrics   *telemetry.Metrics // nil when switched off
	whenReady func()

	nextcloud nextcloudState
}

// CheckTools reports the names of areas and tools that nothing has, as a check
// of config.Load.
func CheckTools(cfg *config.Config, problems *config.Problems) {
	_, unknown := choose(cfg)
	variables := map[string]string{"areas": "MCP_AREAS", "tools": "MCP_TOOLS", "exclude-tools": "MCP_EXCLUDE_TOOLS"}
	for _, u := range unknown {
		problems.Add(variables[u.Switch], u.Error())
	}
}

func choose(cfg *config.Config) (*tool.Registry, []*tool.UnknownError) {
	tier, err := tool.ParseTier(cfg.Tools.Tier)
	auto := cfg.Tools.Tier == config.TierAuto
	switch {
	case auto:
		tier = tool.Complete
	case err != nil:
		tier = tool.Core // the configuration has reported it
	}
	registry, unknown := tool.Select(tools.All(), tool.Selection{
		ReadOnly: cfg.Tools.ReadOnly, Areas: cfg.Tools.Areas, Tools: cfg.Tools.Only, Exclude: cfg.Tools.Exclude, Tier: tier, Auto: auto,
		Connections: ownConnections(cfg),
	})
	registry.AddPrompts(prompts.All())
	return registry, unknown
}

// ownConnections reports whether this server is the authorization server of
// its clients.
func ownConnections(cfg *config.Config) bool {
	return cfg.Mode() == config.OAuth && cfg.SignIn.AuthorizationServer == config.Self
}

// mcpServer is the one MCP server of the process, with everything registered.
func (a *app) mcpServer(binding tool.Binding) (*mcp.Server, error) {
	binding.Log = a.log
	binding.Documents = documents(a.cfg.Documents)
	binding.Excluded = exclusion.New(a.cfg.Tools.ExcludedTags)
	binding.Sources = a.sources()
	if a.metrics != nil {
		binding.Observe = a.metrics.ToolCall
	}
	server := mcp.NewServer(&mcp.Implementation{
		Name: "nextcloud-mcp-server", Title: "Nextcloud MCP", Version: version.String(),
	}, &mcp.ServerOptions{
		Instructions: a.registry.Instructions(),
		// The SDK logs every refused request; who sent it is known only here.
		Logger:            slog.New(slog.DiscardHandler),
		Capabilities:      &mcp.ServerCapabilities{},
		CompletionHandler: a.registry.Completion(binding),
		// Lists depend on the caller's rights; they change only with a restart.
		SetCacheable: func(_ context.Context, _ mcp.Request, c *mcp.Cacheable) {
			c.CacheScope, c.TTLMs = "private", 0
		},
	})
	if err := a.registry.Register(server, binding); err != nil {
		return nil, fmt.Errorf("register tools: %w", err)
	}
	return server, nil
}

// What is fetched from the web for one upload.
const (
	maxFetch     = 10 << 30 // bytes
	fetchTimeout = 30 * time.Minute
)

// sources are where files come from that are uploaded.
func (a *app) sources() tool.Sources {
	s := tool.Sources{Web: safehttp.New(safehttp.Options{MaxBody: maxFetch, Timeout: fetchTimeout})}
	// Over HTTP this machine is not the user's.
	if a.cfg.Server.Transport == config.Stdio {
		s.Folder = a.cfg.Tools.UploadFolder
	}
	return s
}

// singleUser serves one person whose credentials are in the configuration.
func (a *app) singleUser(ctx context.Context) error {
	var opts *dataleg.SingleOptions
	if a.cfg.Nextcloud.LoggedIn {
		a.log.InfoContext(ctx, "Working with the account of nextcloud-mcp-server login", "user", string(a.cfg.Nextcloud.Username), "nextcloud", a.cfg.Nextcloud.Host.String())
		opts = &dataleg.SingleOptions{
			Credential: "app password of the login command",
			Refused:    "the login has ended; the person has to run nextcloud-mcp-server login " + a.cfg.Nextcloud.Host.String() + " in a terminal and start this server again",
		}
	} else {
		a.log.InfoContext(ctx, "BasicAuth mode detected (NEXTCLOUD_USERNAME/PASSWORD set)")
		a.log.InfoContext(ctx, "Initializing Nextcloud client with BasicAuth")
	}
	leg := dataleg.NewSingle(a.host, nextcloud.Basic{LoginName: a.cfg.Nextcloud.Username, Password: a.cfg.Nextcloud.Password}, opts)
	server, err := a.mcpServer(tool.Binding{
		Clients: leg, Single: &auth.Principal{Subject: auth.Subject(a.cfg.Nextcloud.Username), Trusted: true},
	})
	if err != nil {
		return err
	}
	work, stop := context.WithCancel(ctx)
	done := background(func() { a.watchNextcloud(work, nil) })
	defer func() { stop(); done() }()
	if a.cfg.Server.Transport == config.Stdio {
		return a.stdio(ctx, server)
	}
	if a.cfg.Server.InsecureNoAuth {
		a.log.WarnContext(ctx, "Everybody who reaches this port uses this Nextcloud account (--insecure-no-auth)")
	}
	return a.http(ctx, server, front{
		mode: "basic",
		ready: func() (bool, checks) {
			return true, checks{"nextcloud": a.nextcloud.check(), "data_leg": legCheck(leg.Status())}
		},
		up: func() { a.announce(ctx) },
	})
}

// announce says that clients can connect.
func (a *app) announce(ctx context.Context) {
	u := url.URL{Scheme: "http", Host: a.cfg.Server.Addr()}
	a.log.InfoContext(ctx, "MCP server ready at "+u.String())
	if a.whenReady != nil {
		a.whenReady()
	}
}

// stopTimeout bounds how long open requests may take to end at a stop.
var stopTimeout = 10 * time.Second
