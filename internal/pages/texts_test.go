package pages

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/clientguide"
	"nextcloud-mcp-server/internal/store"
	"nextcloud-mcp-server/internal/tools"
)

// sentences are all strings of a language by their place.
func sentences(at string, v reflect.Value, into map[string]string) {
	switch v.Kind() {
	case reflect.String:
		into[at] = v.String()
	case reflect.Struct:
		for i := range v.NumField() {
			sentences(at+"."+v.Type().Field(i).Name, v.Field(i), into)
		}
	case reflect.Array:
		for i := range v.Len() {
			sentences(at+"."+strconv.Itoa(i), v.Index(i), into)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			sentences(at+"."+key.String(), v.MapIndex(key), into)
		}
	default:
		panic("a kind of text that this test does not know: " + v.Kind().String())
	}
}

var braces = regexp.MustCompile(`\{[^}]*\}`)

// TestLanguages checks that every language says everything, with the same parts
// put in.
func TestLanguages(t *testing.T) {
	want := map[string]string{}
	sentences("", reflect.ValueOf(*english), want)
	for _, language := range languages {
		got := map[string]string{}
		sentences("", reflect.ValueOf(*language), got)
		for at, sentence := range want {
			translated, ok := got[at]
			// Mail alone has the right to send, and a search changes nothing.
			mayBeEmpty := strings.HasPrefix(at, ".areas.") && strings.HasSuffix(at, ".send") && at != ".areas.mail.send" || at == ".areas.search.write"
			if !ok || translated == "" && !mayBeEmpty {
				t.Errorf("%s: %s is missing", language.tag, at)
			}
			if diff := cmp.Diff(parts(sentence), parts(translated)); diff != "" {
				t.Errorf("%s: %s (-%s +%s)\n%s", language.tag, at, english.tag, language.tag, diff)
			}
			if strings.TrimSpace(translated) != translated {
				t.Errorf("%s: %s begins or ends with a space", language.tag, at)
			}
		}
		for at := range got {
			if _, ok := want[at]; !ok {
				t.Errorf("%s: %s is not in English", language.tag, at)
			}
		}
		if !slices.Contains(clientguide.Languages(), language.tag) {
			t.Errorf("%s: the steps of clients are not told in it", language.tag)
		}
	}
}

// parts are the names in braces, each once: a language may repeat one.
func parts(sentence string) []string {
	found := braces.FindAllString(sentence, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

// TestVocabulary checks that there are words for everything that other packages
// can say.
func TestVocabulary(t *testing.T) {
	constants := func(file, kind string) []string {
		t.Helper()
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			name, _ := spec.Type.(*ast.Ident)
			if kind == "" && spec.Type == nil || name != nil && name.Name == kind {
				for _, value := range spec.Values {
					if literal, ok := value.(*ast.BasicLit); ok && literal.Kind == token.STRING {
						s, _ := strconv.Unquote(literal.Value)
						out = append(out, s)
					}
				}
			}
			return true
		})
		if len(out) == 0 {
			t.Fatalf("%s declares no %s", file, kind)
		}
		return out
	}
	for _, code := range slices.Concat(constants("../signin/signin.go", "ProblemCode"), constants("view.go", "")) {
		if _, ok := english.problems[code]; !ok {
			t.Errorf("no words for the problem %q", code)
		}
	}
	for _, reason := range constants("../signin/signin.go", "Reason") {
		if english.reasons[reason] == "" {
			t.Errorf("no words for the reason %q", reason)
		}
	}
	for _, set := range tools.All() {
		for _, tool := range set.Tools {
			for _, s := range tool.Needs().Scopes() {
				if _, ok := english.areas[s.Area()]; !ok {
					t.Errorf("no words for the area of %s", s)
				}
			}
		}
	}
	if kindDocument != string(store.ClientDocument) || kindRegistered != string(store.ClientRegistered) || kindConfigured != string(store.ClientConfigured) {
		t.Error("the kinds of clients are spelled otherwise")
	}
}

func TestChoose(t *testing.T) {
	for _, test := range []struct {
		accept []string
		want   string
	}{
		{nil, "en"},
		{[]string{""}, "en"},
		{[]string{"de"}, "de"},
		{[]string{"de-AT,de;q=0.9,en;q=0.8"}, "de"},
		{[]string{"DE-de"}, "de"},
		{[]string{"en-US,en;q=0.9,de;q=0.8"}, "en"},
		{[]string{"fr, de;q=0.5, en;q=0.4"}, "de"},
		{[]string{"fr"}, "en"},
		{[]string{"fr, *;q=0.5"}, "en"},
		{[]string{"en;q=0, *"}, "de"},
		{[]string{"en;q=0.2, de;q=0.2"}, "en"},
		{[]string{"de;q=0.2, en;q=0.2"}, "de"},
		{[]string{"de;q=0"}, "en"},
		{[]string{"de;q=0, *"}, "en"},
		{[]string{"de ; Q = 0.7 , en ; q=0.6"}, "de"},
		{[]string{"de;q=2, en;q=0.1"}, "en"},
		{[]string{"de;q=NaN, en;q=0.1"}, "en"},
		{[]string{"den, deu"}, "en"},
		{[]string{"fr", "de"}, "de"},
		{[]string{strings.Repeat("fr,", 100) + "de"}, "en"},
	} {
		if got := choose(test.accept).tag; got != test.want {
			t.Errorf("%q: %s, want %s", test.accept, got, test.want)
		}
	}
}

func FuzzChoose(f *testing.F) {
	f.Add("de-AT,de;q=0.9,en;q=0.8,*;q=0.1")
	f.Add(";q=,;;q=1e309,*;q=-0")
	f.Fuzz(func(t *testing.T, accept string) {
		got := choose([]string{accept})
		if got == german && !strings.Contains(strings.ToLower(accept), "de") && !strings.Contains(accept, "*") {
			t.Errorf("%q is answered in German", accept)
		}
	})
}
