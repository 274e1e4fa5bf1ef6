package config

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
)

// Validate reports everything that is wrong with c, as Problems; nil when
// nothing is.
func (c *Config) Validate() error {
	var p Problems
	c.validate(&p)
	return p.err()
}

func (c *Config) validate(p *Problems) {
	c.validateNextcloud(p)
	c.validateMode(p)
	c.validateSignIn(p)
	c.validateMetrics(p)
	c.validateUploads(p)
}

func (c *Config) validateUploads(p *Problems) {
	folder := c.Tools.UploadFolder
	if folder == "" || p.Has("MCP_UPLOAD_FOLDER") {
		return
	}
	info, err := os.Stat(folder)
	switch {
	case c.Server.Transport != Stdio:
		p.Add("MCP_UPLOAD_FOLDER", "it is for --transport stdio only: over HTTP the files of this machine are not those of the user")
	case !filepath.IsAbs(folder):
		p.Add("MCP_UPLOAD_FOLDER", quote(folder)+" is not an absolute path")
	case err != nil:
		p.Add("MCP_UPLOAD_FOLDER", reason(folder, err))
	case !info.IsDir():
		p.Add("MCP_UPLOAD_FOLDER", quote(folder)+" is not a folder")
	}
}

func (c *Config) validateNextcloud(p *Problems) {
	// validateMode says more of stdio without anybody to serve.
	nobody := c.Server.Transport == Stdio && c.WantsAccount() && c.Deployment == ""
	if c.Nextcloud.Host == nil && !nobody && !p.Has("NEXTCLOUD_HOST") {
		mode := map[Mode]string{OAuth: "OAuth mode", SingleUser: "Single-user mode", MultiUser: "Multi-user Basic mode"}[c.Mode()]
		p.Add("NEXTCLOUD_HOST", mode+" requires NEXTCLOUD_HOST to be set to the address of your Nextcloud")
	}
	if c.Nextcloud.CABundle != "" {
		if _, err := nextcloud.LoadCABundle(c.Nextcloud.CABundle); err != nil {
			p.Add("NEXTCLOUD_CA_BUNDLE", reason(c.Nextcloud.CABundle, err))
		}
	}
}

func (c *Config) validateMode(p *Problems) {
	if c.Mode() == OAuth {
		if c.Server.Transport == Stdio {
			c.validateStdio(p)
		}
		if c.Storage.URL == "" && c.Storage.Database == "" && !p.Has("TOKEN_STORAGE_DB") {
			p.Add("TOKEN_STORAGE_DB", "there is no place to keep client registrations, because neither HOME nor XDG_STATE_HOME is set")
		}
		if c.Storage.URL != "" && c.Storage.EncryptionKey == "" && !p.Has("TOKEN_ENCRYPTION_KEY") {
			p.Add("TOKEN_ENCRYPTION_KEY", "DATABASE_URL needs it, the same for every replica: there is no file beside the database to keep a key in")
		}
		return
	}
	if c.Mode() == MultiUser {
		if c.Server.Transport == Stdio {
			p.Add("MCP_TRANSPORT", "stdio serves one user; use streamable-http for multi_user_basic")
		}
		return
	}
	if c.Nextcloud.Username == "" && !p.Has("NEXTCLOUD_USERNAME") {
		p.Add("NEXTCLOUD_USERNAME", c.needed("NEXTCLOUD_PASSWORD"))
	}
	if c.Nextcloud.Password == "" && !p.Has("NEXTCLOUD_PASSWORD") {
		p.Add("NEXTCLOUD_PASSWORD", c.needed("NEXTCLOUD_USERNAME"))
	}
	if c.Server.Transport != Stdio && !loopback(c.Server.Host) && !c.Server.InsecureNoAuth && !p.Has("MCP_HOST") {
		p.Add("MCP_HOST", fmt.Sprintf("listening on %s would give everybody who reaches the port the data of %s; "+
			"listen on 127.0.0.1, use OAuth, or say --insecure-no-auth", c.Server.Host, orTheUser(c.Nextcloud.Username)))
	}
}

// validateStdio says who stdio can serve, in OAuth mode.
func (c *Config) validateStdio(p *Problems) {
	switch {
	case c.Deployment == LoginFlow:
		p.Add("MCP_TRANSPORT", "stdio serves one user; use streamable-http for OAuth")
	case c.Nextcloud.Host == nil:
		*p = append(*p, Problem{
			Variable: "MCP_TRANSPORT", Example: "nextcloud-mcp-server login https://cloud.example.org",
			Wrong: "stdio serves one user, and nobody is logged in: run nextcloud-mcp-server login, or set NEXTCLOUD_HOST, NEXTCLOUD_USERNAME and NEXTCLOUD_PASSWORD (an app password)",
		})
	default:
		p.Add("MCP_TRANSPORT", "stdio serves one user: set NEXTCLOUD_USERNAME and NEXTCLOUD_PASSWORD (an app password), or unset NEXTCLOUD_HOST and run nextcloud-mcp-server login; OAuth needs streamable-http")
	}
}

