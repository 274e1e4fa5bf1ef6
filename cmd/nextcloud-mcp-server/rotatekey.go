package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"nextcloud-mcp-server/internal/config"
)

func newRotateKey(environ []string) *cobra.Command {
	var envFile string
	cmd := &cobra.Command{
		Use:   "rotate-key",
		Short: "Encrypt the stored secrets with a new key",
		Long: "Encrypt the stored secrets with a new key. Servers may run meanwhile.\n" +
			"Without TOKEN_ENCRYPTION_KEY a new key is made, and the key file then holds it alone. With it,\n" +
			"put the new key there first and the old one into TOKEN_ENCRYPTION_KEY_PREVIOUS, for every server too.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadLocal(cmd.ErrOrStderr(), environ, envFile)
			if err != nil {
				return err
			}
			return rotateKey(cmd.Context(), cfg.Storage, cmd.OutOrStdout())
		},
	}
	envFileFlag(cmd.Flags(), &envFile)
	return cmd
}

func rotateKey(ctx context.Context, s config.Storage, out io.Writer) (err error) {
	db, err := openExisting(ctx, s)
	switch {
	case errors.Is(err, errNoStore):
		return fmt.Errorf("there is no database at %s, so there is no key to replace; is TOKEN_STORAGE_DB that of the server?", s.Database)
	case err != nil:
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	done, err := db.RotateKey(ctx)
	if err != nil {
		if done.Resealed > 0 {
			fmt.Fprintf(out, "%s encrypted anew before this stopped; nothing is lost. Run the command again.\n", count(done.Resealed, "secret was", "secrets were"))
		}
		return err
	}
	fmt.Fprintf(out, "%s encrypted anew. The key is %s now.\n", count(done.Resealed, "secret was", "secrets were"), done.Current)
	if done.Damaged > 0 {
		fmt.Fprintf(out, "%s not decrypt with any key and was left as it is: whoever it belongs to has to sign in again.\n", count(done.Damaged, "value does", "values do"))
	}
	switch {
	case s.EncryptionKey == "":
		fmt.Fprintf(out, "Back up %s and its key file %s.key together: older backups of the database need the key file of their time.\n", s.Database, s.Database)
	case len(s.PreviousKeys) > 0:
		fmt.Fprintln(out, "Next, remove TOKEN_ENCRYPTION_KEY_PREVIOUS from the settings of every server, and keep the old key as long as backups that need it.")
	default:
		fmt.Fprintln(out, "TOKEN_ENCRYPTION_KEY stays as it was. To replace it, move it to TOKEN_ENCRYPTION_KEY_PREVIOUS, set a new one for every server, and run this again.")
	}
	return nil
}

func count(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", more)
}
