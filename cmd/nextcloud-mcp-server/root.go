package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"nextcloud-mcp-server/internal/config"
	"nextcloud-mcp-server/internal/version"
)

const program = "nextcloud-mcp-server"

const examples = `  Many people, each signing in with their own Nextcloud account:
    NEXTCLOUD_HOST=https://cloud.example.org nextcloud-mcp-server --oauth

  One person, with an assistant that starts the server (nextcloud-mcp-server -t stdio):
    nextcloud-mcp-server login https://cloud.example.org
    nextcloud-mcp-server install claude-desktop`

// newRoot is the command line. environ takes the place of the process's
// environment everywhere below.
func newRoot(environ []string) *cobra.Command {
	root := newServe(environ)
	root.Use = program
	root.Short = "Let AI assistants work in your Nextcloud"
	root.Long = "Let AI assistants work in your Nextcloud, through the Model Context Protocol."
	root.Example = examples
	root.Version = version.String()
	root.Args = noCommand
	// run prints errors, once and in one line.
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%v; see %s --help", err, cmd.CommandPath())
	})
	root.SetUsageFunc(usage)

	serve := newServe(environ)
	serve.Use, serve.Aliases = "serve", []string{"run"}
	root.AddCommand(serve, newDemo(environ), newDoctor(environ), newHealthcheck(environ), newVersion(),
		newLogin(environ), newLogout(environ), newInstall(environ), newRotateKey(environ), newExtract())
	root.SetHelpCommand(newHelp(root))
	root.InitDefaultCompletionCmd()
	root.Flags().Bool("version", false, "Print the version")
	root.Flags().BoolP("help", "h", false, "Show this help")
	for _, cmd := range root.Commands() {
		cmd.Flags().BoolP("help", "h", false, "Show this help")
		if cmd.HasSubCommands() {
			// Otherwise cobra answers a word it does not know with the help,
			// as if all were well.
			cmd.Args = noCommand
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
	return root
}

func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:    "help [command]",
		Short:  "Show the help of a command",
		Hidden: true, // --help says the same
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return noCommand(root, args)
			}
			return cmd.Help()
		},
	}
}

func newServe(environ []string) *cobra.Command {
	var envFile string
	cmd := &cobra.Command{
		Short: "Run the server; the same as giving no command",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serve(cmd, environ, envFile)
		},
	}
	config.RegisterFlags(cmd.Flags())
	envFileFlag(cmd.Flags(), &envFile)
	completeValues(cmd)
	return cmd
}

func envFileFlag(fs *pflag.FlagSet, name *string) {
	fs.StringVar(name, "env-file", "", "Read variables from this `file` instead of .env; the environment outranks it")
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), program, "version", version.String())
			return err
		},
	}
}

// completeValues lets the shell complete the values of closed sets.
func completeValues(cmd *cobra.Command) {
	for _, s := range config.Settings() {
		f := cmd.Flags().Lookup(s.Flag)
		if s.Flag == "" || f == nil || f.NoOptDefVal != "" || s.Allowed() == nil {
			continue
		}
		if err := cmd.RegisterFlagCompletionFunc(s.Flag, cobra.FixedCompletions(s.Allowed(), cobra.ShellCompDirectiveNoFileComp)); err != nil {
			panic(err) // registered twice: a mistake in the table
		}
	}
}

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// noCommand refuses words after the program's name that are no command.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := "see " + cmd.CommandPath() + " --help"
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return usagef("unknown command %q; %s", args[0], hint)
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usagef("%s takes no arguments, but got %q; see %s --help", cmd.CommandPath(), args[0], cmd.CommandPath())
}
