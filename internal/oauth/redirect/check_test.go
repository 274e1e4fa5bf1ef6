package redirect_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/oauth/redirect"
)

// good are redirect URIs that clients may have with the default schemes; the
// first ones are those of real clients.
var good = []string{
	"https://claude.ai/api/mcp/auth_callback",
	"https://claude.com/api/mcp/auth_callback",
	"https://chatgpt.com/connector_platform_oauth_redirect",
	"https://chatgpt.com/connector/oauth/kDmjx77UnKOM",
	"https://www.cursor.com/agents/mcp/oauth/callback",
	"cursor://anysphere.cursor-mcp/oauth/callback",
	"http://localhost:8787/callback",
	"https://vscode.dev/redirect",
	"https://insiders.vscode.dev/redirect",
	"http://127.0.0.1/",
	"http://127.0.0.1:33418/",
	"http://127.0.0.1:33418",
	"http://localhost/callback",
	"http://127.0.0.1/callback",
	"http://127.0.0.1:19876/mcp/oauth/callback",
	"http://127.0.0.1:37819/callback/abc",
	"http://localhost:6274/oauth/callback/debug",
	"vscode://vscode.github-authentication/did-authenticate?windowId=1",
	"vscode-insiders://vscode.github-authentication/did-authenticate",

	"https://example.com",
	"https://example.com?a=b",
	"https://example.com/",
	"https://example.com:8443/cb",
	"https://example.com:443/cb",
	"https://EXAMPLE.com/cb",
	"https://xn--bcher-kva.example/cb",
	"https://a_b.example/cb",
	"https://localhost/cb",
	"https://nas/oauth",
	"https://192.168.1.5:8443/cb",
	"https://[2001:db8::1]/cb",
	"https://[2001:db8::1]:8443/cb",
	"https://[::ffff:192.0.2.1]/cb",
	"https://0x7f.example/cb",
	"https://127.0.0.1.example.com/cb",
	"https://1e100.net/cb",
	"https://example.com/a%20b?x=%2F&y=%C3%A9",
	"https://example.com/@me",
	"https://example.com/a:b//c",
	"https://example.com/?u=https://example.org/",
	"https://example.com/;a=1,2!$&'()+~-._",
	"http://[::1]:3000/callback",
	"http://[::1]/callback?x=1",
	"http://localhost?x=1",
	"http://127.0.0.1:1/",
	"http://127.0.0.1:65535/",
	"cursor:/callback",
	"cursor:///callback",
	"cursor://host:1/callback",
	"cursor://",
}

