// Command simulated is a simulated Nextcloud by itself, with the people and
// data of the demo, whose oidc app issues tokens that Nextcloud's own API does
// not take: no token can be exchanged for an app password. The tests of the
// pages use it for the link that people are given in the middle of a call.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"nextcloud-mcp-server/internal/nextcloudtest"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "the address to listen at")
	flag.Parse()
	if err := run(*listen); err != nil {
		fmt.Fprintln(os.Stderr, "simulated:", err)
		os.Exit(1)
	}
}

func run(listen string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	sim := nextcloudtest.New(&nextcloudtest.Options{SampleData: true, Consent: true, ForbidAppPasswords: true})
	if err := sim.Listen(ctx, listen); err != nil {
		return err
	}
	<-ctx.Done()
	return sim.Close()
}
