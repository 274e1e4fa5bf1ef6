package doctor

import (
	"context"
	"net"
	"net/url"
	"slices"
	"strconv"

	"nextcloud-mcp-server/internal/config"
)

// checkSettings repeats what reading the configuration found.
func (v *visit) checkSettings(context.Context) finding {
	var out finding
	for _, p := range v.opts.Problems {
		out = out.and(wrongSetting(p))
	}
	for _, w := range v.opts.Warnings {
		out = out.and(doubtfulSetting(w))
	}
	if len(out.also) == 0 {
		return settingsFine(v.cfg.Mode())
	}
	return out
}

// checkPort looks who has the port that the server listens on.
func (v *visit) checkPort(ctx context.Context) finding {
	address := net.JoinHostPort(here(v.cfg.Server.Host), strconv.Itoa(v.cfg.Server.Port))
	conn, err := v.opts.Dial(ctx, "tcp", address)
	if err != nil {
		return portFree(v.cfg.Server.Port)
	}
	_ = conn.Close()
	local := url.URL{Scheme: "http", Host: address, Path: "/health/live"}
	if isAlive(v.get(ctx, local.String())) {
		return portOurs(v.cfg.Server.Port)
	}
	return portTaken(v.cfg.Server.Port)
}

// here is the address to ask a server that listens on host.
func here(host string) string {
	switch host {
	case "", "0.0.0.0":
		return "127.0.0.1"
	case "::":
		return "::1"
	}
	return host
}

func (v *visit) listens() bool {
	return v.cfg != nil && v.cfg.Server.Transport != config.Stdio &&
		!slices.ContainsFunc(v.opts.Problems, func(p config.Problem) bool { return p.Variable == "PORT" || p.Variable == "MCP_HOST" })
}
