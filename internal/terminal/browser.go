package terminal

import (
	"context"
	"os/exec"
	"runtime"
)

// OpenBrowser shows a page in the person's browser, where there is a desktop
// with one. It does not wait for it, and reports whether one was started. The
// address has to be http or https.
func OpenBrowser(env Getenv, address string) bool {
	words := opener(runtime.GOOS, env)
	if words == nil {
		return false
	}
	// Not bound to a context: the browser outlives the command.
	cmd := exec.CommandContext(context.Background(), words[0], append(words[1:], address)...) //nolint:gosec // the program is from the table below
	detach(cmd)
	if cmd.Start() != nil {
		return false
	}
	go func() { _ = cmd.Wait() }()
	return true
}

// opener is the program that opens an address; nil when there is no desktop.
func opener(system string, env Getenv) []string {
	if env("SSH_CONNECTION") != "" {
		return nil // the person sits elsewhere
	}
	switch system {
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler"}
	case "darwin":
		return []string{"open"}
	}
	if env("DISPLAY") == "" && env("WAYLAND_DISPLAY") == "" {
		return nil
	}
	return []string{"xdg-open"}
}
