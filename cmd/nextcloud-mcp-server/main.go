// Command nextcloud-mcp-server lets AI assistants work in people's Nextcloud.
// It is an MCP server; see the README for what that means and how to start.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"nextcloud-mcp-server/internal/config"
)

// The exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2 // the command line or the configuration is wrong
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// After the first signal the default handling is back, so that a second
	// one ends a shutdown that hangs.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}

// run is the program without its process: it returns the exit code.
func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot(environ)
	root.SetArgs(slices.Clone(args))
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return report(stderr, root.ExecuteContext(ctx))
}

// report prints err for people and returns the exit code that belongs to it.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	if problems, ok := errors.AsType[config.Problems](err); ok {
		fmt.Fprintln(stderr, "Configuration problems:")
		for _, p := range problems {
			printProblem(stderr, p)
		}
		return exitUsage
	}
	fmt.Fprintln(stderr, "error: "+oneLine(err.Error()))
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	return exitFailure
}

func printProblem(w io.Writer, p config.Problem) {
	name := p.Variable
	if p.Source != "" {
		name += " (" + p.Source + ")"
	}
	fmt.Fprintf(w, "  %s: %s\n", name, oneLine(p.Wrong))
	if p.Example != "" {
		fmt.Fprintf(w, "    example: %s\n", p.Example)
	}
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// usageError is a mistake in the command line.
type usageError struct{ message string }

func (e usageError) Error() string { return e.message }
