package document

import (
	"os/exec"
	"syscall"
	"time"
)

// Confine limits this process for good: memory, processor time, files. For a
// child, before it reads anything. most is the time that a document may take.
func Confine(most time.Duration) error {
	limits := []struct {
		what int
		most uint64
	}{
		// Private memory that can be written: what the Go runtime only
		// reserves does not count, so that this needs no room for it.
		{syscall.RLIMIT_DATA, memory},
		{syscall.RLIMIT_CPU, uint64(max(1, most/time.Second) + 5)},
		{syscall.RLIMIT_CORE, 0},
		{syscall.RLIMIT_NOFILE, 64},
		{syscall.RLIMIT_FSIZE, 0},
	}
	for _, l := range limits {
		var now syscall.Rlimit
		if err := syscall.Getrlimit(l.what, &now); err != nil {
			return err
		}
		limit := min(l.most, now.Max)
		if err := syscall.Setrlimit(l.what, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
			return err
		}
	}
	return nil
}

// isolate puts a child and what it starts into a group that ends as one, at
// the deadline or with this process.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// killedByKernel reports whether a limit ended the process.
func killedByKernel(exit *exec.ExitError) bool {
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && (status.Signal() == syscall.SIGKILL || status.Signal() == syscall.SIGXCPU)
}
