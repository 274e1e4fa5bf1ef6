package doctor

import (
	"encoding/base64"
	"net/url"
	"strings"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/config"
)

// secrets are what no result may hold. Results are made without them; this is
// the net below that, for answers that repeat what they were sent.
type secrets []string

// minSecret is the length from which on a secret is looked for: a shorter one
// would tear words apart.
const minSecret = 6

func secretsOf(cfg *config.Config, token auth.Secret) secrets {
	var s secrets
	add := func(secret auth.Secret) {
		text := secret.Reveal()
		if len(text) < minSecret {
			return
		}
		s = append(s, text)
		if escaped := url.QueryEscape(text); escaped != text {
			s = append(s, escaped)
		}
	}
	add(token)
	if cfg == nil {
		return s
	}
	add(cfg.Nextcloud.Password)
	add(cfg.SignIn.ClientSecret)
	add(cfg.Storage.URL)
	add(cfg.Storage.EncryptionKey)
	for _, key := range cfg.Storage.PreviousKeys {
		add(key)
	}
	if cfg.Nextcloud.Password != "" {
		pair := string(cfg.Nextcloud.Username) + ":" + cfg.Nextcloud.Password.Reveal()
		add(auth.Secret(base64.StdEncoding.EncodeToString([]byte(pair))))
	}
	if u, err := url.Parse(cfg.Storage.URL.Reveal()); err == nil && u.User != nil {
		password, _ := u.User.Password()
		add(auth.Secret(password))
	}
	return s
}

// clean is r without any of the secrets, in one line.
func (s secrets) clean(r Result) Result {
	for _, text := range []*string{&r.Detail, &r.Fix} {
		for _, secret := range s {
			*text = strings.ReplaceAll(*text, secret, "[redacted]")
		}
		*text = strings.Join(strings.Fields(*text), " ")
	}
	return r
}
