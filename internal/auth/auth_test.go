package auth_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/telemetry"
)

const canary = "canary-7f3a"

// traces are the forms in which the canary could come out.
var traces = []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), strings.Trim(fmt.Sprint([]byte(canary)), "[]"), "Y2FuYXJ5"} //nolint:staticcheck // as numbers

func clean(t *testing.T, where, text string) {
	t.Helper()
	for _, trace := range traces {
		if strings.Contains(text, trace) {
			t.Errorf("%s shows the secret: %s", where, text)
		}
	}
	if !strings.Contains(text, "[redacted]") {
		t.Errorf("%s: nothing says that something was left out: %s", where, text)
	}
}

func TestSecretIsNeverFormatted(t *testing.T) {
	secret := auth.Secret(canary)
	type holder struct{ Secret auth.Secret }
	values := map[string]any{
		"value": secret, "pointer": &secret, "struct": holder{secret}, "struct pointer": &holder{secret},
		"slice": []auth.Secret{secret}, "map value": map[string]auth.Secret{"k": secret}, "map key": map[auth.Secret]int{secret: 1},
		"principal": &auth.Principal{Token: secret}, "any": []any{secret},
		"error": fmt.Errorf("wrapped: %v", secret),
	}
	// Every verb but %T, which shows the type, and %p and %w, which vet
	// refuses and nothing can catch.
	for verb := range strings.SplitSeq("v +v #v s q +q #q x X #x d b o O c U e E f F g G t 10s .3s z", " ") {
		for name, v := range values {
			if name == "error" && verb != "v" && verb != "s" {
				continue // a text by now, which other verbs cut or encode
			}
			if name == "pointer" && verb != "v" && verb != "s" {
				continue // an address
			}
			clean(t, name+" with %"+verb, fmt.Sprintf("%"+verb, v))
		}
	}
	clean(t, "Println", fmt.Sprintln(secret))
	clean(t, "string concatenation through String", secret.String())
	if secret.Reveal() != canary {
		t.Error("Reveal does not reveal")
	}
}

func TestSecretIsNeverLogged(t *testing.T) {
	p := &auth.Principal{Subject: "alice", Token: canary}
	for name, logger := range map[string]func(io.Writer) *slog.Logger{
		"text":      func(w io.Writer) *slog.Logger { return telemetry.NewLogger(w, slog.LevelDebug, false) },
		"JSON":      func(w io.Writer) *slog.Logger { return telemetry.NewLogger(w, slog.LevelDebug, true) },
		"slog text": func(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) },
	} {
		for what, attr := range map[string]slog.Attr{
			"secret": slog.Any("k", p.Token), "principal": slog.Any("k", p), "value": slog.Any("k", *p),
			"group": slog.Group("g", slog.Any("k", p.Token)), "slice": slog.Any("k", []auth.Secret{p.Token}),
		} {
			var b bytes.Buffer
			log := logger(&b)
			log.Info("direct", attr)
			clean(t, name+" "+what, b.String())
			b.Reset()
			log.With(attr).WithGroup("g").Info("with")
			clean(t, name+" with "+what, b.String())
		}
	}
}

func TestSecretIsNeverEncoded(t *testing.T) {
	secret := auth.Secret(canary)
	for _, v := range []any{secret, &secret, map[string]any{"k": secret}, auth.Principal{Token: secret}} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		clean(t, "JSON", string(b))
	}
	type holder struct{ Secret auth.Secret }
	b, err := xml.Marshal(holder{secret})
	if err != nil {
		t.Fatal(err)
	}
	clean(t, "XML", string(b))
}

func TestAllows(t *testing.T) {
	needed := scope.NewSet(scope.NotesWrite)
	for name, test := range map[string]struct {
		p    *auth.Principal
		want bool
	}{
		"nobody":    {nil, false},
		"no scopes": {&auth.Principal{}, false},
		"less":      {&auth.Principal{Scopes: scope.NewSet(scope.NotesRead)}, false},
		"enough":    {&auth.Principal{Scopes: scope.NewSet(scope.NotesWrite)}, true},
		"trusted":   {&auth.Principal{Trusted: true}, true},
	} {
		if got := test.p.Allows(needed); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	var nobody *auth.Principal
	if nobody.Allows(scope.Set{}) {
		t.Error("nobody may do what needs no scope")
	}
}

// TestGrant checks that different grants never share a name, whatever an
// issuer puts into a subject.
func TestGrant(t *testing.T) {
	seen := map[string]auth.Principal{}
	for _, p := range []auth.Principal{
		{Issuer: "i", Subject: "s", ClientID: "c"},
		{Issuer: "i s", Subject: "c"},
		{Issuer: "i", Subject: "s c"},
		{Issuer: "i", Subject: `s" "c`},
		{Issuer: `i" "s`, ClientID: "c"},
		{Issuer: "i", Subject: "s"},
		{Issuer: "i", ClientID: "s"},
		{},
	} {
		if other, ok := seen[p.Grant()]; ok {
			t.Errorf("%+v and %+v are one grant", p, other)
		}
		seen[p.Grant()] = p
	}
	a := auth.Principal{Issuer: "i", Subject: "s", ClientID: "c", Token: "one", Scopes: scope.NewSet(scope.NotesRead)}
	b := auth.Principal{Issuer: "i", Subject: "s", ClientID: "c", Token: "two", Name: "x"}
	if a.Grant() != b.Grant() {
		t.Error("a grant changes when its token is renewed")
	}
}

func TestPerson(t *testing.T) {
	a := auth.Principal{Issuer: "i", Subject: "s", ClientID: "one"}
	b := auth.Principal{Issuer: "i", Subject: "s", ClientID: "two"}
	if a.Person() != b.Person() || a.Grant() == b.Grant() {
		t.Error("a client that registers anew becomes another person, or keeps the grant")
	}
	if (&auth.Principal{Issuer: "i s"}).Person() == (&auth.Principal{Issuer: "i", Subject: "s"}).Person() {
		t.Error("two people are one")
	}
}

func TestError(t *testing.T) {
	cause := errors.New("dial")
	err := fmt.Errorf("check: %w", &auth.Error{Status: 503, Code: auth.CodeTemporarilyUnavailable, Description: "Later.", Err: cause})
	if !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
	if got, want := err.Error(), "check: temporarily_unavailable: Later.: dial"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
