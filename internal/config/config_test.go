package config

import (
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/pflag"

	"nextcloud-mcp-server/internal/scope"
)

// home makes the default database independent of the machine.
const home = "HOME=/home/alice"

// many is the least environment of OAuth mode.
var many = []string{home, "NEXTCLOUD_HOST=https://cloud.example.org"}

func parse(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	RegisterFlags(fs)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return fs
}

func envFile(t *testing.T, content string) EnvFile {
	t.Helper()
	name := filepath.Join(t.TempDir(), ".env")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return ReadEnvFile(name, false)
}

// problemsOf are the problems of err as "VARIABLE: what is wrong".
func problemsOf(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	problems, ok := err.(Problems) //nolint:errorlint // Load promises the bare type
	if !ok {
		t.Fatalf("error is %T, want Problems: %v", err, err)
	}
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = p.Variable + ": " + p.Wrong
	}
	return lines
}

func TestDefaults(t *testing.T) {
	got, warnings, err := Load(nil, many, EnvFile{})
	if err != nil || len(warnings) > 0 {
		t.Fatalf("Load: %v, warnings %v", err, warnings)
	}
	host := &url.URL{Scheme: "https", Host: "cloud.example.org"}
	want := &Config{
		Nextcloud: Nextcloud{Host: host, Public: host, KeepAlive: true},
		Server: Server{
			Transport: StreamableHTTP, Host: "127.0.0.1", Port: 8000,
			PublicURL: &url.URL{Scheme: "http", Host: "localhost:8000"},
		},
		SignIn: SignIn{
			TokenType: Opaque, AuthorizationServer: Self, Method: AutoMethod,
			Clients:     Clients{Registration: true, Schemes: []string{"cursor", "vscode", "vscode-insiders"}},
			BackoffBase: time.Second, BackoffMax: 15 * time.Second, BearerPassthrough: true,
		},
		Storage:   Storage{Database: "/home/alice/.local/state/nextcloud-mcp-server/tokens.db"},
		Tools:     Tools{Tier: "auto"},
		Documents: Documents{MaxMiB: 50, Timeout: 45 * time.Second, OCRLanguages: "eng", Converters: true},
		Log:       Log{Level: slog.LevelInfo, Format: Text},
		Metrics:   Metrics{Host: "127.0.0.1", Port: 9090},
	}
	if isDirectory(containerData) {
		want.Storage.Database = "/app/data/tokens.db"
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(scope.Set{})); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
}

