package config

import "testing"

// TestAccount: an account counts where nothing else says whom to work for.
func TestAccount(t *testing.T) {
	account := Account{Host: "https://kept.example.org", Username: "alice", Password: "hunter2"}
	tests := []struct {
		name  string
		args  []string
		env   []string
		file  map[string]string
		wants bool
		mode  Mode
	}{
		{name: "nothing", wants: true, mode: SingleUser},
		{name: "stdio", args: []string{"-t", "stdio"}, wants: true, mode: SingleUser},
		{name: "--no-oauth", args: []string{"--no-oauth"}, wants: true, mode: SingleUser},
		{name: "empty is not set", env: []string{"NEXTCLOUD_HOST=", "NEXTCLOUD_PASSWORD="}, wants: true, mode: SingleUser},
		{name: "--oauth", args: []string{"--oauth"}},
		{name: "Basic for many", env: []string{"MCP_DEPLOYMENT_MODE=multi_user_basic"}, mode: MultiUser},
		{name: "a host", env: []string{"NEXTCLOUD_HOST=https://cloud.example.org"}},
		{name: "a host by flag", args: []string{"--nextcloud-host", "https://cloud.example.org"}},
		{name: "a host in the file", file: map[string]string{"NEXTCLOUD_HOST": "https://cloud.example.org"}},
		{name: "a name", env: []string{"NEXTCLOUD_USERNAME=bob"}, mode: SingleUser},
		{name: "a password", env: []string{"NEXTCLOUD_PASSWORD=bob"}, mode: SingleUser},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := append([]string{"HOME=/home/alice"}, tt.env...)
			file := EnvFile{Name: ".env", vars: tt.file}
			c, _, _ := Load(parse(t, tt.args...), env, file)
			if c.WantsAccount() != tt.wants {
				t.Fatalf("wants an account: %v, want %v", c.WantsAccount(), tt.wants)
			}
			if c.Nextcloud.LoggedIn {
				t.Error("logged in without an account")
			}
			if !tt.wants {
				return
			}
			c, warnings, err := Load(parse(t, tt.args...), env, file.WithAccount(account))
			if err != nil || len(warnings) != 0 {
				t.Fatalf("%v, %v", warnings, err)
			}
			n := c.Nextcloud
			if c.Mode() != tt.mode || !n.LoggedIn || n.Host.String() != account.Host || n.Username != account.Username || n.Password != account.Password {
				t.Errorf("mode %v, %+v", c.Mode(), n)
			}
		})
	}
}

// TestAccountStaysOnLoopback: what was kept for one person is not served to a
// network by chance.
func TestAccountStaysOnLoopback(t *testing.T) {
	file := EnvFile{}.WithAccount(Account{Host: "https://kept.example.org", Username: "alice", Password: "hunter2"})
	_, _, err := Load(parse(t, "--host", "0.0.0.0"), []string{"HOME=/home/alice"}, file)
	if got := problemsOf(t, err); len(got) != 1 || got[0][:9] != "MCP_HOST:" {
		t.Errorf("problems %q", got)
	}
}

// TestStdioNamesLogin: one problem, with the command that solves it.
func TestStdioNamesLogin(t *testing.T) {
	_, _, err := Load(parse(t, "-t", "stdio"), []string{"HOME=/home/alice"}, EnvFile{})
	want := "MCP_TRANSPORT: stdio serves one user, and nobody is logged in: run nextcloud-mcp-server login, " +
		"or set NEXTCLOUD_HOST, NEXTCLOUD_USERNAME and NEXTCLOUD_PASSWORD (an app password)"
	if got := problemsOf(t, err); len(got) != 1 || got[0] != want {
		t.Errorf("problems %q", got)
	}
}

func TestVariable(t *testing.T) {
	env := []string{"A=1", "AB=2", "A=3", "B", "C="}
	for name, want := range map[string]string{"A": "3", "AB": "2", "B": "", "C": "", "D": ""} {
		if got := Variable(env, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
