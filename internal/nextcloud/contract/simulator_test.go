package contract_test

import (
	"net/http/httptest"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud/contract"
	"nextcloud-mcp-server/internal/nextcloudtest"
)

func TestSimulator(t *testing.T) {
	contract.Run(t, func(tb testing.TB) *contract.Env {
		alice := nextcloudtest.DefaultUsers()[0]
		server := httptest.NewServer(nextcloudtest.New(nil))
		tb.Cleanup(server.Close)
		return env(tb, server.URL, alice.ID, alice.Password)
	})
}
