//go:build unix

package terminal

import (
	"os/exec"
	"syscall"
)

// detach keeps Ctrl-C in the terminal from ending the browser too.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
