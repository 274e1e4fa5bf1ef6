package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nextcloud-mcp-server/internal/app"
	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/config"
	"nextcloud-mcp-server/internal/doctor"
)

// tokenVariable is where doctor also looks for the token to try.
const tokenVariable = "DOCTOR_TOKEN"

// doctorOptions are the flags of doctor.
type doctorOptions struct {
	envFile, tokenFile string
	json               bool
	timeout            time.Duration
}

func newDoctor(environ []string) *cobra.Command {
	var opts doctorOptions
	cmd := &cobra.Command{
		Use:   "doctor [url]",
		Short: "Find out why connecting or signing in fails, and what to do",
		Long: "Find out why connecting or signing in fails, and what to do.\n" +
			"With the address of an MCP server, it is looked at from outside, as any client sees it. Without,\n" +
			"the server that the settings describe is looked at from both sides, with its Nextcloud and database.\n" +
			"The exit code is 1 when there is a problem; warnings are none.",
		Example: "  nextcloud-mcp-server doctor https://mcp.example.org/mcp\n" +
			"  nextcloud-mcp-server doctor --env-file /etc/nextcloud-mcp-server.env",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("%s takes one address; see %s --help", cmd.CommandPath(), cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return examine(cmd, args, environ, opts) },
	}
	config.RegisterFlags(cmd.Flags())
	envFileFlag(cmd.Flags(), &opts.envFile)
	cmd.Flags().VisitAll(hideAllBut("env-file", "nextcloud-host", "mcp-server-url"))
	cmd.Flags().BoolVar(&opts.json, "json", false, "Print one JSON object")
	cmd.Flags().DurationVar(&opts.timeout, "timeout", 45*time.Second, "Give up after this `time`")
	cmd.Flags().StringVar(&opts.tokenFile, "token-file", "", "Try the access token in this `file` (or in "+tokenVariable+")")
	return cmd
}

func examine(cmd *cobra.Command, args, environ []string, opts doctorOptions) error {
	if opts.timeout <= 0 {
		return usagef("--timeout has to be longer than nothing, for example 30s")
	}
	token, err := readToken(opts.tokenFile, environ)
	if err != nil {
		return err
	}
	subject := doctor.Options{All: opts.timeout, Token: token}
	if len(args) == 1 {
		if subject.Server, err = parseServer(args[0]); err != nil {
			return err
		}
	} else {
		cfg, warnings, err := config.Load(cmd.Flags(), environ, readEnvFile(opts.envFile), app.CheckTools)
		subject.Config, subject.Warnings = cfg, warnings
		if problems, ok := errors.AsType[config.Problems](err); ok {
			subject.Problems = problems
		}
	}
	out := cmd.OutOrStdout()
	show := func(r doctor.Result) { r.Print(out) }
	if opts.json {
		show = nil
	}
	report := doctor.Run(cmd.Context(), subject, show)
	if opts.json {
		err := json.NewEncoder(out).Encode(report)
		return errors.Join(err, verdict(report))
	}
	return verdict(report)
}

// verdict is an error when there are problems.
func verdict(report doctor.Report) error {
	switch n := report.Count(doctor.Problem); {
	case n == 1:
		return errors.New("1 problem found")
	case n > 1:
		return fmt.Errorf("%d problems found", n)
	}
	return nil
}

// parseServer reads the address of a server. What is wrong with it is said
// without the address, which may hold a password.
func parseServer(address string) (*url.URL, error) {
	const like = "for example https://mcp.example.org/mcp"
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return nil, usagef("the address has to be a URL, %s", like)
	case u.User != nil:
		return nil, usagef("the address must not hold a password, %s", like)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, usagef("the address must not hold ? or #, %s", like)
	}
	return u, nil
}

// maxTokenFile bounds the file of a token, in bytes.
const maxTokenFile = 64 << 10

func readToken(file string, environ []string) (auth.Secret, error) {
	if file == "" {
		i := slices.IndexFunc(environ, func(pair string) bool { return strings.HasPrefix(pair, tokenVariable+"=") })
		if i < 0 {
			return "", nil
		}
		return auth.Secret(strings.TrimSpace(strings.TrimPrefix(environ[i], tokenVariable+"="))), nil
	}
	f, err := os.Open(file)
	if err != nil {
		return "", usagef("--token-file: %s cannot be read", file)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxTokenFile))
	token := strings.TrimSpace(string(content))
	if err != nil || token == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", usagef("--token-file: %s does not hold one token", file)
	}
	return auth.Secret(token), nil
}