func TestPrecedence(t *testing.T) {
	file := envFile(t, "LOG_LEVEL=error\nPORT=1111\nMCP_TIER=complete\nLOG_FORMAT=json\n")
	env := append([]string{"LOG_LEVEL=warning", "PORT=2222", "MCP_TIER="}, many...)
	c, _, err := Load(parse(t, "--log-level", "debug"), env, file)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(c.Log.Level, c.Server.Port, c.Tools.Tier, c.Log.Format, c.Metrics.Port)
	// In turn: the flag, the environment, the file (empty counts as not set),
	// the file, the default.
	if want := fmt.Sprint(slog.LevelDebug, 2222, "complete", "json", 9090); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestMode(t *testing.T) {
	user, password := "NEXTCLOUD_USERNAME=alice", "NEXTCLOUD_PASSWORD=hunter2"
	tests := []struct {
		name     string
		args     []string
		env      []string
		want     Mode
		problems []string
	}{
		{name: "nothing", want: OAuth},
		{name: "both", env: []string{user, password}, want: SingleUser},
		{name: "empty counts as unset", env: []string{"NEXTCLOUD_USERNAME=", "NEXTCLOUD_PASSWORD="}, want: OAuth},
		{
			name: "username only", env: []string{user}, want: SingleUser,
			problems: []string{"NEXTCLOUD_PASSWORD: it is needed, because NEXTCLOUD_USERNAME is set; for OAuth set neither"},
		},
		{
			name: "password only", env: []string{password}, want: SingleUser,
			problems: []string{"NEXTCLOUD_USERNAME: it is needed, because NEXTCLOUD_PASSWORD is set; for OAuth set neither"},
		},
		{name: "--oauth drops both", args: []string{"--oauth"}, env: []string{user, password}, want: OAuth},
		{name: "--oauth drops one", args: []string{"--oauth"}, env: []string{user}, want: OAuth},
		{name: "--no-oauth", args: []string{"--no-oauth"}, env: []string{user, password}, want: SingleUser},
		{name: "--no-oauth without", args: []string{"--no-oauth"}, want: SingleUser, problems: []string{
			"NEXTCLOUD_USERNAME: single-user mode (--no-oauth) needs it",
			"NEXTCLOUD_PASSWORD: single-user mode (--no-oauth) needs it",
		}},
		{
			name: "both flags", args: []string{"--no-oauth", "--oauth"}, want: OAuth,
			problems: []string{"MCP_DEPLOYMENT_MODE: --no-oauth says the opposite; give one of them"},
		},
		{name: "variable", env: []string{"MCP_DEPLOYMENT_MODE=login_flow", user, password}, want: OAuth},
		{name: "flag against variable", args: []string{"--no-oauth"}, env: []string{"MCP_DEPLOYMENT_MODE=login_flow", user, password}, want: SingleUser},
		{name: "Basic for many", env: []string{"MCP_DEPLOYMENT_MODE=multi_user_basic"}, args: []string{"--host", "0.0.0.0"}, want: MultiUser},
		{name: "Basic for many, not for one", env: []string{"MCP_DEPLOYMENT_MODE=multi_user_basic", user, password}, want: MultiUser},
		{name: "stdio with Basic for many", env: []string{"MCP_DEPLOYMENT_MODE=multi_user_basic", "MCP_TRANSPORT=stdio"}, want: MultiUser, problems: []string{
			"MCP_TRANSPORT: stdio serves one user; use streamable-http for multi_user_basic",
		}},
		{name: "stdio with OAuth", args: []string{"-t", "stdio"}, want: OAuth, problems: []string{
			"MCP_TRANSPORT: stdio serves one user: set NEXTCLOUD_USERNAME and NEXTCLOUD_PASSWORD (an app password), or unset NEXTCLOUD_HOST and run nextcloud-mcp-server login; OAuth needs streamable-http",
		}},
		{name: "stdio", args: []string{"-t", "stdio", "--host", "0.0.0.0"}, env: []string{user, password}, want: SingleUser},
		{name: "open to the network", args: []string{"--host", "0.0.0.0"}, env: []string{user, password}, want: SingleUser, problems: []string{
			"MCP_HOST: listening on 0.0.0.0 would give everybody who reaches the port the data of alice; listen on 127.0.0.1, use OAuth, or say --insecure-no-auth",
		}},
		{name: "open on purpose", args: []string{"--host", "0.0.0.0", "--insecure-no-auth"}, env: []string{user, password}, want: SingleUser},
		{name: "other loopback", args: []string{"--host", "127.8.8.8"}, env: []string{user, password}, want: SingleUser},
		{name: "OAuth to the network", args: []string{"--host", "0.0.0.0"}, want: OAuth},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _, err := Load(parse(t, tt.args...), append(tt.env, many...), EnvFile{})
			if diff := cmp.Diff(tt.problems, problemsOf(t, err)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if c.Mode() != tt.want {
				t.Errorf("mode %v, want %v", c.Mode(), tt.want)
			}
			if c.Mode() == OAuth && (c.Nextcloud.Username != "" || c.Nextcloud.Password != "") {
				t.Error("OAuth mode kept one person's credentials")
			}
		})
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	_, _, err := Load(parse(t, "--port", "x", "--tier", "y"), []string{
		"LOG_LEVEL=loud", "NEXTCLOUD_OIDC_CLIENT_SECRET=hunter2", "MCP_DEPLOYMENT_MODE=login_flow",
	}, EnvFile{}, func(_ *Config, p *Problems) { p.Add("MCP_AREAS", "nosuch is not an area") })
	want := Problems{
		{Variable: "NEXTCLOUD_HOST", Wrong: "OAuth mode requires NEXTCLOUD_HOST to be set to the address of your Nextcloud", Example: "NEXTCLOUD_HOST=https://cloud.example.org"},
		{Variable: "PORT", Source: "--port", Wrong: `"x" is not a port number from 1 to 65535`, Example: "PORT=8000"},
		{Variable: "NEXTCLOUD_OIDC_CLIENT_ID", Wrong: "it is needed, because NEXTCLOUD_OIDC_CLIENT_SECRET is set; set neither to register a client by itself", Example: "NEXTCLOUD_OIDC_CLIENT_ID=abc123xyz789"},
		{Variable: "TOKEN_STORAGE_DB", Wrong: "there is no place to keep client registrations, because neither HOME nor XDG_STATE_HOME is set", Example: "TOKEN_STORAGE_DB=/var/lib/nextcloud-mcp-server/tokens.db"},
		{Variable: "MCP_AREAS", Wrong: "nosuch is not an area", Example: "MCP_AREAS=notes,calendar,files"},
		{Variable: "MCP_TIER", Source: "--tier", Wrong: `"y" is not one of auto, core, extended, complete`, Example: "MCP_TIER=auto"},
		{Variable: "LOG_LEVEL", Wrong: `"loud" is not one of error, warning, info, debug`, Example: "LOG_LEVEL=info"},
	}
	ignore := cmpopts.IgnoreSliceElements(func(p Problem) bool { return p.Variable == "TOKEN_STORAGE_DB" && isDirectory(containerData) })
	if diff := cmp.Diff(want, err, ignore); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Every variable is set to something wrong that holds a secret; whatever is
// said about it must not repeat the secrets.
func TestSecretsStaySecret(t *testing.T) {
	env := []string{
		"NEXTCLOUD_HOST=https://alice:hunter2@cloud.example.org", "NEXTCLOUD_PUBLIC_URL=alice:hunter2@cloud",
		"NEXTCLOUD_USERNAME=alice", "NEXTCLOUD_PASSWORD=hunter2", "NEXTCLOUD_PASWORD=hunter2",
		"NEXTCLOUD_OIDC_CLIENT_SECRET=hunter2", "TOKEN_ENCRYPTION_KEY=hunter2", "MCP_SERVER_CLIENT_SECRET=hunter2",
	}
	c, warnings, err := Load(parse(t, "--oauth-client-secret", "hunter2"), env, envFile(t, "NEXTCLOUD_PASSWORD hunter2\n='hunter2\n"))
	if err == nil {
		t.Fatal("no problems")
	}
	for _, text := range []string{err.Error(), fmt.Sprint(warnings), fmt.Sprintf("%v %+v %#v", *c, *c, *c)} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("a secret is shown: %s", text)
		}
	}
}

