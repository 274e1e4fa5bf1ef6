package config

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/scope"
)

// kind is the form of a setting's value and the way into its field. Errors of
// set are shown to people: a sentence about the value that does not repeat it
// where it could hold a credential.
type kind struct {
	metavar string   // what --help calls the value
	allowed []string // a closed set of values
	boolean bool     // the flag needs no value
	list    bool     // the flag may be repeated
	set     func(c *Config, value string) error
}

func text[T ~string](field func(*Config) *T) kind {
	return kind{metavar: "text", set: func(c *Config, value string) error {
		*field(c) = T(value)
		return nil
	}}
}

func file(field func(*Config) *string) kind {
	k := text(field)
	k.metavar = "file"
	return k
}

func secret(field func(*Config) *auth.Secret) kind {
	k := text(field)
	k.metavar = "secret"
	return k
}

func boolean(field func(*Config) *bool) kind {
	return kind{metavar: "bool", boolean: true, allowed: []string{"true", "false"}, set: func(c *Config, value string) error {
		b, err := parseBool(value)
		if err != nil {
			return err
		}
		*field(c) = b
		return nil
	}}
}

// negated is a boolean whose field means the opposite.
func negated(field func(*Config) *bool) kind {
	k := boolean(field)
	set := k.set
	k.set = func(c *Config, value string) error {
		if err := set(c, value); err != nil {
			return err
		}
		*field(c) = !*field(c)
		return nil
	}
	return k
}

func parseBool(value string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "true", "1", "yes", "on", "t", "y":
		return true, nil
	case "false", "0", "no", "off", "f", "n":
		return false, nil
	}
	return false, fmt.Errorf("%s is neither true nor false", quote(value))
}

func port(field func(*Config) *int) kind {
	return kind{metavar: "port", set: func(c *Config, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > 65535 {
			return fmt.Errorf("%s is not a port number from 1 to 65535", quote(value))
		}
		*field(c) = n
		return nil
	}}
}

// number reads a whole number.
func number(field func(*Config) *int, least, most int) kind {
	return kind{metavar: "number", set: func(c *Config, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < least || n > most {
			return fmt.Errorf("%s is not a whole number from %d to %d", quote(value), least, most)
		}
		*field(c) = n
		return nil
	}}
}

// languages reads names of languages with a plus between them. They become an
// argument of a program, so nothing else is let through.
func languages(field func(*Config) *string) kind {
	return kind{metavar: "languages", set: func(c *Config, value string) error {
		if !languageNames.MatchString(value) {
			return fmt.Errorf("%s is not a list of languages such as eng+deu", quote(value))
		}
		*field(c) = value
		return nil
	}}
}

var languageNames = regexp.MustCompile(`^[a-zA-Z_]{2,20}(\+[a-zA-Z_]{2,20}){0,9}$`)

// seconds reads a number of seconds, with fractions.
func seconds(field func(*Config) *time.Duration, least, most time.Duration) kind {
	return kind{metavar: "seconds", set: func(c *Config, value string) error {
		n, err := strconv.ParseFloat(value, 64)
		if err != nil || math.IsNaN(n) || n < least.Seconds() || n > most.Seconds() {
			return fmt.Errorf("%s is not a number of seconds from %v to %v", quote(value), least.Seconds(), most.Seconds())
		}
		*field(c) = time.Duration(n * float64(time.Second))
		return nil
	}}
}

// bindHost reads an address to listen on: an IP address, with or without
// brackets, or a host name.
func bindHost(field func(*Config) *string) kind {
	return kind{metavar: "address", set: func(c *Config, value string) error {
		value = strings.TrimSuffix(strings.TrimPrefix(value, "["), "]")
		if _, err := netip.ParseAddr(value); err != nil && !hostName.MatchString(value) {
			return errors.New("it is neither an IP address nor a host name (the port goes into PORT)")
		}
		*field(c) = value
		return nil
	}}
}