// needed is why a credential of single-user mode is, other being the second
// half of the pair.
func (c *Config) needed(other string) string {
	if c.Deployment == SingleUserBasic {
		return "single-user mode (--no-oauth) needs it"
	}
	return "it is needed, because " + other + " is set; for OAuth set neither"
}

func orTheUser(name nextcloud.LoginName) string {
	if name == "" {
		return "the user"
	}
	return string(name)
}

func (c *Config) validateSignIn(p *Problems) {
	id, secret := c.SignIn.ClientID != "", c.SignIn.ClientSecret != ""
	if id && !secret && !p.Has("NEXTCLOUD_OIDC_CLIENT_SECRET") {
		p.Add("NEXTCLOUD_OIDC_CLIENT_SECRET", "it is needed, because NEXTCLOUD_OIDC_CLIENT_ID is set; set neither to register a client by itself")
	}
	if secret && !id && !p.Has("NEXTCLOUD_OIDC_CLIENT_ID") {
		p.Add("NEXTCLOUD_OIDC_CLIENT_ID", "it is needed, because NEXTCLOUD_OIDC_CLIENT_SECRET is set; set neither to register a client by itself")
	}
	if c.SignIn.BackoffBase > c.SignIn.BackoffMax {
		p.Add("OIDC_DISCOVERY_BACKOFF_MAX", "it is less than OIDC_DISCOVERY_BACKOFF_BASE")
	}
	if c.Storage.EncryptionKey != "" && !validKey(c.Storage.EncryptionKey) {
		p.Add("TOKEN_ENCRYPTION_KEY", "it is not 32 bytes in base64")
	}
	for _, key := range c.Storage.PreviousKeys {
		if !validKey(key) {
			p.Add("TOKEN_ENCRYPTION_KEY_PREVIOUS", "one of them is not 32 bytes in base64")
			break
		}
	}
	if c.SignIn.AuthorizationServer == Issuer && c.SignIn.Method == LoginFlowMethod {
		p.Add("MCP_SIGN_IN", "with MCP_AUTHORIZATION_SERVER=issuer people sign in at the OpenID provider; loginflow needs self")
	}
}

// validKey reports whether key is 32 bytes in any form of base64.
func validKey(key auth.Secret) bool {
	text := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(strings.TrimSpace(key.Reveal()), "="))
	decoded, err := base64.RawStdEncoding.DecodeString(text)
	return err == nil && len(decoded) == 32
}

func (c *Config) validateMetrics(p *Problems) {
	if c.Metrics.Enabled && c.Server.Transport != Stdio && c.Metrics.Port == c.Server.Port {
		p.Add("METRICS_PORT", "it is the port of the server itself; metrics have a listener of their own")
	}
}

// warnings are what is legal and still worth a thought.
func (c *Config) warnings() []Warning {
	var w []Warning
	add := func(variable, text string) { w = append(w, Warning{variable, text}) }
	if c.Nextcloud.SkipVerify {
		add("NEXTCLOUD_VERIFY_SSL", "TLS certificates are not verified, so credentials can be stolen on the way; use NEXTCLOUD_CA_BUNDLE for a private authority")
	}
	// Container networks name their members with a single word, and traffic
	// there stays on one machine.
	if h := c.Nextcloud.Host; h != nil && h.Scheme == "http" && !loopback(h.Hostname()) && strings.ContainsAny(h.Hostname(), ".:") {
		add("NEXTCLOUD_HOST", "credentials travel unencrypted over http; use https")
	}
	if u := c.Server.PublicURL; c.Mode() != SingleUser && u != nil && u.Scheme != "https" && !loopback(u.Hostname()) {
		add("NEXTCLOUD_MCP_SERVER_URL", "signing in needs https except on localhost: credentials travel unencrypted, and clients may refuse")
	}
	if c.Mode() == SingleUser && c.Server.Transport != Stdio && c.Server.InsecureNoAuth && !loopback(c.Server.Host) {
		add("MCP_INSECURE_NO_AUTH", "everybody who reaches the port acts as "+orTheUser(c.Nextcloud.Username))
	}
	return w
}
