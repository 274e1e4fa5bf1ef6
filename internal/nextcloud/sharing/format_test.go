package sharing

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
)

func TestPermissionsRoundTrip(t *testing.T) {
	for p := Permissions(1); p <= All; p++ {
		back, err := ParsePermissions(p.String())
		want := p
		if p != UploadOnly {
			want |= Read // whoever may do anything may read
		}
		if err != nil || back != want {
			t.Errorf("%d is %q and back %d, %v", p, p, back, err)
		}
	}
	for text, want := range map[string]Permissions{
		"READ": Read, "view only": Read, "edit": Read | Edit, "read+edit": Read | Edit, "read and write": Read | Edit,
		"can read, can edit": Read | Edit, "read edit share": Read | Edit | Reshare, "Upload only": UploadOnly, "file-drop": UploadOnly,
		"all": All, "31": All, " 4 ": UploadOnly, "upload": Read | Create, "create_only": UploadOnly,
	} {
		if got, err := ParsePermissions(text); err != nil || got != want {
			t.Errorf("%q = %d, %v; want %d", text, got, err, want)
		}
	}
	for _, bad := range []string{"", " ", ",", "0", "32", "-1", "rwx", "read, fly", "upload only, read"} {
		if got, err := ParsePermissions(bad); err == nil {
			t.Errorf("%q = %d", bad, got)
		}
	}
}

func FuzzParsePermissions(f *testing.F) {
	for _, seed := range []string{"read, edit", "upload only", "31", "and and", "\x00", "read&&share"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePermissions(text)
		if err == nil && (p < 1 || p > All) {
			t.Errorf("%q = %d", text, p)
		}
		if again, err2 := ParsePermissions(p.String()); err == nil && (err2 != nil || again&p != p) {
			t.Errorf("%q = %d, and back %d, %v", text, p, again, err2)
		}
	})
}

func TestParseEnd(t *testing.T) {
	for text, want := range map[string]End{
		"2027-01-31": {Date: "2027-01-31"}, " 2027-01-31 ": {Date: "2027-01-31"}, "none": {Never: true}, "": {Never: true}, "Never": {Never: true},
		"2027-01-31T23:30:00+02:00": {Date: "2027-01-31", Rounded: true}, "2027-01-31 08:00": {Date: "2027-01-31", Rounded: true},
	} {
		if got, err := ParseEnd("x", text); err != nil || got != want {
			t.Errorf("%q = %+v, %v", text, got, err)
		}
	}
	for _, bad := range []string{"tomorrow", "2027-02-30", "31.01.2027", "2027-1-1", "2027"} {
		if got, err := ParseEnd("x", bad); err == nil {
			t.Errorf("%q = %+v", bad, got)
		}
	}
	now := time.Date(2027, 1, 31, 11, 0, 0, 0, time.UTC)
	for date, past := range map[string]bool{"2027-01-31": false, "2027-01-30": false, "2027-01-29": true, "": false} {
		if got := (End{Date: date}).past(now); got != past {
			t.Errorf("%s is past: %v", date, got)
		}
	}
}

// TestAttributes: one attribute is set, and all that is beside it stays as it
// came, known or not.
func TestAttributes(t *testing.T) {
	const told = `[{"scope":"permissions","key":"download","value":true},{"scope":"fileRequest","key":"enabled","value":true,"extra":{"a":[1,null]}},{"scope":"x","key":"y","enabled":false}]`
	list := readAttributes(told)
	if len(list) != 3 || !attributeAllows(list, downloadAttribute) {
		t.Fatalf("%s", list)
	}
	text := withAttribute(list, downloadAttribute, false)
	back := readAttributes(text)
	if attributeAllows(back, downloadAttribute) || len(back) != 3 {
		t.Errorf("%s", text)
	}
	for _, kept := range []string{`{"scope":"fileRequest","key":"enabled","value":true,"extra":{"a":[1,null]}}`, `{"scope":"x","key":"y","enabled":false}`} {
		if !strings.Contains(text, kept) {
			t.Errorf("no %s in %s", kept, text)
		}
	}
	old := readAttributes(`[{"scope":"permissions","key":"download","enabled":false}]`)
	if attributeAllows(old, downloadAttribute) {
		t.Error("before version 30 it is called enabled")
	}
	for _, odd := range []string{"", "null", "{}", "x", `[1,"a",null]`} {
		if !attributeAllows(readAttributes(odd), downloadAttribute) {
			t.Errorf("%s forbids", odd)
		}
		if !json.Valid([]byte(withAttribute(readAttributes(odd), downloadAttribute, true))) {
			t.Errorf("%s spoils the rest", odd)
		}
	}
}

func TestLinkURL(t *testing.T) {
	parse := func(text string) *url.URL {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	host := nextcloud.NewHost(parse("http://nextcloud:80/sub"), &nextcloud.HostOptions{Public: parse("https://cloud.example/sub")})
	for told, want := range map[string]string{
		"http://nextcloud/sub/s/abc":           "https://cloud.example/sub/s/abc",
		"http://nextcloud/sub/index.php/s/abc": "https://cloud.example/sub/index.php/s/abc",
		"http://evil.example/other/s/abc":      "https://cloud.example/sub/index.php/s/abc",
		"":                                     "https://cloud.example/sub/index.php/s/abc",
		"javascript:alert(1)":                  "https://cloud.example/sub/index.php/s/abc",
	} {
		if got := linkURL(host, told, "abc"); got != want {
			t.Errorf("%q = %s, want %s", told, got, want)
		}
	}
}

func TestGeneratePassword(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		p := GeneratePassword(30)
		if len(p) < 30 || seen[p] || !strings.Contains(p, "-") {
			t.Errorf("%q", p)
		}
		seen[p] = true
	}
	if p := GeneratePassword(0); len(p) != 23 {
		t.Errorf("%q", p)
	}
}
