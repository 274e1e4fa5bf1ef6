package contract_test

import (
	"net/http/httptest"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud/contract"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

func TestSimulator(t *testing.T) {
	contract.Run(t, func(tb testing.TB) *contract.Env {
		alice, bob := nextcloudtest.DefaultUsers()[0], nextcloudtest.DefaultUsers()[1]
		server := httptest.NewServer(nextcloudtest.New(nil))
		tb.Cleanup(server.Close)
		e := env(tb, server.URL, alice.ID, alice.Password)
		e.Other = env(tb, server.URL, bob.ID, bob.Password).Client
		return e
	})
}
