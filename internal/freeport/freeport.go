// Package freeport finds a port for a program that a test starts. It is for
// tests, and a package of its own because several of them start programs.
package freeport

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Ports below the range that systems take for connections of their own and for
// listeners on port 0: one of those may take a port away again before the
// program listens there.
const (
	first = 20_000
	count = 12_000
)

// Take is a port of the loopback address that nothing listens on.
func Take(t testing.TB) int {
	t.Helper()
	var last error
	for range 50 {
		port := first + rand.IntN(count)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			last = err
			continue
		}
		_ = l.Close()
		return port
	}
	t.Fatal(last)
	return 0
}