// bad are redirect URIs that nobody may have.
var bad = []string{
	// Not absolute.
	"", " ", "/callback", "//example.com/cb", "callback", "example.com/cb", "?a=b", ":", "://example.com", "https", "https:", "localhost:8080/cb",
	"127.0.0.1:8080/cb", "http:", "http:/", "https:example.com/cb", "https:/example.com/cb", "https:///example.com/cb", "https://", "https:///", "https://?x",
	"http:///cb", "http://", "cursor:callback", "cursor:", "cursor:?x=1", "1cursor:/x", "-cursor:/x", "cur_sor:/x",
	// Upper case in the scheme.
	"HTTPS://example.com/cb", "Https://example.com/cb", "HTTP://127.0.0.1/cb", "Cursor://x/cb", "JavaScript:/x",
	// http beyond loopback, and other spellings of loopback.
	"http://example.com/cb", "http://claude.ai/cb", "http://192.168.1.5/cb", "http://10.0.0.1/", "http://nas/cb", "http://localhost.example.com/cb",
	"http://127.0.0.1.example.com/cb", "http://localhost.:80/cb", "http://LOCALHOST/cb", "http://Localhost/cb", "http://127.0.0.2/cb", "http://127.1/cb",
	"http://127.0.1/cb", "http://0.0.0.0/cb", "http://0/cb", "http://0177.0.0.1/cb", "http://0x7f.0.0.1/cb", "http://0x7f000001/cb", "http://2130706433/cb",
	"http://127.0.0.1./cb", "http://[::]/cb", "http://[0:0:0:0:0:0:0:1]/cb", "http://[::0001]/cb", "http://[::ffff:127.0.0.1]/cb", "http://[::1%25lo]/cb",
	"http://[::1%lo]/cb", "http://::1/cb", "http://[::1/cb", "http://::1]/cb", "http://[::1]x/cb", "http://[[::1]]/cb", "http://[127.0.0.1]/cb", "http://[localhost]/cb",
	"http://ip6-localhost/cb", "http://localtest.me/cb", "http://foo.localhost/cb", "http://localhost\u3002/cb", "http://\uff4cocalhost/cb", "http://127\u30020.0.1/cb",
	// User information.
	"https://user@example.com/cb", "https://user:pw@example.com/cb", "https://@example.com/cb", "https://claude.ai@evil.example/cb", "https://claude.ai:443@evil.example/cb",
	"http://localhost@evil.example/cb", "http://127.0.0.1:80@evil.example/cb", "http://localhost:@evil.example/cb", "http://evil.example@localhost/cb",
	"https://a@b@example.com/", "https://claude.ai%40evil.example/", "cursor://user@host/cb", "https://@/", "https://user@", "http://[::1]@evil.example/",
	// Fragments.
	"https://example.com/cb#", "https://example.com/cb#x", "https://example.com#@evil.example/", "http://127.0.0.1/cb#x", "cursor://x/cb#x", "#", "https://example.com/?x#y",
	// Backslashes.
	`https://example.com\cb`, `https:\\example.com/cb`, `https://claude.ai\@evil.example/`, `https:/\example.com`, `\\example.com`, `http://127.0.0.1\.evil.example/`,
	`https://example.com/a\b`, `https://example.com/?a=\b`, `cursor:\\x`, `cursor://x\y`, `/\example.com`,
	// White space and control characters.
	" https://example.com/cb", "https://example.com/cb ", "https://example.com/c b", "https://exa mple.com/", "https://example.com/cb\n", "https://example.com/cb\r\nSet-Cookie: a=b",
	"https://example.com/\tcb", "ht\ntps://example.com/", "\thttps://example.com/", "https://exam\tple.com/", "https://example.com/\x00", "https://example.com\x00.evil.example/",
	"https://example.com/\x7f", "https://example.com/\x01", "java\nscript:/x", "https://example.com/\v", "https://example.com/\x1b[31m",
	// The same, encoded.
	"https://example.com/%00", "https://example.com/?a=%00", "https://example.com/%0a", "https://example.com/%0D%0ASet-Cookie:a", "https://example.com/%09", "https://example.com/%1f",
	"https://example.com/%7F", "https://example.com%00.evil.example/", "http://127.0.0.1%00/", "http://127.0.0.1/%00", "cursor://x/%00", "https://example.com%2f@evil.example/", "https://example.com%5c/",
	"https://ex%61mple.com/", "https://%65xample.com/", "http://%6cocalhost/", "http://localhos%74/", "https://example.com%3a443/", "https://example.com%23/", "https://example.com%20/",
	// Broken encoding.
	"https://example.com/%", "https://example.com/%4", "https://example.com/%zz", "https://example.com/%4g", "https://example.com/a%", "https://example.com/%%41", "https://example.com/%u0041",
	// Wildcards.
	"*", "https://*", "https://*.example.com/cb", "https://example.com/*", "https://example.com:*/cb", "http://localhost:*/cb", "http://127.0.0.1:*", "cursor://*", "https://example.com/?*", "http*://example.com/",
	// Not ASCII.
	"https://bücher.example/cb", "https://example.com/ü", "https://еxample.com/cb", "https://example。com/cb", "https://example.com\u2044evil/", "https://ex\u200bample.com/", "https://example.com/\u202e",
	"https://example\uff0ecom/", "https://example.com\ufe0f/", "https://\uff45xample.com/", "https://example.com/\xff", "\ufeffhttps://example.com/", "http://127.0.0.①/",
	// Characters that no URI has.
	`https://example.com/"`, "https://example.com/<script>", "https://example.com/>", "https://example.com/^", "https://example.com/`", "https://example.com/{a}", "https://example.com/|", `https://example.com/"onload="x`,
	"https://example.com/[a]", "https://example.com/?a[]=1", "https://example.com/]",
	// Hosts.
	"https://.example.com/", "https://example.com./", "https://example..com/", "https://./", "https://../", "https://exa!mple.com/", "https://exa$mple.com/", "https://example.com,evil.example/", "https://example.com;evil.example/",
	"https://(example).com/", "https://exam'ple.com/", "https://a=b/", "https://a&b/", "https://a+b/", "https://a~b/", "https://1/", "https://1.2.3/", "https://256.1.1.1/", "https://1.2.3.4.5/", "https://01.2.3.4/",
	"https://0x7f.1/", "https://2130706433/", "https://example.0x1/", "https://example.1/", "https://example.0x/", "https://[::1/", "https://[]/", "https://[::g]/", "https://[1.2.3.4]/", "https://[::1]]/", "https://[fe80::1%25eth0]/",
	"https://[v1.x]/", "https://" + strings.Repeat("a", 64) + ".example/", "https://" + strings.Repeat("a.", 127) + "example/",
	// Ports.
	"https://example.com:/cb", "https://example.com:0/cb", "https://example.com:00443/cb", "https://example.com:0443/", "https://example.com:65536/", "https://example.com:99999/", "https://example.com:100000/", "https://example.com:-1/",
	"https://example.com:+1/", "https://example.com:4 43/", "https://example.com:80:80/", "https://example.com:abc/", "https://example.com:1e3/", "http://127.0.0.1:0x50/", "http://localhost:/", "http://[::1]:/", "https://:443/",
	"http://127.0.0.1:80evil/", "http://127.0.0.1:80.evil.example/", "http://127.0.0.1:8080,evil/", "cursor://:1/x", "http://localhost:\u0661/",
	// Schemes that browsers act upon, also when they are listed.
	"javascript:alert(1)", "javascript:/alert(1)", "javascript://example.com/%0aalert(1)", "data:text/html,x", "data:/x", "file:///etc/passwd", "file://host/x", "blob:https://example.com/x", "blob:/x", "about:blank", "about:/x",
	"vbscript:/x", "ws://example.com/", "wss://example.com/", "ftp://example.com/", "mailto:/x", "view-source:/x", "filesystem:/x", "intent://x", "chrome://settings", "chrome-extension://x/y", "ssh://x/", "tel:/1", "urn:/x",
	"urn:ietf:wg:oauth:2.0:oob", "view-source:https://example.com/", "jar:/x", "sms:/1", "ms-msdt:/id", "search-ms:/x", "mhtml:/x", "res:/x", "ldap://x/", "about:srcdoc", "resource://x", "moz-extension://x/y", "shell:/x", "smb://x/y",
	// Schemes that are not listed.
	"com.example.app:/callback", "zed://x/cb", "cursor2://x/cb", "cursorx:/x", "vscode-://x/", "http+unix://x/", "httpss://example.com/", "x:/y", "vscode.insiders:/x",
	// Length.
	"https://example.com/" + strings.Repeat("a", redirect.MaxLength),
}

