package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"nextcloud-mcp-server/internal/nextcloudtest"
)

// cloud is a simulated Nextcloud for a script.
type cloud struct {
	sim     *nextcloudtest.Server
	server  *httptest.Server
	approve string // who grants access to every login flow, at once
}

// startCloud runs a simulated Nextcloud until stop is called.
func startCloud(opts nextcloudtest.Options, approve string) *cloud {
	c := &cloud{approve: approve}
	c.server = httptest.NewUnstartedServer(http.HandlerFunc(c.serve))
	opts.BaseURL = "http://" + c.server.Listener.Addr().String()
	c.sim = nextcloudtest.New(&opts)
	c.server.Start()
	return c
}

func (c *cloud) serve(w http.ResponseWriter, r *http.Request) {
	if c.approve == "" || r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/login/v2") {
		c.sim.ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	c.sim.ServeHTTP(answer, r)
	var flow struct{ Login string }
	if json.Unmarshal(answer.Body.Bytes(), &flow) == nil && flow.Login != "" {
		go func() { _ = grant(c.approve, flow.Login) }()
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// grant is the person at the browser.
func grant(user, link string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := nextcloudtest.NewBrowser(user, user+"-password-1").Complete(ctx, link)
	return err
}

// browse is the program xdg-open: a browser with alice at it.
func browse() {
	if err := grant("alice", os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// claude is the program of Claude Code: it notes how it is called, and knows
// what it was told before.
func claude() {
	const file = "claude.log"
	before, _ := os.ReadFile(file)
	line := strings.Join(os.Args[1:], " ")
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		os.Exit(3)
	}
	fmt.Fprintln(f, line)
	_ = f.Close()
	switch lines := strings.TrimSpace(string(before)); {
	case os.Args[2] == "add" && strings.Contains(line, "broken"):
		fmt.Fprintln(os.Stderr, "Invalid\nconfiguration")
		os.Exit(1)
	case os.Args[2] == "add" && lines != "" && !strings.Contains(lines[strings.LastIndexByte(lines, '\n')+1:], "remove"):
		fmt.Fprintln(os.Stderr, "MCP server nextcloud already exists in user config")
		os.Exit(1)
	}
}

// cloudCommand is the script command "nextcloud": it starts a simulated
// Nextcloud at $NC, or does something to the one that was started.
//
//	nextcloud start [approve=USER] [version=V] [agents=REGEXP]
//	nextcloud stop | maintenance | revoke | broken | passwords N
func cloudCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: nextcloud start|stop|maintenance|revoke|broken|passwords")
	}
	clouds := ts.Value(cloudKey{}).(*[]*cloud)
	if args[0] == "start" {
		var opts nextcloudtest.Options
		opts.SampleData = true
		approve := ""
		for _, arg := range args[1:] {
			name, value, _ := strings.Cut(arg, "=")
			switch name {
			case "approve":
				approve = value
			case "version":
				opts.Version = value
			case "agents":
				opts.AllowedUserAgents = []string{value}
			default:
				ts.Fatalf("nextcloud start: %s", arg)
			}
		}
		c := startCloud(opts, approve)
		ts.Defer(c.server.Close)
		*clouds = append(*clouds, c)
		ts.Setenv("NC", c.server.URL)
		return
	}
	c := (*clouds)[len(*clouds)-1]
	switch args[0] {
	case "stop":
		c.server.Close()
	case "maintenance":
		c.sim.SetMaintenance(true)
	case "revoke":
		c.sim.RevokeAppPasswords("alice")
	case "broken":
		c.sim.Fault(nextcloudtest.Fault{PathPrefix: "/ocs/v2.php/core/apppassword", Status: http.StatusInternalServerError, Body: "no"})
	case "mended":
		c.sim.ClearFaults()
	case "passwords":
		var names bytes.Buffer
		all := c.sim.AppPasswords("alice")
		for _, p := range all {
			fmt.Fprintf(&names, " %q", p.Name)
			if !strings.HasPrefix(p.Name, program) {
				ts.Fatalf("an app password is called %q", p.Name)
			}
		}
		if want, err := strconv.Atoi(args[1]); err != nil || len(all) != want {
			ts.Fatalf("%d app passwords, want %s:%s", len(all), args[1], names.String())
		}
	default:
		ts.Fatalf("nextcloud %s", args[0])
	}
}

type cloudKey struct{}
