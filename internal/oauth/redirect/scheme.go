package redirect

import (
	"fmt"
	"slices"
	"strings"
)

// Schemes are the private-use URI schemes (RFC 8252, 7.1) that redirect URIs
// may have beside https and http on loopback, in lower case. Those that browsers
// give a meaning of their own are refused also when they are listed.
type Schemes []string

// DefaultSchemes are those of well-known MCP clients.
func DefaultSchemes() Schemes { return Schemes{"cursor", "vscode", "vscode-insiders"} }

// SchemesSetting is the setting that lists the schemes.
const SchemesSetting = "MCP_REDIRECT_SCHEMES"

// maxScheme is the length of the longest scheme in use several times over.
const maxScheme = 64

// never are the schemes that run code, read files, open connections, stand for
// another URI or have rules of their own.
var never = []string{
	"about", "blob", "chrome", "chrome-extension", "cid", "content", "data", "dns", "edge", "feed", "file", "filesystem",
	"ftp", "ftps", "geo", "gopher", "http", "https", "intent", "jar", "javascript", "ldap", "ldaps", "livescript", "mailto",
	"mhtml", "mid", "mk", "mocha", "moz-extension", "ms-appx", "ms-appx-web", "ms-browser-extension", "ms-its",
	"ms-msdt", "res", "resource", "safari-extension", "search-ms", "sftp", "shell", "sip", "sips", "sms", "smb", "ssh",
	"tel", "telnet", "urn", "vbs", "vbscript", "view-source", "wais", "ws", "wss", "wyciwyg", "x-javascript",
}

// ParseSchemes checks names for a Schemes. A trailing ":" or "://" is taken
// off. The error names the one that cannot be used.
func ParseSchemes(names []string) (Schemes, error) {
	out := Schemes{}
	for _, name := range names {
		name = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSpace(name), "//"), ":")
		switch lower := strings.ToLower(name); {
		case !isScheme(lower):
			return nil, fmt.Errorf("%q is not a URI scheme", name)
		case slices.Contains(never, lower):
			return nil, fmt.Errorf("the scheme %q cannot be used: it means something else to browsers", lower)
		case !slices.Contains(out, lower):
			out = append(out, lower)
		}
	}
	return out, nil
}

func (s Schemes) has(scheme string) bool {
	return slices.Contains(s, scheme) && !slices.Contains(never, scheme)
}

// isScheme reports whether s is a scheme (RFC 3986, 3.1) in lower case.
func isScheme(s string) bool {
	if s == "" || len(s) > maxScheme || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && !isDigit(c) && c != '+' && c != '-' && c != '.' {
			return false
		}
	}
	return true
}
