package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/spf13/cobra"

	"nextcloud-mcp-server/internal/app"
	"nextcloud-mcp-server/internal/config"
	"nextcloud-mcp-server/internal/store"
)

func serve(cmd *cobra.Command, environ []string, envFile string) error {
	cfg, warnings, err := load(cmd, environ, envFile)
	warn(cmd.ErrOrStderr(), cfg.Log.Format, warnings)
	if err != nil {
		return err
	}
	tune(cmd.Context(), environ)
	return app.Serve(cmd.Context(), cfg, streams(cmd))
}

// load reads the configuration of a server, with the account of the login
// command when nothing else says whom to work for.
func load(cmd *cobra.Command, environ []string, envFile string) (*config.Config, []config.Warning, error) {
	file := readEnvFile(envFile)
	cfg, warnings, err := config.Load(cmd.Flags(), environ, file, app.CheckTools)
	if !cfg.WantsAccount() {
		return cfg, warnings, err
	}
	account, accountErr := keptAccount(cmd.Context(), cfg.Storage)
	switch {
	case errors.Is(accountErr, store.ErrNotFound):
		return cfg, warnings, err
	case accountErr != nil:
		// Which store was meant is not known while its settings are wrong.
		problems, _ := errors.AsType[config.Problems](err)
		if slices.ContainsFunc(problems, func(p config.Problem) bool { return local(p.Variable) }) {
			return cfg, warnings, err
		}
		return cfg, warnings, fmt.Errorf("read the account of the login command: %w", accountErr)
	}
	return config.Load(cmd.Flags(), environ, file.WithAccount(config.Account{
		Host: account.Host, Username: account.LoginName, Password: account.Password,
	}), app.CheckTools)
}

func readEnvFile(name string) config.EnvFile {
	if name == "" {
		return config.ReadEnvFile(config.DefaultEnvFile, true)
	}
	return config.ReadEnvFile(name, false)
}

func streams(cmd *cobra.Command) app.Streams {
	return app.Streams{In: cmd.InOrStdin(), Out: cmd.OutOrStdout(), Err: cmd.ErrOrStderr()}
}

// warn prints what Load noticed: there is no logger before the configuration.
func warn(w io.Writer, format config.LogFormat, warnings []config.Warning) {
	for _, warning := range warnings {
		if format == config.JSON {
			slog.New(slog.NewJSONHandler(w, nil)).Warn(warning.Text, "variable", warning.Variable)
			continue
		}
		fmt.Fprintln(w, "warning: "+warning.String())
	}
}

func newDemo(environ []string) *cobra.Command {
	var opts app.DemoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run the server with a simulated Nextcloud to try it out",
		Long: "Run the server together with a simulated Nextcloud, to try it out without an account.\n" +
			"Only flags count here: variables and .env files describe a real Nextcloud.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if opts.NextcloudPort < 1 || opts.NextcloudPort > 65535 {
				return usagef("--nextcloud-port must be from 1 to 65535")
			}
			return demo(cmd, environ, opts)
		},
	}
	cmd.Flags().IntVar(&opts.NextcloudPort, "nextcloud-port", 8080, "Listening `port` of the simulated Nextcloud")
	cmd.Flags().BoolVar(&opts.JSON, "json", false, "Print addresses and accounts as JSON")
	config.RegisterFlags(cmd.Flags(), config.SectionServer, config.SectionTools, config.SectionOperation)
	completeValues(cmd)
	return cmd
}

func demo(cmd *cobra.Command, environ []string, opts app.DemoOptions) error {
	simulated := []string{
		fmt.Sprintf("NEXTCLOUD_HOST=http://127.0.0.1:%d", opts.NextcloudPort),
		// Never opened: the demo keeps nothing. Named so that it also runs
		// where there is no home directory.
		"TOKEN_STORAGE_DB=demo.db",
	}
	cfg, warnings, err := config.Load(cmd.Flags(), simulated, config.EnvFile{}, app.CheckTools)
	warn(cmd.ErrOrStderr(), cfg.Log.Format, warnings)
	if err != nil {
		return err
	}
	if cfg.Server.Port == opts.NextcloudPort {
		return usagef("--port and --nextcloud-port are the same, %d", opts.NextcloudPort)
	}
	tune(cmd.Context(), environ)
	return app.Demo(cmd.Context(), cfg, opts, streams(cmd))
}
