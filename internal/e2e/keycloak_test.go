package e2e_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestKeycloak runs with a real Keycloak, in realms that it makes and deletes.
func TestKeycloak(t *testing.T) {
	t.Parallel()
	k := keycloak{
		url: strings.TrimSuffix(os.Getenv("KEYCLOAK_URL"), "/"), admin: cmp.Or(os.Getenv("KEYCLOAK_ADMIN"), "admin"), password: os.Getenv("KEYCLOAK_ADMIN_PASSWORD"),
	}
	if k.url == "" {
		t.Skip("needs a Keycloak: KEYCLOAK_URL and KEYCLOAK_ADMIN_PASSWORD")
	}
	externalProvider(t, func(t *testing.T, opts providerOptions) provider {
		t.Helper()
		return k.realm(t, opts)
	})
}

// keycloak is a server that tests may make realms on.
type keycloak struct{ url, admin, password string }

// object is a representation of Keycloak's admin API.
type object map[string]any

// keycloakRealm is one realm, as a provider.
type keycloakRealm struct {
	keycloak
	name   string
	scopes []string
}

func (k keycloak) realm(t *testing.T, opts providerOptions) keycloakRealm {
	t.Helper()
	r := keycloakRealm{k, "test-" + strings.ToLower(rand.Text()[:8]), opts.scopes}
	lifespan := int(cmp.Or(opts.tokens, 5*time.Minute) / time.Second)
	r.do(t, http.MethodPost, "/admin/realms", object{
		"realm": r.name, "enabled": true, "accessTokenLifespan": lifespan,
		"users": []object{{
			"username": "alice", "enabled": true, "firstName": "Alice", "lastName": "Example", "email": "alice@example.org", "emailVerified": true,
			"realmRoles":  []string{"offline_access"},
			"credentials": []object{{"type": "password", "value": "alice-password-1"}},
		}},
	}, nil)
	t.Cleanup(func() { r.do(t, http.MethodDelete, "/admin/realms/"+r.name, nil, nil) })
	for _, scope := range opts.scopes {
		r.do(t, http.MethodPost, "/admin/realms/"+r.name+"/client-scopes", object{
			"name": scope, "protocol": "openid-connect", "attributes": object{"include.in.token.scope": "true"},
		}, nil)
	}
	return r
}

func (r keycloakRealm) discovery() string { return r.url + "/realms/" + r.name + wellKnown }

func (r keycloakRealm) client(t *testing.T, id, redirect string, audience ...string) string {
	t.Helper()
	secret := rand.Text()
	mappers := []object{}
	for _, a := range audience {
		mappers = append(mappers, object{
			"name": "audience " + a, "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper",
			"config": object{"included.custom.audience": a, "access.token.claim": "true", "introspection.token.claim": "true"},
		})
	}
	r.do(t, http.MethodPost, "/admin/realms/"+r.name+"/clients", object{
		"clientId": id, "secret": secret, "publicClient": false, "redirectUris": []string{redirect}, "protocolMappers": mappers,
		"standardFlowEnabled": true, "directAccessGrantsEnabled": false,
		"attributes":           object{"pkce.code.challenge.method": "S256"},
		"defaultClientScopes":  []string{"basic", "acr", "profile", "email"},
		"optionalClientScopes": slices.Concat([]string{"offline_access"}, r.scopes),
	}, nil)
	return secret
}

func (r keycloakRealm) disable(t *testing.T) {
	t.Helper()
	var users []object
	r.do(t, http.MethodGet, "/admin/realms/"+r.name+"/users?exact=true&username=alice", nil, &users)
	if len(users) != 1 {
		t.Fatalf("%d users", len(users))
	}
	users[0]["enabled"] = false
	id, _ := users[0]["id"].(string)
	r.do(t, http.MethodPut, "/admin/realms/"+r.name+"/users/"+id, users[0], nil)
}

// do sends a request to the admin API. Its tokens live a minute, so each
// request has its own.
func (k keycloak) do(t *testing.T, method, path string, body, into any) {
	t.Helper()
	var token struct {
		Access string `json:"access_token"`
	}
	form := url.Values{"grant_type": {"password"}, "client_id": {"admin-cli"}, "username": {k.admin}, "password": {k.password}}
	k.send(t, http.MethodPost, "/realms/master/protocol/openid-connect/token", http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"},
	}, []byte(form.Encode()), &token)
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			t.Fatal(err)
		}
	}
	k.send(t, method, path, http.Header{"Authorization": {"Bearer " + token.Access}, "Content-Type": {"application/json"}}, text, into)
}

func (k keycloak) send(t *testing.T, method, path string, header http.Header, body []byte, into any) {
	t.Helper()
	// Not the test's own context, which has ended when a realm is deleted.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, k.url+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 {
		t.Fatalf("Keycloak: %s %s: %d %v %s", method, path, res.StatusCode, err, answer)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(answer, into); err != nil {
		t.Fatal(fmt.Errorf("keycloak: %s: %w", path, err))
	}
}