// unlisted are schemes of programs that nobody listed.
var unlisted = strings.Fields("com.example.app zed cursor2 cursorx vscode- http+unix httpss x vscode.insiders")

// everything lists all schemes of the tables.
func everything() redirect.Schemes {
	schemes := redirect.DefaultSchemes()
	for _, uri := range bad {
		if scheme, _, ok := strings.Cut(uri, ":"); ok && !slices.Contains(unlisted, scheme) {
			schemes = append(schemes, scheme, strings.ToLower(scheme))
		}
	}
	return schemes
}

func TestGoodRedirectURIs(t *testing.T) {
	for _, uri := range good {
		if err := redirect.Check(uri, redirect.DefaultSchemes()); err != nil {
			t.Errorf("Check(%q) = %v", uri, err)
		}
		if !redirect.Match(uri, uri) {
			t.Errorf("Match(%q) does not match itself", uri)
		}
	}
	longest := "https://example.com/" + strings.Repeat("a", redirect.MaxLength-len("https://example.com/"))
	if err := redirect.Check(longest, nil); err != nil {
		t.Errorf("Check of %d bytes: %v", len(longest), err)
	}
}

func TestBadRedirectURIs(t *testing.T) {
	for _, schemes := range []redirect.Schemes{redirect.DefaultSchemes(), everything()} {
		for _, uri := range bad {
			err := redirect.Check(uri, schemes)
			if err == nil {
				t.Errorf("Check(%q) allows it", uri)
				continue
			}
			checkSentence(t, uri, err)
		}
	}
}

