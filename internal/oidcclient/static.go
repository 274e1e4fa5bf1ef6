package oidcclient

import (
	"context"
	"errors"
	"time"

	"nextcloud-mcp-server/internal/auth"
)

// Client are the credentials of this server at the provider.
type Client struct {
	ID        string
	Secret    auth.Secret
	ExpiresAt time.Time // zero means never
}

// ErrUnknownClient means that there are no credentials for a client id: it is
// not ours, or it is gone.
var ErrUnknownClient = errors.New("unknown client id")

// ErrRefusedClient means that the provider refuses the configured credentials.
var ErrRefusedClient = errors.New("the provider refuses NEXTCLOUD_OIDC_CLIENT_ID and NEXTCLOUD_OIDC_CLIENT_SECRET: compare them with `occ oidc:list`")

// StaticClient is a client that somebody made at the provider. Nothing is
// registered and nothing stored.
type StaticClient struct {
	client Client
	ready  chan struct{}
}

// Static is the client with the given id and secret.
func Static(id string, secret auth.Secret) *StaticClient {
	s := &StaticClient{client: Client{ID: id, Secret: secret}, ready: make(chan struct{})}
	close(s.ready)
	return s
}

// Credentials are the given ones.
func (s *StaticClient) Credentials(context.Context) (Client, error) { return s.client, nil }

// Lookup are the given credentials if the id is theirs, else ErrUnknownClient.
func (s *StaticClient) Lookup(_ context.Context, clientID string) (Client, error) {
	if clientID != s.client.ID {
		return Client{}, ErrUnknownClient
	}
	return s.client, nil
}

// InvalidClient can do nothing: the error says what the administrator has to.
func (s *StaticClient) InvalidClient(context.Context, string) error { return ErrRefusedClient }

// Ready is closed: there is nothing to wait for.
func (s *StaticClient) Ready() <-chan struct{} { return s.ready }

// Run waits for the end of ctx.
func (s *StaticClient) Run(ctx context.Context) { <-ctx.Done() }