// hostName is a DNS name or a container's name.
var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$`)

// base reads the address of a whole server: no query, no credentials, and no
// trailing slash kept.
func base(field func(*Config) **url.URL) kind {
	return kind{metavar: "url", set: func(c *Config, value string) error {
		u, err := ParseAddress(value)
		if err != nil {
			return err
		}
		*field(c) = u
		return nil
	}}
}

// ParseAddress reads the address of a whole server as the settings do. The
// error is a sentence for people, which never repeats a password.
func ParseAddress(value string) (*url.URL, error) {
	u, err := parseURL(value)
	if err != nil {
		return nil, err
	}
	if u.RawQuery != "" || u.ForceQuery {
		return nil, errors.New("it has a query (?...), which the address of a server has not")
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = ""
	// The form that browsers send in Host and Origin (RFC 6454, 6.1).
	u.Host = strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		u.Host = strings.TrimSuffix(u.Host, ":443")
	case "http":
		u.Host = strings.TrimSuffix(u.Host, ":80")
	}
	return u, nil
}

// endpoint reads the address of one page, kept as it is written: issuers are
// compared byte by byte.
func endpoint(field func(*Config) *string) kind {
	return kind{metavar: "url", set: func(c *Config, value string) error {
		if _, err := parseURL(value); err != nil {
			return err
		}
		*field(c) = value
		return nil
	}}
}

// parseURL reads an http or https URL. Its errors never repeat the value,
// which may hold a password, except for a host name without a scheme.
func parseURL(value string) (*url.URL, error) {
	scheme, rest, ok := strings.Cut(value, "://")
	switch {
	case !ok && schemeless.MatchString(value):
		return nil, fmt.Errorf("the scheme is missing; did you mean https://%s?", value)
	case !ok:
		return nil, errors.New("it is not a URL that begins with https:// or http://")
	case !strings.EqualFold(scheme, "https") && !strings.EqualFold(scheme, "http"):
		return nil, errors.New("the URL must begin with https:// or http://")
	case strings.Contains(rest, "#"):
		return nil, errors.New("the URL has a fragment (#...)")
	}
	u, err := url.Parse(value)
	switch {
	case err != nil:
		return nil, errors.New("it is not a valid URL")
	case u.User != nil:
		return nil, errors.New("the URL holds a user name or password; they have settings of their own")
	case u.Hostname() == "":
		return nil, errors.New("the URL has no host name")
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.Atoi(p); err != nil || n < 1 || n > 65535 {
			return nil, errors.New("the URL has a port that is not from 1 to 65535")
		}
	}
	return u, nil
}

// schemeless is a host name with a port and a path, and nothing that could be
// a credential.
var schemeless = regexp.MustCompile(`^[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9/._-]*)?$`)

func list(field func(*Config) *[]string) kind {
	return kind{metavar: "names", list: true, set: func(c *Config, value string) error {
		*field(c) = splitList(value)
		return nil
	}}
}

func splitList(value string) []string {
	var items []string
	for item := range strings.SplitSeq(value, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// hosts reads a list of Host headers: "name", "name:port" or "name:*".
func hosts(field func(*Config) *[]string) kind {
	return kind{metavar: "hosts", list: true, set: func(c *Config, value string) error {
		items := splitList(strings.ToLower(value))
		for _, item := range items {
			if !hostPattern(item) {
				return fmt.Errorf("%s is not of the form name, name:port or name:*", quote(item))
			}
		}
		*field(c) = items
		return nil
	}}
}

// origins reads a list of Origin headers (RFC 6454, 6.2).
func origins(field func(*Config) *[]string) kind {
	return kind{metavar: "origins", list: true, set: func(c *Config, value string) error {
		items := splitList(strings.ToLower(value))
		for i, item := range items {
			items[i] = strings.TrimSuffix(item, "/")
			scheme, host, ok := strings.Cut(items[i], "://")
			if !ok || !schemeName.MatchString(scheme) || !hostPattern(host) || strings.HasSuffix(host, ":*") {
				return fmt.Errorf("%s is not of the form https://name or https://name:port", quote(item))
			}
		}
		*field(c) = items
		return nil
	}}
}

// schemeName is a URL scheme (RFC 3986, 3.1), in lower case: some desktop
// clients send origins such as vscode-webview://.
var schemeName = regexp.MustCompile(`^[a-z][a-z0-9+.-]*$`)

// hostPattern reports whether item is a name or an address, alone or with a
// port or with ":*".
func hostPattern(item string) bool {
	host, port := item, "*"
	if i := strings.LastIndexByte(item, ':'); i > strings.LastIndexByte(item, ']') {
		host, port = item[:i], item[i+1:]
	}
	if n, err := strconv.Atoi(port); port != "*" && (err != nil || n < 1 || n > 65535) {
		return false
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return err == nil && addr.Is6() && strings.HasSuffix(inner, "]")
	}
	return hostName.MatchString(host)
}

// prefixes reads a list of IP addresses and prefixes. "*" is any address.
func prefixes(field func(*Config) *[]netip.Prefix) kind {
	return kind{metavar: "networks", list: true, set: func(c *Config, value string) error {
		var out []netip.Prefix
		for _, item := range splitList(value) {
			if item == "*" {
				out = append(out, netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0"))
				continue
			}
			addr, err := netip.ParseAddr(item)
			if err == nil {
				out = append(out, netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()))
				continue
			}
			prefix, err := netip.ParsePrefix(item)
			if err != nil {
				return fmt.Errorf("%s is neither an IP address nor a prefix such as 10.0.0.0/8", quote(item))
			}
			out = append(out, prefix.Masked())
		}
		*field(c) = out
		return nil
	}}
}

// schemes reads a list of URL schemes of native programs. Those that a browser
// acts on itself are refused.
func schemes(field func(*Config) *[]string) kind {
	dangerous := []string{"http", "https", "javascript", "data", "file", "blob", "about", "vbscript", "ftp", "ws", "wss", "view-source", "filesystem"}
	return kind{metavar: "schemes", list: true, set: func(c *Config, value string) error {
		items := splitList(strings.ToLower(value))
		for _, item := range items {
			if !schemeName.MatchString(item) || slices.Contains(dangerous, item) {
				return fmt.Errorf("%s is not the URL scheme of a program", quote(item))
			}
		}
		*field(c) = items
		return nil
	}}
}

// clients reads a list of "id" or "id|redirect URI|...".
func clients(field func(*Config) *[]Client) kind {
	return kind{metavar: "clients", list: true, set: func(c *Config, value string) error {
		var out []Client
		for _, item := range splitList(value) {
			parts := strings.Split(item, "|")
			one := Client{ID: strings.TrimSpace(parts[0])}
			if !clientID.MatchString(one.ID) {
				return fmt.Errorf("%s is not the id of a client", quote(one.ID))
			}
			if slices.ContainsFunc(out, func(other Client) bool { return other.ID == one.ID }) {
				return fmt.Errorf("the client %s is there twice; write all its redirect URIs into one entry", quote(one.ID))
			}
			for _, uri := range parts[1:] {
				uri = strings.TrimSpace(uri)
				if u, err := url.Parse(uri); err != nil || u.Scheme == "" || u.Fragment != "" || u.User != nil {
					return fmt.Errorf("%s is not a redirect URI", quote(uri))
				}
				one.RedirectURIs = append(one.RedirectURIs, uri)
			}
			out = append(out, one)
		}
		*field(c) = out
		return nil
	}}
}

// clientID is printable ASCII without the characters that lists are made of.
// An address would be mistaken for that of a metadata document.
var clientID = regexp.MustCompile(`^[A-Za-z0-9._~-]{1,200}$`)

// database reads the URL of a PostgreSQL database, which may hold a password.
func database(field func(*Config) *auth.Secret) kind {
	return kind{metavar: "url", set: func(c *Config, value string) error {
		u, err := url.Parse(strings.TrimSpace(value))
		switch {
		case err != nil:
			return errors.New("it is not a valid URL")
		case u.Scheme == "sqlite" || strings.HasPrefix(u.Scheme, "sqlite+"):
			return errors.New("SQLite needs no URL; set TOKEN_STORAGE_DB to the path of the file")
		case u.Scheme != "postgres" && !strings.HasPrefix(u.Scheme, "postgresql"):
			return errors.New("it is not the URL of a PostgreSQL database (postgres://user@host/name)")
		}
		u.Scheme = "postgres" // older servers wrote postgresql+driver
		*field(c) = auth.Secret(u.String())
		return nil
	}}
}

// secrets reads a list of secrets.
func secrets(field func(*Config) *[]auth.Secret) kind {
	return kind{metavar: "secrets", list: true, set: func(c *Config, value string) error {
		var out []auth.Secret
		for _, item := range splitList(value) {
			out = append(out, auth.Secret(item))
		}
		*field(c) = out
		return nil
	}}
}

func scopes(field func(*Config) *scope.Set) kind {
	return kind{metavar: "scopes", list: true, set: func(c *Config, value string) error {
		*field(c) = scope.Parse(strings.ReplaceAll(value, ",", " "))
		return nil
	}}
}

// option is one value of a closed set. An option without a name in the
// documentation (hidden) is an accepted spelling; one with a refusal is known
// and refused with that sentence.
type option[T any] struct {
	name    string
	value   T
	hidden  bool
	refusal string
}

func choice[T any](field func(*Config) *T, options ...option[T]) kind {
	var allowed []string
	for _, o := range options {
		if !o.hidden && o.refusal == "" {
			allowed = append(allowed, o.name)
		}
	}
	return kind{metavar: strings.Join(allowed, "|"), allowed: allowed, set: func(c *Config, value string) error {
		for _, o := range options {
			if !strings.EqualFold(o.name, value) {
				continue
			}
			if o.refusal != "" {
				return errors.New(o.refusal)
			}
			*field(c) = o.value
			return nil
		}
		if len(allowed) == 1 {
			return fmt.Errorf("%s is not known; the only value is %s", quote(value), allowed[0])
		}
		return fmt.Errorf("%s is not one of %s", quote(value), strings.Join(allowed, ", "))
	}}
}

var logLevels = []option[slog.Level]{
	{name: "error", value: slog.LevelError},
	{name: "warning", value: slog.LevelWarn},
	{name: "info", value: slog.LevelInfo},
	{name: "debug", value: slog.LevelDebug},
	{name: "warn", value: slog.LevelWarn, hidden: true},
	{name: "critical", value: slog.LevelError, hidden: true},
	{name: "trace", value: slog.LevelDebug, hidden: true},
}

// quote is value for a message, shortened.
func quote(value string) string {
	const most = 40
	if runes := []rune(value); len(runes) > most {
		value = string(runes[:most]) + "..."
	}
	return strconv.Quote(value)
}

// loopback reports whether host names this machine only.
func loopback(host string) bool {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
