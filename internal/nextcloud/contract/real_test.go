package contract_test

import (
	"net/url"
	"os"
	"testing"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/contract"
)

// TestRealServer runs the suite as the person of NEXTCLOUD_TEST_USER, best
// with an app password: an account password is slow to check. The person of
// NEXTCLOUD_TEST_USER2, when there is one, takes part in what needs two.
func TestRealServer(t *testing.T) {
	base, user, password := os.Getenv("NEXTCLOUD_TEST_URL"), os.Getenv("NEXTCLOUD_TEST_USER"), os.Getenv("NEXTCLOUD_TEST_PASSWORD")
	if base == "" || user == "" || password == "" {
		t.Skip("NEXTCLOUD_TEST_URL, NEXTCLOUD_TEST_USER and NEXTCLOUD_TEST_PASSWORD are not set")
	}
	user2, password2 := os.Getenv("NEXTCLOUD_TEST_USER2"), os.Getenv("NEXTCLOUD_TEST_PASSWORD2")
	contract.Run(t, func(tb testing.TB) *contract.Env {
		e := env(tb, base, user, password)
		if user2 != "" && password2 != "" {
			e.Other = env(tb, base, user2, password2).Client
		}
		return e
	})
}

func env(tb testing.TB, base, user, password string) *contract.Env {
	tb.Helper()
	u, err := url.Parse(base)
	if err != nil {
		tb.Fatal(err)
	}
	credentials := nextcloud.Basic{LoginName: nextcloud.LoginName(user), Password: auth.Secret(password)}
	return &contract.Env{Client: func(testing.TB) *nextcloud.Client {
		return nextcloud.New(nextcloud.NewHost(u, nil), credentials, nil)
	}}
}
