//go:build linux || darwin || freebsd

package doctor

import "syscall"

// freeSpace is how many bytes an ordinary program may still write below dir.
func freeSpace(dir string) (free uint64, ok bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return uint64(max(0, int64(s.Bavail))) * uint64(s.Bsize), true //nolint:gosec // the types differ between systems
}
