package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nextcloud-mcp-server/internal/clientguide"
	"nextcloud-mcp-server/internal/config"
	"nextcloud-mcp-server/internal/install"
	"nextcloud-mcp-server/internal/store"
)

// clientTimeout bounds a call of a client's own command.
const clientTimeout = time.Minute

func newInstall(environ []string) *cobra.Command {
	c := &installing{environ: environ}
	cmd := &cobra.Command{
		Use:   "install " + strings.Join(clientKeys(), "|"),
		Short: "Add the server to an assistant on this machine",
		Long: "Add the server to the configuration of an assistant on this machine. With --url that is a server\n" +
			"which runs somewhere; without, the assistant starts this program for you alone (see login).",
		Example: "  " + program + " install claude-desktop\n" +
			"  " + program + " install vscode --url https://mcp.example.org/mcp",
		ValidArgs: clientKeys(),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("say which: %s %s", cmd.CommandPath(), strings.Join(clientKeys(), "|"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			client, ok := install.Find(args[0])
			if !ok {
				return usagef("%q is not one of %s", args[0], strings.Join(clientKeys(), ", "))
			}
			c.client, c.out, c.stderr = client, cmd.OutOrStdout(), cmd.ErrOrStderr()
			return c.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&c.server.URL, "url", "", "The MCP `address` of a server that runs somewhere")
	cmd.Flags().StringVar(&c.server.Name, "name", "nextcloud", "What the assistant calls the server")
	cmd.Flags().BoolVar(&c.print, "print", false, "Print what to add, and change nothing")
	envFileFlag(cmd.Flags(), &c.envFile)
	return cmd
}

func clientKeys() []string {
	var keys []string
	for _, c := range install.Clients() {
		keys = append(keys, c.Key)
	}
	return keys
}

// installing is one run of the command.
type installing struct {
	environ     []string
	envFile     string
	print       bool
	out, stderr io.Writer

	client install.Client
	server install.Server
}

// serverName is what all clients take as a name.
var serverName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func (c *installing) run(ctx context.Context) error {
	if !serverName.MatchString(c.server.Name) {
		return usagef("--name must be of letters, digits, - and _")
	}
	var hints []string
	if c.server.URL != "" {
		if err := c.checkURL(); err != nil {
			return err
		}
		if c.client.OnlyCommands {
			return c.explainConnector()
		}
	} else {
		var err error
		if hints, err = c.launch(ctx); err != nil {
			return err
		}
	}
	err := c.add(ctx)
	for _, hint := range hints {
		fmt.Fprintln(c.out, hint)
	}
	return err
}

func (c *installing) checkURL() error {
	u, err := config.ParseAddress(c.server.URL)
	switch {
	case err != nil:
		return usagef("--url: %v", err)
	case u.Path == "":
		return usagef("--url: the address of an MCP server has a path; did you mean %s/mcp?", u)
	}
	c.server.URL = u.String()
	return nil
}

// explainConnector says how a client is told of an address that keeps
// addresses elsewhere than in its file.
func (c *installing) explainConnector() error {
	fmt.Fprintf(c.out, "%s takes addresses in its own settings only:\n", c.client.Name)
	guide, _ := clientguide.Find("claude")
	for i, step := range guide.Steps("en", c.server.Name, c.server.URL) {
		fmt.Fprintf(c.out, "%d. %s\n", i+1, step)
	}
	return nil
}

// launch fills in how the client starts this program so that it finds the same
// login, and says what the person still has to do for that.
func (c *installing) launch(ctx context.Context) (hints []string, err error) {
	cfg, err := loadLocal(c.stderr, c.environ, c.envFile)
	if err != nil {
		return nil, err
	}
	if c.server.Command, err = executable(); err != nil {
		return nil, err
	}
	c.server.Args = []string{"--transport", "stdio"}
	var file config.EnvFile
	if c.envFile != "" {
		file = readEnvFile(c.envFile)
		path, err := filepath.Abs(c.envFile)
		if err != nil {
			return nil, fmt.Errorf("--env-file: %w", err)
		}
		c.server.Args = append(c.server.Args, "--env-file", path)
	}
	// A client of the desktop knows nothing of the variables of this terminal
	// nor of the .env file of this folder.
	var desktop []string
	for _, name := range []string{"HOME", "LOCALAPPDATA"} {
		desktop = append(desktop, name+"="+config.Variable(c.environ, name))
	}
	there, _, _ := config.Load(nil, desktop, file)
	if c.server.Env, err = differences(cfg, there); err != nil {
		return nil, err
	}
	if cfg.Storage.EncryptionKey != there.Storage.EncryptionKey || cfg.Storage.URL != there.Storage.URL {
		hints = append(hints, "TOKEN_ENCRYPTION_KEY or DATABASE_URL is set here, and secrets are not written into that file: "+
			"put them into a file that only you can read, and run this again with --env-file.")
	}
	_, err = keptAccount(ctx, cfg.Storage)
	if there.WantsAccount() && errors.Is(err, store.ErrNotFound) {
		hints = append(hints, "Nobody is logged in yet; before the assistant can use the server, run: "+program+" login https://cloud.example.org")
	}
	return hints, nil
}

// differences are the variables that let the process that a client starts find
// what this one finds.
func differences(here, there *config.Config) (map[string]string, error) {
	env := map[string]string{}
	path := func(name, here, there string) error {
		if here == there || here == "" {
			return nil
		}
		abs, err := filepath.Abs(here)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		env[name] = abs
		return nil
	}
	if err := path("TOKEN_STORAGE_DB", here.Storage.Database, there.Storage.Database); err != nil {
		return nil, err
	}
	if err := path("NEXTCLOUD_CA_BUNDLE", here.Nextcloud.CABundle, there.Nextcloud.CABundle); err != nil {
		return nil, err
	}
	if here.Nextcloud.SkipVerify != there.Nextcloud.SkipVerify {
		env["NEXTCLOUD_VERIFY_SSL"] = strconv.FormatBool(!here.Nextcloud.SkipVerify)
	}
	return env, nil
}

// executable is the absolute path of this program under the name it was called
// by: a link to it survives updates, what it points to may not.
func executable() (string, error) {
	path, err := exec.LookPath(os.Args[0])
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		path, err = os.Executable()
	}
	switch {
	case err != nil:
		return "", fmt.Errorf("find this program: %w", err)
	case strings.Contains(filepath.ToSlash(path), "/go-build"):
		return "", errors.New("this program was started by go run and is gone afterwards; build it first: go build -o " + program + " ./cmd/" + program)
	}
	return path, nil
}

// add puts the server into the client's configuration, or prints how.
func (c *installing) add(ctx context.Context) error {
	if !c.client.HasFile() {
		return c.addByCommand(ctx)
	}
	file, err := c.client.File(install.System{
		OS: runtime.GOOS, Home: c.home(), Config: config.Variable(c.environ, "XDG_CONFIG_HOME"), AppData: config.Variable(c.environ, "APPDATA"),
	})
	snippet := c.client.Snippet(c.server)
	if c.print {
		if err == nil {
			fmt.Fprintf(c.stderr, "For %s:\n", file)
		}
		fmt.Fprint(c.out, snippet)
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w; use --print", err)
	}
	done, err := c.client.Write(file, c.server)
	switch {
	case errors.Is(err, install.ErrUnclear):
		fmt.Fprintf(c.out, "Add this to %s yourself:\n\n%s\n", file, snippet)
		return err
	case err != nil:
		return fmt.Errorf("%w; --print shows what to add", err)
	case !done.Wrote:
		fmt.Fprintf(c.out, "%s has the server %q already: %s\n", c.client.Name, c.server.Name, file)
		return nil
	}
	fmt.Fprintf(c.out, "%s has the server %q now: %s\n\n%s\n", c.client.Name, c.server.Name, file, snippet)
	if done.Backup != "" {
		fmt.Fprintf(c.out, "The file as it was: %s\n", done.Backup)
	}
	fmt.Fprintln(c.out, c.client.After)
	return nil
}

func (c *installing) home() string {
	if runtime.GOOS == "windows" {
		return config.Variable(c.environ, "USERPROFILE")
	}
	return config.Variable(c.environ, "HOME")
}

// addByCommand lets the client's own program do it.
func (c *installing) addByCommand(ctx context.Context) error {
	words := install.Command(c.server)
	line := clientguide.ShellLine(words)
	if c.print {
		fmt.Fprintln(c.out, line)
		return nil
	}
	if _, err := exec.LookPath(words[0]); err != nil {
		fmt.Fprintf(c.out, "%s is not on this machine, or not in PATH. Where it is, run:\n\n  %s\n\n", c.client.Name, line)
		return nil
	}
	said, err := c.call(ctx, words)
	if err != nil && strings.Contains(said, "already exists") {
		if _, err := c.call(ctx, install.Removal(c.server)); err == nil {
			said, err = c.call(ctx, words)
			return c.reportCommand(line, said, err)
		}
	}
	return c.reportCommand(line, said, err)
}

func (c *installing) reportCommand(line, said string, err error) error {
	if err != nil {
		fmt.Fprintf(c.out, "This failed:\n\n  %s\n\n", line)
		return fmt.Errorf("%s: %w: %s", c.client.Name, err, oneLine(said))
	}
	fmt.Fprintf(c.out, "%s has the server %q now, by:\n\n  %s\n\n%s\n", c.client.Name, c.server.Name, line, c.client.After)
	return nil
}

// call runs a client's program and returns what it said, shortened.
func (c *installing) call(ctx context.Context, words []string) (said string, err error) {
	ctx, cancel := context.WithTimeout(ctx, clientTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, words[0], words[1:]...) //nolint:gosec // the client's own program, with words of ours
	var b bytes.Buffer
	cmd.Stdout, cmd.Stderr = &b, &b
	cmd.WaitDelay = time.Second
	err = cmd.Run()
	const most = 2000
	return string(b.Bytes()[:min(b.Len(), most)]), err
}
