// Package doctor finds out why a server cannot be reached, signed in at or
// worked with, and says the one thing to do about it. It looks from the
// outside in: at the names and certificates, at the reverse proxy and the
// metadata as a client sees them, at Nextcloud and the OpenID provider, at the
// database. It is separate from the server because it must not share the
// server's view: what the server believes of itself is what is examined.
//
// Nothing is changed anywhere, except that Nextcloud is asked to begin a login
// flow, which ends by itself. No secret and no body of a foreign answer is ever
// part of a result.
package doctor

import (
	"context"
	"net"
	"net/url"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/config"
)

// Status is what a check came to.
type Status string

// The statuses, from good to bad. A check that was skipped says nothing.
const (
	OK      Status = "ok"
	Skipped Status = "skipped"
	Warning Status = "warning"
	Problem Status = "problem"
)

// worse reports whether s is worse than other.
func (s Status) worse(other Status) bool {
	rank := map[Status]int{OK: 0, Skipped: 0, Warning: 1, Problem: 2}
	return rank[s] > rank[other]
}

// Result is one line of a report.
type Result struct {
	ID     string `json:"id"` // stable; several results of one check share it
	Title  string `json:"title"`
	Status Status `json:"status"`
	Detail string `json:"detail"`        // what was seen
	Fix    string `json:"fix,omitempty"` // the one thing to do: a command, a setting
}

// Report is everything that was found, in the order of the checks.
type Report struct {
	Checks []Result `json:"checks"`
	Worst  Status   `json:"worst"` // ok, warning or problem
}

// Options say what to examine.
type Options struct {
	// Server is the address of an MCP server that is examined from outside
	// only, as a stranger sees it, with or without /mcp. When it is nil, Config
	// is examined, from both sides.
	Server *url.URL

	Config   *config.Config   // as config.Load made it, even with problems
	Problems config.Problems  // what Load found
	Warnings []config.Warning // what Load noticed
	Token    auth.Secret      // a bearer token to try; empty for none
	Each     time.Duration    // the most that one check takes; default 10 s
	All      time.Duration    // the most that all checks take; default 45 s
	Now      func() time.Time // default time.Now
	Lookup   func(ctx context.Context, name string) ([]string, error)
	Dial     func(ctx context.Context, network, address string) (net.Conn, error)
}

func (o Options) withDefaults() Options {
	if o.All <= 0 {
		o.All = 45 * time.Second
	}
	if o.Each <= 0 {
		o.Each = 10 * time.Second
	}
	o.Each = min(o.Each, o.All)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Lookup == nil {
		o.Lookup = net.DefaultResolver.LookupHost
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	return o
}

// Run does all checks that concern what opts name, those that do not depend on
// each other at the same time. Each result is given to show, in the order of
// the report, as soon as all before it are known; show may be nil.
func Run(ctx context.Context, opts Options, show func(Result)) Report {
	opts = opts.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, opts.All)
	defer cancel()
	v := newVisit(ctx, &opts)
	defer v.close()
	report := Report{Checks: []Result{}, Worst: OK}
	for found := range v.examine(ctx, table) {
		r := v.secrets.clean(found)
		report.Checks = append(report.Checks, r)
		if r.Status.worse(report.Worst) {
			report.Worst = r.Status
		}
		if show != nil {
			show(r)
		}
	}
	return report
}