func TestWarnings(t *testing.T) {
	tests := []struct {
		name string
		args []string
		env  []string
		want []string // beginnings
	}{
		{name: "quiet", env: []string{"PATH=/bin", "DOCUMENT_OCR_ENABLED=true"}},
		{name: "misspelt", env: []string{"NEXTCLOUD_HOTS=a", "MCP_READONLY=1", "TOKEN_STORAGE_DATABASE=x", "NEXTCLOUD_USER=a"}, want: []string{
			"MCP_READONLY: there is no such setting; did you mean MCP_READ_ONLY?",
			"NEXTCLOUD_HOTS: there is no such setting; did you mean NEXTCLOUD_HOST?",
			"NEXTCLOUD_USER: there is no such setting; did you mean NEXTCLOUD_USERNAME?",
			"TOKEN_STORAGE_DATABASE: there is no such setting",
		}},
		{name: "misspelt secret file", env: []string{"NEXTCLOUD_PASSWORD_FLE=a"}, want: []string{
			"NEXTCLOUD_PASSWORD_FLE: there is no such setting; did you mean NEXTCLOUD_PASSWORD_FILE?",
		}},
		{name: "far from everything", env: []string{"NEXTCLOUD_TRUSTED_DOMAINS=a"}, want: []string{"NEXTCLOUD_TRUSTED_DOMAINS: there is no such setting"}},
		{name: "empty", env: []string{"NEXTCLOUD_HOTS="}},
		{name: "Kubernetes", env: []string{"NEXTCLOUD_SERVICE_HOST=10.0.0.1", "NEXTCLOUD_SERVICE_PORT_HTTP=80", "MCP_PORT=tcp://10.0.0.1:80", "MCP_PORT_80_TCP_ADDR=10.0.0.1"}},
		{name: "of the Python server", env: []string{"MCP_DNS_REBINDING_PROTECTION=true", "ENABLE_LOGIN_FLOW=true", "NEXTCLOUD_RESOURCE_URI=x"}, want: []string{
			"ENABLE_LOGIN_FLOW: it has no effect here: see MCP_DEPLOYMENT_MODE",
			"MCP_DNS_REBINDING_PROTECTION: it has no effect here: the protection is always on; see MCP_ALLOWED_HOSTS",
		}},
		{name: "older name", env: []string{"OIDC_DISCOVERY_URI=https://a"}, want: []string{"OIDC_DISCOVERY_URI: this is an older name of OIDC_DISCOVERY_URL"}},
		{name: "secret flag", args: []string{"--no-oauth", "--nextcloud-username", "a", "--nextcloud-password", "b"}, want: []string{"--nextcloud-password: every user of this machine can read it"}},
		{name: "dropped", args: []string{"--oauth"}, env: []string{"NEXTCLOUD_USERNAME=a"}, want: []string{"NEXTCLOUD_USERNAME: many people sign in themselves"}},
		{name: "no verification", env: []string{"NEXTCLOUD_VERIFY_SSL=0"}, want: []string{"NEXTCLOUD_VERIFY_SSL: TLS certificates are not verified"}},
		{name: "public address over http", env: []string{"NEXTCLOUD_MCP_SERVER_URL=http://mcp.example.org"}, want: []string{"NEXTCLOUD_MCP_SERVER_URL: signing in needs https"}},
		{name: "loopback over http", env: []string{"NEXTCLOUD_MCP_SERVER_URL=http://127.0.0.1:8000"}},
		{name: "no authentication", args: []string{"--host", "::", "--insecure-no-auth"}, env: []string{"NEXTCLOUD_USERNAME=a", "NEXTCLOUD_PASSWORD=b"}, want: []string{"MCP_INSECURE_NO_AUTH: everybody who reaches the port acts as a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, warnings, err := Load(parse(t, tt.args...), append(tt.env, many...), EnvFile{})
			if err != nil {
				t.Fatal(err)
			}
			if len(warnings) != len(tt.want) {
				t.Fatalf("warnings %q, want %q", warnings, tt.want)
			}
			for i, w := range warnings {
				if !strings.HasPrefix(w.String(), tt.want[i]) {
					t.Errorf("warning %q, want %q", w, tt.want[i])
				}
			}
		})
	}
}

