package config

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseLine(t *testing.T) {
	tests := []struct{ line, key, value, wrong string }{
		{line: ""},
		{line: "   # comment"},
		{line: "A=b", key: "A", value: "b"},
		{line: "  A = b c  ", key: "A", value: "b c"},
		{line: "export A=b", key: "A", value: "b"},
		{line: "export\tA=b", key: "A", value: "b"},
		{line: "exported=b", key: "exported", value: "b"},
		{line: "export=b", key: "export", value: "b"},
		{line: "A=", key: "A"},
		{line: "A= # nothing", key: "A"},
		{line: "A=b # comment", key: "A", value: "b"},
		{line: "A=b#c", key: "A", value: "b#c"},
		{line: "A=p$HOME$(id)${X}`id`", key: "A", value: "p$HOME$(id)${X}`id`"},
		{line: `A=a\nb`, key: "A", value: `a\nb`},
		{line: `A="a # b" # c`, key: "A", value: "a # b"},
		{line: `A="a\nb\"c\\n$d"`, key: "A", value: "a\nb\"c\\n$d"},
		{line: `A='a\nb"c$d'`, key: "A", value: `a\nb"c$d`},
		{line: `A=""`, key: "A"},
		{line: "A=b=c==", key: "A", value: "b=c=="},
		{line: "secret", wrong: "there is no = in the line"},
		{line: "my secret=x", wrong: "what stands before the = is not a variable name"},
		{line: "=x", wrong: "what stands before the = is not a variable name"},
		{line: `A="secret`, key: "A", wrong: "the closing quote is missing"},
		{line: `A="secret\"`, key: "A", wrong: "the closing quote is missing"},
		{line: `A='a'b`, key: "A", wrong: "something follows the closing quote"},
	}
	for _, tt := range tests {
		t.Run(tt.line, func(t *testing.T) {
			key, value, wrong := parseLine(tt.line)
			if key != tt.key || value != tt.value || wrong != tt.wrong {
				t.Errorf("got %q %q %q, want %q %q %q", key, value, wrong, tt.key, tt.value, tt.wrong)
			}
		})
	}
}

func TestEnvFileProblems(t *testing.T) {
	file := envFile(t, "\ufeffNEXTCLOUD_HOST=https://a\r\nsecret\n\nA='secret\n")
	_, _, err := Load(nil, []string{home}, file)
	want := []string{
		file.Name + " line 2: there is no = in the line",
		file.Name + " line 4: the closing quote is missing",
	}
	if diff := cmp.Diff(want, problemsOf(t, err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMissingEnvFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "none")
	if _, _, err := Load(nil, many, ReadEnvFile(name, true)); err != nil {
		t.Errorf("optional: %v", err)
	}
	_, _, err := Load(nil, many, ReadEnvFile(name, false))
	want := []string{"--env-file: " + name + " cannot be read: no such file or directory"}
	if diff := cmp.Diff(want, problemsOf(t, err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEnvFileTooLarge(t *testing.T) {
	file := envFile(t, strings.Repeat("#", maxFile+1))
	_, _, err := Load(nil, many, file)
	if got := problemsOf(t, err); len(got) != 1 || !strings.Contains(got[0], "larger than") {
		t.Errorf("problems %q", got)
	}
}

func TestEnvFileReadByOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no permission bits")
	}
	tests := []struct {
		name    string
		content string
		mode    os.FileMode
		warn    bool
	}{
		{"secret, world", "NEXTCLOUD_OIDC_CLIENT_SECRET=x", 0o604, true},
		{"secret, group", "TOKEN_ENCRYPTION_KEY=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd__8", 0o640, true},
		{"secret, owner", "NEXTCLOUD_OIDC_CLIENT_SECRET=x", 0o600, false},
		{"empty secret, world", "NEXTCLOUD_PASSWORD=", 0o644, false},
		{"no secret, world", "PORT=8000", 0o644, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), ".env")
			if err := os.WriteFile(name, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			// Apart from WriteFile, whose mode the umask cuts.
			if err := os.Chmod(name, tt.mode); err != nil {
				t.Fatal(err)
			}
			env := append([]string{"NEXTCLOUD_OIDC_CLIENT_ID=a", "NEXTCLOUD_OIDC_CLIENT_SECRET=b"}, many...)
			_, warnings, err := Load(nil, env, ReadEnvFile(name, true))
			if err != nil {
				t.Fatal(err)
			}
			if got := len(warnings) == 1 && warnings[0].Variable == name; got != tt.warn {
				t.Errorf("warnings %q, want one: %v", warnings, tt.warn)
			}
		})
	}
}

func FuzzParseLine(f *testing.F) {
	for _, seed := range []string{"A=b", `export A="b\n"`, "A='b' # c", `A="\`, "="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		key, value, wrong := parseLine(line)
		if wrong != "" && value != "" {
			t.Errorf("%q is wrong and has a value", line)
		}
		if key != "" && !envName.MatchString(key) {
			t.Errorf("%q is no name", key)
		}
	})
}
