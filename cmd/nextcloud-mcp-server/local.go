package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"slices"

	"nextcloud-mcp-server/internal/config"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/store"
	"nextcloud-mcp-server/internal/version"
)

// loadLocal reads what commands need that work on this machine's store: where
// it is, and how to reach a Nextcloud. What is wrong with other settings is the
// server's to say.
func loadLocal(stderr io.Writer, environ []string, envFile string) (*config.Config, error) {
	cfg, warnings, err := config.Load(nil, environ, readEnvFile(envFile))
	warn(stderr, config.Text, slices.DeleteFunc(warnings, func(w config.Warning) bool { return !local(w.Variable) }))
	problems, _ := errors.AsType[config.Problems](err)
	problems = slices.DeleteFunc(slices.Clone(problems), func(p config.Problem) bool { return !local(p.Variable) })
	switch {
	case cfg.Storage.URL == "" && cfg.Storage.Database == "":
		return nil, errors.New("there is no place to keep a login, because neither HOME nor XDG_STATE_HOME is set; set TOKEN_STORAGE_DB to the path of a file")
	case len(problems) > 0:
		return nil, problems
	}
	return cfg, nil
}

// local reports whether loadLocal's commands care about a variable; also
// anything that is no setting, such as a line of the .env file.
func local(variable string) bool {
	s := config.Lookup(variable)
	connection := []string{"NEXTCLOUD_VERIFY_SSL", "NEXTCLOUD_CA_BUNDLE", "NEXTCLOUD_HTTP_KEEPALIVE", "NEXTCLOUD_PUBLIC_URL"}
	return s == nil || s.Section == config.SectionStorage || slices.Contains(connection, variable)
}

// openStore opens the configured store, and makes it when it is missing.
func openStore(ctx context.Context, s config.Storage) (*store.Store, error) {
	return store.Open(ctx, store.Options{Path: s.Database, URL: s.URL, Key: s.EncryptionKey, PreviousKeys: s.PreviousKeys})
}

// errNoStore says that nothing was ever kept.
var errNoStore = errors.New("there is no database")

// openExisting opens the configured store unless it is missing, which is
// errNoStore.
func openExisting(ctx context.Context, s config.Storage) (*store.Store, error) {
	if s.URL == "" {
		if _, err := os.Stat(s.Database); s.Database == "" || errors.Is(err, fs.ErrNotExist) {
			return nil, errNoStore
		}
	}
	return openStore(ctx, s)
}

// where is the store in words.
func where(s config.Storage) string {
	if s.URL != "" {
		return "the PostgreSQL database"
	}
	return s.Database
}

// keptAccount is the account of the login command. The error is
// store.ErrNotFound when there is none.
func keptAccount(ctx context.Context, s config.Storage) (account store.Account, err error) {
	db, err := openExisting(ctx, s)
	if errors.Is(err, errNoStore) {
		return account, store.ErrNotFound
	}
	if err != nil {
		return account, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.Account(ctx)
}

// newHost is the Nextcloud at an address, reached as the settings say. A nil
// public address is the same one.
func newHost(cfg *config.Config, address, public *url.URL) *nextcloud.Host {
	return nextcloud.NewHost(address, &nextcloud.HostOptions{
		Public: public,
		Transport: nextcloud.NewTransport(&nextcloud.TransportOptions{
			CABundle: cfg.Nextcloud.CABundle, InsecureSkipTLS: cfg.Nextcloud.SkipVerify, DisableKeepAlive: !cfg.Nextcloud.KeepAlive,
		}),
		UserAgent: program + "/" + version.String(),
	})
}

// hostOf is the Nextcloud of a base URL that was kept.
func hostOf(cfg *config.Config, base string) (*nextcloud.Host, error) {
	address, err := config.ParseAddress(base)
	if err != nil {
		return nil, fmt.Errorf("the address that was kept, %q: %w", base, err)
	}
	return newHost(cfg, address, nil), nil
}

// because is what a person needs to know of an error of the way to Nextcloud.
func because(err error) string {
	if e, ok := errors.AsType[*nextcloud.Error](err); ok && e.Message != "" {
		return e.Message
	}
	return err.Error()
}
