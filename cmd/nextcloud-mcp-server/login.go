package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nextcloud-mcp-server/internal/config"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/apppassword"
	"nextcloud-mcp-server/internal/signin"
	"nextcloud-mcp-server/internal/store"
	"nextcloud-mcp-server/internal/terminal"
)

// pollEvery is how often Nextcloud is asked whether the person has finished.
const pollEvery = time.Second

func newLogin(environ []string) *cobra.Command {
	var (
		envFile   string
		noBrowser bool
	)
	cmd := &cobra.Command{
		Use:   "login [address]",
		Short: "Log in to your Nextcloud, for a server of your own",
		Long: "Log in to your Nextcloud in a browser, for a server that works for you alone.\n" +
			"Nextcloud gives an app password, which is kept encrypted on this machine. Afterwards\n" +
			"the server needs no settings: " + program + " --transport stdio.",
		Example: "  " + program + " login https://cloud.example.org",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("%s takes one address, but got %q too; see %s --help", cmd.CommandPath(), args[1], cmd.CommandPath())
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := loadLocal(cmd.ErrOrStderr(), environ, envFile)
			if err != nil {
				return err
			}
			address, err := whereToLogIn(cmd.Context(), cfg, args)
			if err != nil {
				return err
			}
			l := &login{cfg: cfg, out: cmd.OutOrStdout(), browser: !noBrowser}
			l.getenv = func(name string) string { return config.Variable(environ, name) }
			return l.run(cmd.Context(), address)
		},
	}
	cmd.Flags().BoolVar(&noBrowser, "no-browser", false, "Do not open a browser; only show the link")
	envFileFlag(cmd.Flags(), &envFile)
	return cmd
}

// whereToLogIn is the address that was given, else that of NEXTCLOUD_HOST,
// else that of the last login.
func whereToLogIn(ctx context.Context, cfg *config.Config, args []string) (*url.URL, error) {
	if len(args) == 1 {
		address, err := config.ParseAddress(baseAddress(args[0]))
		if err != nil {
			return nil, usagef("the address of the Nextcloud: %v", err)
		}
		return address, nil
	}
	if cfg.Nextcloud.Host != nil {
		return cfg.Nextcloud.Host, nil
	}
	account, err := keptAccount(ctx, cfg.Storage)
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrDamaged):
		return nil, usagef("say where: %s login https://cloud.example.org", program)
	case err != nil:
		return nil, err
	}
	return config.ParseAddress(account.Host)
}

// baseAddress is the address of the Nextcloud of which a person copied any
// page, and https where they wrote no scheme.
func baseAddress(text string) string {
	text = strings.TrimSpace(text)
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	scheme, rest, _ := strings.Cut(text, "://")
	for _, page := range []string{"?", "#", "/index.php", "/apps/", "/login/", "/settings/"} {
		rest, _, _ = strings.Cut(rest, page)
	}
	return scheme + "://" + strings.TrimSuffix(rest, "/login")
}

// login is one run of the command.
type login struct {
	cfg     *config.Config
	out     io.Writer
	getenv  terminal.Getenv
	browser bool

	db   *store.Store
	host *nextcloud.Host
	flow *signin.LoginFlow
}

func (l *login) run(ctx context.Context, address *url.URL) (err error) {
	// The store comes first: nobody should sign in for nothing.
	if l.db, err = openStore(ctx, l.cfg.Storage); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.db.Close()) }()
	public := l.cfg.Nextcloud.Public
	if public == l.cfg.Nextcloud.Host {
		public = nil // nobody set it
	}
	l.host = newHost(l.cfg, address, public)
	if err := checkNextcloud(ctx, l.host); err != nil {
		return err
	}
	l.flow = signin.NewLoginFlow(l.host, &signin.LoginFlowOptions{Undeleted: func(ctx context.Context, p apppassword.Password) {
		postpone(ctx, l.db, l.out, store.Account{Host: address.String(), LoginName: p.LoginName, UserID: p.UserID, Password: p.Secret})
	}})
	flow, err := l.flow.Start(ctx, deviceName())
	switch {
	case ctx.Err() != nil:
		return errStopped // before anybody saw the link
	case err != nil:
		return l.explain(err)
	}
	l.show(flow)
	outcome, err := l.wait(ctx, flow)
	if err != nil {
		return err
	}
	// A password that exists has to be kept, whatever comes.
	return l.keep(context.WithoutCancel(ctx), outcome)
}

