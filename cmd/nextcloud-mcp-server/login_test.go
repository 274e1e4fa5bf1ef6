package main

import (
	"bytes"
	"context"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"nextcloud-mcp-server/internal/nextcloudtest"
)

// screen is what a command prints, as it comes.
type screen struct {
	mu    sync.Mutex // guards the field below
	text  bytes.Buffer
	shown chan struct{} // closed when the command waits
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := strings.Contains(s.text.String(), "Waiting")
	n, err := s.text.Write(p)
	if !before && strings.Contains(s.text.String(), "Waiting") {
		close(s.shown)
	}
	return n, err
}

var link = regexp.MustCompile(`http\S*/login/v2/flow/\S+`)

// TestLoginStopped: Ctrl-C leaves no app password behind, also when access was
// granted a moment before.
func TestLoginStopped(t *testing.T) {
	for name, granted := range map[string]bool{"before access was granted": false, "after": true} {
		t.Run(name, func(t *testing.T) {
			c := startCloud(nextcloudtest.Options{}, "")
			defer c.server.Close()
			// The polls before the stop find nothing, as if they had come sooner.
			late := c.sim.Fault(nextcloudtest.Fault{PathPrefix: "/login/v2/poll", Status: http.StatusNotFound, Body: "[]"})
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			out := &screen{shown: make(chan struct{})}
			var stderr bytes.Buffer
			code := make(chan int)
			home := t.TempDir()
			go func() {
				code <- run(ctx, []string{"login", c.server.URL}, []string{"HOME=" + home}, strings.NewReader(""), out, &stderr)
			}()
			<-out.shown
			if granted {
				if err := grant("alice", link.FindString(out.text.String())); err != nil {
					t.Fatal(err)
				}
				if n := len(c.sim.AppPasswords("alice")); n != 1 {
					t.Fatalf("%d app passwords", n)
				}
			}
			late()
			stop()
			if got := <-code; got != exitFailure {
				t.Errorf("exit code %d", got)
			}
			want := "error: stopped; nobody was logged in"
			if !granted {
				want += "; do not grant access on that page any more"
			}
			if got := stderr.String(); got != want+"\n" {
				t.Errorf("said %q, want %q", got, want)
			}
			if n := len(c.sim.AppPasswords("alice")); n != 0 {
				t.Errorf("%d app passwords are left", n)
			}
			var said bytes.Buffer
			if run(t.Context(), []string{"logout"}, []string{"HOME=" + home}, strings.NewReader(""), &said, &said) != exitOK || said.String() != nobodyLoggedIn+"\n" {
				t.Errorf("logout: %s", said.String())
			}
		})
	}
}

// TestLoginOutlivesFaults: a Nextcloud that fails for a moment is waited for.
func TestLoginOutlivesFaults(t *testing.T) {
	c := startCloud(nextcloudtest.Options{}, "alice")
	defer c.server.Close()
	c.sim.Fault(nextcloudtest.Fault{PathPrefix: "/login/v2/poll", Times: 1, HTML: true})
	var out bytes.Buffer
	if code := run(t.Context(), []string{"login", c.server.URL}, []string{"HOME=" + t.TempDir()}, strings.NewReader(""), &out, &out); code != exitOK {
		t.Errorf("exit code %d: %s", code, out.String())
	}
}

// TestLoginElsewhere: a Nextcloud that goes by another address is not believed,
// and its app password is deleted.
func TestLoginElsewhere(t *testing.T) {
	c := startCloud(nextcloudtest.Options{FlowServer: "https://elsewhere.example.org"}, "alice")
	defer c.server.Close()
	var out bytes.Buffer
	code := run(t.Context(), []string{"login", c.server.URL}, []string{"HOME=" + t.TempDir()}, strings.NewReader(""), &out, &out)
	if code != exitFailure || !strings.Contains(out.String(), `made at "https://elsewhere.example.org"`) || !strings.Contains(out.String(), "the address that the browser shows") {
		t.Errorf("exit code %d: %s", code, out.String())
	}
	if n := len(c.sim.AppPasswords("alice")); n != 0 {
		t.Errorf("%d app passwords are left", n)
	}
}

func TestBaseAddress(t *testing.T) {
	for text, want := range map[string]string{
		"cloud.example.org":                                        "https://cloud.example.org",
		"cloud.example.org:8443/nextcloud\n":                       "https://cloud.example.org:8443/nextcloud",
		"http://localhost:8080":                                    "http://localhost:8080",
		"https://cloud.example.org/index.php/apps/files/?dir=/a#b": "https://cloud.example.org",
		"https://example.org/nc/apps/dashboard/":                   "https://example.org/nc",
		"https://example.org/nc/login":                             "https://example.org/nc",
		"https://example.org/nc/login/v2/flow":                     "https://example.org/nc",
		"https://example.org/login-here":                           "https://example.org/login-here",
		"https://example.org/settings/user/security":               "https://example.org",
		"": "https://",
	} {
		if got := baseAddress(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