func TestNextcloudOverHTTP(t *testing.T) {
	for host, want := range map[string]int{
		"http://cloud.example.org": 1, "http://192.0.2.1": 1, "http://localhost:8080": 0, "http://nextcloud": 0, "http://[::1]": 0, "https://192.0.2.1": 0,
	} {
		_, warnings, err := Load(nil, []string{home, "NEXTCLOUD_HOST=" + host}, EnvFile{})
		if err != nil || len(warnings) != want {
			t.Errorf("%s: %v, warnings %v, want %d", host, err, warnings, want)
		}
	}
}

func TestSecretFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good, empty := write("good", " p$w#d \r\n"), write("empty", "\n")
	missing := filepath.Join(dir, "missing")
	tests := []struct {
		name, env, password, problem string
	}{
		{name: "read without its line end", env: "NEXTCLOUD_PASSWORD_FILE=" + good, password: " p$w#d "},
		{name: "missing", env: "NEXTCLOUD_PASSWORD_FILE=" + missing, problem: "NEXTCLOUD_PASSWORD: " + missing + " cannot be read: no such file or directory"},
		{name: "empty", env: "NEXTCLOUD_PASSWORD_FILE=" + empty, problem: "NEXTCLOUD_PASSWORD: " + empty + " is empty"},
		{name: "both", env: "NEXTCLOUD_PASSWORD=x\nNEXTCLOUD_PASSWORD_FILE=" + good, password: "x", problem: "NEXTCLOUD_PASSWORD: it is set, and NEXTCLOUD_PASSWORD_FILE too; set one of them"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := append(strings.Split(tt.env, "\n"), "NEXTCLOUD_USERNAME=alice")
			c, _, err := Load(nil, append(env, many...), EnvFile{})
			var want []string
			if tt.problem != "" {
				want = []string{tt.problem}
			}
			if diff := cmp.Diff(want, problemsOf(t, err)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if got := c.Nextcloud.Password.Reveal(); got != tt.password {
				t.Errorf("password %q, want %q", got, tt.password)
			}
		})
	}
}

