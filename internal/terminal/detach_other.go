//go:build !unix

package terminal

import "os/exec"

// detach does nothing where the program that opens an address hands it on and
// ends.
func detach(*exec.Cmd) {}
