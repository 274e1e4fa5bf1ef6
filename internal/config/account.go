package config

import (
	"strings"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
)

// Account is one person's account at one Nextcloud that is kept outside of the
// settings, by the login command.
type Account struct {
	Host     string // base URL
	Username nextcloud.LoginName
	Password auth.Secret // an app password
}

// accountSource is where problems say a value of the account stands.
const accountSource = "of nextcloud-mcp-server login"

// WithAccount is the file with an account under it, as the weakest source of
// NEXTCLOUD_HOST, NEXTCLOUD_USERNAME and NEXTCLOUD_PASSWORD. They belong
// together, so it is meant for a Config that WantsAccount.
func (f EnvFile) WithAccount(a Account) EnvFile {
	f.account = map[string]string{
		"NEXTCLOUD_HOST": a.Host, "NEXTCLOUD_USERNAME": string(a.Username), "NEXTCLOUD_PASSWORD": a.Password.Reveal(),
	}
	return f
}

// WantsAccount reports whether nothing says which Nextcloud to work with and
// for whom, and the mode is not one for many people.
func (c *Config) WantsAccount() bool {
	many := c.Deployment == LoginFlow || c.Deployment == MultiUserBasic
	return !many && c.Nextcloud.Host == nil && c.Nextcloud.Username == "" && c.Nextcloud.Password == ""
}

// Variable is the value of a variable in an environment, empty when it is not
// set; the last one counts.
func Variable(environ []string, name string) string {
	value := ""
	for _, pair := range environ {
		if v, ok := strings.CutPrefix(pair, name+"="); ok {
			value = v
		}
	}
	return value
}