func TestDefaultDatabase(t *testing.T) {
	yes, no := func(string) bool { return true }, func(string) bool { return false }
	tests := []struct {
		name string
		env  map[string]string
		dir  func(string) bool
		want string
	}{
		{"container", map[string]string{"HOME": "/h", "XDG_STATE_HOME": "/s"}, yes, "/app/data/tokens.db"},
		{"state", map[string]string{"HOME": "/h", "XDG_STATE_HOME": "/s"}, no, "/s/nextcloud-mcp-server/tokens.db"},
		{"relative state", map[string]string{"HOME": "/h", "XDG_STATE_HOME": "s"}, no, "/h/.local/state/nextcloud-mcp-server/tokens.db"},
		{"home", map[string]string{"HOME": "/h"}, no, "/h/.local/state/nextcloud-mcp-server/tokens.db"},
		{"Windows", map[string]string{"LOCALAPPDATA": "/l"}, no, "/l/nextcloud-mcp-server/tokens.db"},
		{"nothing", nil, no, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := defaultDatabase(tt.env, tt.dir); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTable(t *testing.T) {
	flags, names := map[string]string{}, map[string]string{}
	take := func(m map[string]string, name, env string) {
		if name == "" {
			return
		}
		if other, taken := m[name]; taken {
			t.Errorf("%s belongs to %s and %s", name, other, env)
		}
		m[name] = env
	}
	for _, s := range Settings() {
		for _, name := range s.names() {
			take(names, name, s.Env)
		}
		take(names, s.FileEnv(), s.Env)
		for _, f := range append([]Flag{{s.Flag, s.Short}}, s.HiddenFlags...) {
			take(flags, f.Name, s.Env)
			take(flags, f.Short, s.Env)
		}
		for _, sw := range s.Switches {
			take(flags, sw.Flag, s.Env)
			if err := s.kind.set(&Config{}, sw.Value); err != nil {
				t.Errorf("--%s: %v", sw.Flag, err)
			}
		}
		if !strings.HasSuffix(s.Doc, ".") {
			t.Errorf("the meaning of %s is not a sentence: %q", s.Env, s.Doc)
		}
		for _, value := range append(s.Allowed(), s.Default) {
			if value == "" {
				continue
			}
			if err := s.kind.set(&Config{}, value); err != nil {
				t.Errorf("%s=%s: %v", s.Env, value, err)
			}
		}
		if s.Example != "" {
			if err := s.kind.set(&Config{}, s.Example); err != nil {
				t.Errorf("the example of %s: %v", s.Env, err)
			}
		}
		if s.example() == "" {
			t.Errorf("%s has no example", s.Env)
		}
		if instead, both := withoutEffect[s.Env]; both {
			t.Errorf("%s is a setting and has no effect: %s", s.Env, instead)
		}
	}
	for _, short := range []string{"h", "v"} {
		if env, taken := flags[short]; taken {
			t.Errorf("-%s belongs to %s", short, env)
		}
	}
}

// Every variable that the sample names, commented out or not, is a setting.
func TestSampleNamesSettings(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("..", "..", "env.sample"))
	if err != nil {
		t.Fatal(err)
	}
	known, found := knownNames(), 0
	for _, m := range regexp.MustCompile(`(?m)^(?:# ?)?([A-Z][A-Z0-9_]+)=`).FindAllStringSubmatch(string(content), -1) {
		found++
		if !known[m[1]] {
			t.Errorf("env.sample names %s, which is not a setting", m[1])
		}
	}
	if found < 10 {
		t.Errorf("env.sample names %d variables only", found)
	}
}
