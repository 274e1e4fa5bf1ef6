package connect_test

import (
	"testing"

	"nextcloud-mcp-server/internal/connect"
)

func TestReturnPath(t *testing.T) {
	for _, path := range []string{"/account", "/account/connections/AbC-_09", "/account/x"} {
		if got, ok := connect.ReturnPath(path, "/account"); !ok || got != path {
			t.Errorf("ReturnPath(%q) = %q, %t", path, got, ok)
		}
	}
	if _, ok := connect.ReturnPath("/nc/account/connections/a", "/nc/account"); !ok {
		t.Error("a path below a prefix is refused")
	}
	for _, path := range []string{
		"", "/", "//", "///", "/accounts", "/other", "account", "/Account",
		"//evil.example", "//evil.example/account", "///evil.example", "/\\evil.example", "\\\\evil.example", "/account\\evil.example",
		"https://evil.example", "https:/evil.example", "https:evil.example", "http://evil.example/account", "javascript:alert(1)", "data:text/html,x",
		"/account//evil.example", "/account/", "/account//", "/account/../..//evil.example", "/account/..", "/account/./x", "/account/.",
		"/account/%2f%2fevil.example", "/account%2f..", "/account/%5cevil.example", "/%2fevil.example", "/%09/evil.example", "/account/%00",
		"/account/\tevil", "/\t/evil.example", "\t//evil.example", " //evil.example", "/account\n", "/account\r\nSet-Cookie: a=b", "/account\x00",
		"/account?next=//evil.example", "/account#x", "/account/x?y", "/account/x;y", "/account@evil.example", "/account:80", "/account/x y",
		"/accoun\u0442", "/account/\u2044\u2044evil", "/account/\uff0fevil", "//account", "/account/x//y", ".evil.example", "/.evil.example",
	} {
		if got, ok := connect.ReturnPath(path, "/account"); ok || got != "" {
			t.Errorf("ReturnPath(%q) = %q, true", path, got)
		}
	}
}
