package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"nextcloud-mcp-server/internal/config"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/apppassword"
	"nextcloud-mcp-server/internal/store"
)

func newLogout(environ []string) *cobra.Command {
	var (
		envFile string
		force   bool
	)
	cmd := &cobra.Command{
		Use:   "logout",
		Short: "Undo login: delete the app password in Nextcloud and here",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			cfg, err := loadLocal(cmd.ErrOrStderr(), environ, envFile)
			if err != nil {
				return err
			}
			db, err := openExisting(cmd.Context(), cfg.Storage)
			if errors.Is(err, errNoStore) {
				fmt.Fprintln(cmd.OutOrStdout(), nobodyLoggedIn)
				return nil
			}
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, db.Close()) }()
			return logout(cmd.Context(), cfg, db, cmd.OutOrStdout(), force)
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "Forget the login here even when Nextcloud cannot be reached")
	envFileFlag(cmd.Flags(), &envFile)
	return cmd
}

const (
	nobodyLoggedIn = "Nobody is logged in."
	deleteByHand   = "delete it in Nextcloud: Settings, Security"
)

func logout(ctx context.Context, cfg *config.Config, db *store.Store, out io.Writer, force bool) error {
	account, err := db.Account(ctx)
	switch {
	case errors.Is(err, store.ErrNotFound):
		retry(ctx, cfg, db)
		fmt.Fprintln(out, nobodyLoggedIn)
		return nil
	case errors.Is(err, store.ErrDamaged) && !force:
		return errors.New("the app password of the login cannot be read, so it was not deleted; logout --force forgets it here, and you " + deleteByHand)
	case errors.Is(err, store.ErrDamaged):
		fmt.Fprintln(out, "The app password could not be read; "+deleteByHand+".")
	case err != nil:
		return err
	default:
		if err := endAtNextcloud(ctx, cfg, account); err != nil {
			if !force {
				return fmt.Errorf("the app password could not be deleted at %s, so it was kept here too: %s; try again later, or use --force", account.Host, because(err))
			}
			postpone(ctx, db, out, account)
		} else {
			retry(ctx, cfg, db)
		}
	}
	if err := db.DeleteAccount(ctx); err != nil {
		return err
	}
	if account.Host == "" {
		fmt.Fprintln(out, "Logged out.")
		return nil
	}
	fmt.Fprintf(out, "Logged out of %s (%s).\n", account.Host, account.UserID)
	return nil
}

// endAtNextcloud deletes the app password of an account at its Nextcloud. One
// that is gone already is no error.
func endAtNextcloud(ctx context.Context, cfg *config.Config, a store.Account) error {
	host, err := hostOf(cfg, a.Host)
	if err != nil {
		return err
	}
	p := apppassword.Password{LoginName: a.LoginName, UserID: a.UserID, Secret: a.Password}
	if err := p.Delete(ctx, host); err != nil && !errors.Is(err, nextcloud.ErrUnauthenticated) {
		return err
	}
	return nil
}

// postpone notes an app password that Nextcloud still has to delete, for the
// next login or logout, and tells the person, who may be faster.
func postpone(ctx context.Context, db *store.Store, out io.Writer, a store.Account) {
	ctx = context.WithoutCancel(ctx)
	err := db.AddRevocation(ctx, store.Revocation{Host: a.Host, LoginName: a.LoginName, UserID: a.UserID, Password: a.Password})
	again := " The next login or logout tries again."
	if err != nil {
		again = ""
	}
	fmt.Fprintf(out, "An app password of %s could not be deleted at %s now; %s.%s\n", a.LoginName, a.Host, deleteByHand, again)
}

// retry deletes at Nextcloud what could not be deleted before. What fails
// again stays noted; nobody has to hear of it twice.
func retry(ctx context.Context, cfg *config.Config, db *store.Store) {
	const most = 5 // what a person may have to wait for
	due, err := db.DueRevocations(ctx, most)
	if err != nil {
		return
	}
	for _, r := range due {
		err = nil
		if r.Password != "" { // one that does not decrypt is given up
			err = endAtNextcloud(ctx, cfg, store.Account{Host: r.Host, LoginName: r.LoginName, UserID: r.UserID, Password: r.Password})
		}
		if err != nil {
			_ = db.RevocationFailed(ctx, r.ID, time.Now())
			return
		}
		_ = db.RevocationDone(ctx, r.ID)
	}
}
