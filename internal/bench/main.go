// Command bench measures what the server promises about speed and size, on
// this machine, in one run: the built binary against a simulated Nextcloud on
// loopback, driven by the official client. It prints figures and their limits;
// with -check it fails when one is missed.
//
//	go run ./internal/bench [-binary FILE] [-check]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"
)

func main() {
	binary := flag.String("binary", "", "the server to measure; built when empty")
	check := flag.Bool("check", false, "fail when a limit is missed")
	calls := flag.Int("calls", 2000, "tool calls to measure")
	direct := flag.String("direct", "", "internal: make the same calls without the server, at this Nextcloud")
	flag.Parse()
	if err := run(*binary, *direct, *calls, *check); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(binary, direct string, calls int, check bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	if direct != "" {
		return callDirectly(ctx, direct, calls)
	}
	rows, err := measure(ctx, binary, calls)
	if err != nil {
		return err
	}
	if missed := show(rows); missed && check {
		return errors.New("a limit was missed")
	}
	return nil
}

// row is one figure. A limit of zero is none.
type row struct {
	name  string
	value float64
	limit float64
	unit  string
}

func show(rows []row) (missed bool) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "figure\tmeasured\tlimit\t")
	for _, r := range rows {
		limit, verdict := "", ""
		if r.limit > 0 {
			limit, verdict = fmt.Sprintf("%.4g %s", r.limit, r.unit), "ok"
			if r.value > r.limit {
				verdict, missed = "MISSED", true
			}
		}
		fmt.Fprintf(w, "%s\t%.4g %s\t%s\t%s\n", r.name, r.value, r.unit, limit, verdict)
	}
	_ = w.Flush()
	return missed
}

func measure(ctx context.Context, binary string, calls int) ([]row, error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, fmt.Errorf("make a directory: %w", err)
	}
	defer os.RemoveAll(dir)
	if binary == "" {
		binary = filepath.Join(dir, "nextcloud-mcp-server")
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "./cmd/nextcloud-mcp-server")
		build.Env, build.Stderr = append(os.Environ(), "CGO_ENABLED=0"), os.Stderr
		if err := build.Run(); err != nil {
			return nil, fmt.Errorf("build the server: %w", err)
		}
	}
	info, err := os.Stat(binary)
	if err != nil {
		return nil, fmt.Errorf("look at the server: %w", err)
	}
	rows := []row{{"static binary", float64(info.Size()) / 1e6, 40, "MB"}}
	for _, part := range []func(context.Context, *rig) ([]row, error){starts, idle, toolCalls, manyClients} {
		more, err := repeated(func() ([]row, error) {
			r, err := newRig(ctx, binary, dir, calls)
			if err != nil {
				return nil, err
			}
			defer r.close()
			return part(ctx, r)
		})
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	for _, part := range []func(context.Context, string) ([]row, error){tokenEndpoint, liveGrants} {
		more, err := repeated(func() ([]row, error) {
			inner, err := os.MkdirTemp(dir, "part-")
			if err != nil {
				return nil, fmt.Errorf("make a directory: %w", err)
			}
			return part(ctx, inner)
		})
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	registration, err := registerMany()
	if err != nil {
		return nil, err
	}
	check, err := cachedCheck()
	if err != nil {
		return nil, err
	}
	return append(rows, registration, check), nil
}

// repeated measures a part anew while a limit is missed: another program on the
// machine can spoil a figure, but none can make it better.
func repeated(part func() ([]row, error)) ([]row, error) {
	for try := 1; ; try++ {
		rows, err := part()
		missed := slices.ContainsFunc(rows, func(r row) bool { return r.limit > 0 && r.value > r.limit })
		if err != nil || !missed || try == rounds {
			return rows, err
		}
	}
}