// deviceName is how Nextcloud lists the app password for the person.
func deviceName() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return program
	}
	return program + " on " + name
}

// show tells the person what to do.
func (l *login) show(flow *signin.Flow) {
	if u := l.host.Base(); u.Scheme == "http" && u.Hostname() != "localhost" && !strings.HasPrefix(u.Hostname(), "127.") {
		fmt.Fprintln(l.out, "Careful: with http the app password travels unencrypted; use https.")
	}
	fmt.Fprintf(l.out, "Open this page, log in and grant access:\n\n  %s\n\n", flow.LoginURL)
	if terminal.Is(l.out) && terminal.Draws(l.getenv) {
		fmt.Fprintln(l.out, terminal.QRCode(flow.LoginURL))
	}
	if l.browser && terminal.OpenBrowser(l.getenv, flow.LoginURL) {
		fmt.Fprintln(l.out, "A browser should have opened.")
	}
	fmt.Fprintf(l.out, "Waiting until access is granted there (%d minutes at most; Ctrl-C stops).\n", int(signin.FlowLife.Minutes()))
}

// wait polls until the person has granted access.
func (l *login) wait(ctx context.Context, flow *signin.Flow) (*signin.Outcome, error) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, l.stop(context.WithoutCancel(ctx), flow)
		case <-tick.C:
		}
		outcome, err := l.flow.Poll(ctx, flow)
		switch {
		case errors.Is(err, signin.ErrPending):
		case err == nil && ctx.Err() != nil:
			l.flow.Discard(context.WithoutCancel(ctx), outcome)
			return nil, errStopped
		case err == nil:
			return outcome, nil
		case passing(err) && ctx.Err() == nil && time.Since(flow.StartedAt) < signin.FlowLife:
		case ctx.Err() == nil:
			return nil, l.explain(err)
		}
	}
}

// passing reports whether a poll is worth another try.
func passing(err error) bool {
	problem, ok := errors.AsType[*signin.Problem](err)
	return ok && (problem.Code == signin.Unreachable || problem.Code == signin.Maintenance || problem.Code == signin.TooMany)
}

var errStopped = errors.New("stopped; nobody was logged in")

// stop ends a flow that the person gave up. Nextcloud has no call for that, so
// a password that it gave meanwhile is fetched and deleted.
func (l *login) stop(ctx context.Context, flow *signin.Flow) error {
	if outcome, err := l.flow.Poll(ctx, flow); err == nil {
		l.flow.Discard(ctx, outcome)
		return errStopped
	}
	return fmt.Errorf("%w; do not grant access on that page any more", errStopped)
}

// keep stores the new account and ends the one before.
func (l *login) keep(ctx context.Context, o *signin.Outcome) error {
	before, err := l.db.Account(ctx)
	replaced := err == nil
	if errors.Is(err, store.ErrDamaged) {
		fmt.Fprintln(l.out, "The app password of the last login could not be read; delete it in Nextcloud: Settings, Security.")
	}
	now := store.Account{Host: o.Credential.Host, LoginName: o.Person.LoginName, UserID: o.Person.UserID, Password: o.Credential.Secret}
	if err := l.db.PutAccount(ctx, now); err != nil {
		l.flow.Discard(ctx, o)
		return err
	}
	who := string(o.Person.UserID)
	if name := o.Person.DisplayName; name != "" && name != who {
		who = fmt.Sprintf("%s (%s)", oneLine(name), who)
	}
	fmt.Fprintf(l.out, "Logged in to %s as %s.\n", now.Host, who)
	fmt.Fprintf(l.out, "The app password is kept encrypted in %s. Nextcloud lists it in Settings, Security as %q.\n", where(l.cfg.Storage), deviceName())
	retry(ctx, l.cfg, l.db)
	if replaced {
		if err := endAtNextcloud(ctx, l.cfg, before); err != nil {
			postpone(ctx, l.db, l.out, before)
		}
		fmt.Fprintln(l.out, "It replaces that of the login before: servers that run already have to be started again.")
	}
	if !l.cfg.WantsAccount() {
		fmt.Fprintln(l.out, "The server does not use it as long as NEXTCLOUD_HOST, NEXTCLOUD_USERNAME, NEXTCLOUD_PASSWORD or MCP_DEPLOYMENT_MODE says otherwise.")
	}
	fmt.Fprintf(l.out, "\nNext, let your assistant start the server:\n  %s install %s\n", program, strings.Join(clientKeys(), "|"))
	return nil
}