// checkSentence pins what RFC 6749, 5.2 allows in an error_description, and
// that nothing of the URI gets there.
func checkSentence(t *testing.T, uri string, err error) {
	t.Helper()
	if _, ok := errors.AsType[redirect.Error](err); !ok {
		t.Errorf("Check(%q): a %T", uri, err)
	}
	for _, c := range []byte(err.Error()) {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			t.Errorf("Check(%q): the sentence %q has the byte %#x", uri, err, c)
		}
	}
	if len(err.Error()) > 300 || strings.Contains(err.Error(), "evil") {
		t.Errorf("Check(%q): the sentence repeats the URI: %q", uri, err)
	}
}

func TestUnlistedSchemeNamesTheSetting(t *testing.T) {
	err := redirect.Check("com.example.app:/callback", redirect.DefaultSchemes())
	if err == nil || !strings.Contains(err.Error(), "com.example.app") || !strings.Contains(err.Error(), redirect.SchemesSetting) {
		t.Errorf("error %v, want the scheme and the setting", err)
	}
	if err := redirect.Check("com.example.app:/callback", redirect.Schemes{"com.example.app"}); err != nil {
		t.Errorf("a listed scheme is refused: %v", err)
	}
	if err := redirect.Check("cursor://x/cb", nil); err == nil {
		t.Error("cursor is allowed without being listed")
	}
}

func TestParseSchemes(t *testing.T) {
	got, err := redirect.ParseSchemes([]string{"cursor", " Zed:// ", "com.example.app:", "cursor"})
	if err != nil || fmt.Sprint(got) != "[cursor zed com.example.app]" {
		t.Errorf("ParseSchemes = %v, %v", got, err)
	}
	for _, name := range []string{"", "http", "https", "JavaScript", "javascript:", "data://", "a b", "1a", "ä", "*", "file", "ws", "a/b", strings.Repeat("a", 65)} {
		if got, err := redirect.ParseSchemes([]string{"cursor", name}); err == nil {
			t.Errorf("ParseSchemes(%q) = %v, want an error", name, got)
		}
	}
	if _, err := redirect.ParseSchemes(redirect.DefaultSchemes()); err != nil {
		t.Errorf("the default is refused: %v", err)
	}
}

func FuzzCheck(f *testing.F) {
	for _, uri := range good {
		f.Add(uri)
	}
	for _, uri := range bad {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		err := redirect.Check(uri, redirect.DefaultSchemes())
		if err != nil {
			checkSentence(t, "", err)
			return
		}
		checkAgainstStandardLibrary(t, uri)
		if !redirect.Match(uri, uri) {
			t.Errorf("%q is allowed and does not match itself", uri)
		}
		if name, _ := redirect.Host(uri); name == "" {
			t.Errorf("%q is allowed and has no name", uri)
		}
	})
}
