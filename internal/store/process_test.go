package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/store"
)

// The environment variables that make the test binary a child process.
const (
	childTask = "STORE_TEST_TASK"
	childPath = "STORE_TEST_PATH"
)

func TestMain(m *testing.M) {
	switch os.Getenv(childTask) {
	case "":
		os.Exit(m.Run())
	case "rotate":
		rotateChild()
	case "serve":
		serveChild()
	case "connect":
		connectChild()
	case "open":
		s, err := store.Open(context.Background(), store.Options{Path: os.Getenv(childPath)})
		if err == nil {
			err = s.PutAppPassword(context.Background(), store.AppPassword{Grant: strconv.Itoa(os.Getpid()), Password: "p"})
		}
		fmt.Printf("%v|readonly=%t", err, errors.Is(err, store.ErrReadOnly))
	case "write":
		s, err := store.Open(context.Background(), store.Options{Path: os.Getenv(childPath)})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("open")
		for i := 0; ; i++ {
			id := fmt.Sprint(os.Getpid(), "-", i)
			err := errors.Join(
				s.ActivateOAuthClient(context.Background(), store.OAuthClient{Provider: "p", ClientID: id, Secret: "s"}),
				s.PutAppPassword(context.Background(), store.AppPassword{Grant: "g", ClientID: id, Password: "p"}),
			)
			if err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
		}
	}
}

// child is this test binary as another process with a task of TestMain.
func child(t *testing.T, binary, task, file string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Env = append(os.Environ(), childTask+"="+task, childPath+"="+file)
	return cmd
}

func executable(t *testing.T) string {
	t.Helper()
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// Processes that start at once on nothing agree on schema and key.
func TestProcessesStartTogether(t *testing.T) {
	for range 3 {
		file := path(t)
		var started []*exec.Cmd
		for range 4 {
			cmd := child(t, executable(t), "open", file)
			cmd.Stdout = new(strings.Builder)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			started = append(started, cmd)
		}
		for _, cmd := range started {
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
			if out := cmd.Stdout.(*strings.Builder).String(); !strings.HasPrefix(out, "<nil>|") {
				t.Errorf("a process says %s", out)
			}
		}
		s := open(t, store.Options{Path: file})
		for _, cmd := range started {
			if p, err := s.AppPassword(t.Context(), strconv.Itoa(cmd.Process.Pid)); err != nil || p.Password != "p" {
				t.Errorf("what process %d wrote: %v", cmd.Process.Pid, err)
			}
		}
		s.Close()
	}
}

// A process that is killed leaves a database that opens and is whole.
func TestKilledWriter(t *testing.T) {
	file := path(t)
	for range 12 {
		cmd := child(t, executable(t), "write", file)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(out, make([]byte, len("open\n"))); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(20 * time.Millisecond)) // any moment will do
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		rest, _ := io.ReadAll(out)
		_ = cmd.Wait()
		if len(rest) > 0 {
			t.Errorf("the writer said %s", rest)
		}
		checkWhole(t, file)
	}
}

// A process that is killed while it makes the database leaves something that
// the next one can finish.
func TestKilledSetUp(t *testing.T) {
	for i := range 15 {
		file := path(t)
		cmd := child(t, executable(t), "write", file)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Not before there is anything, and then at any moment of the set-up.
		for range 2000 {
			if _, err := os.Stat(file); err == nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(i) * 700 * time.Microsecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		checkWhole(t, file)
	}
}

func checkWhole(t *testing.T, file string) {
	t.Helper()
	s := open(t, store.Options{Path: file})
	defer s.Close()
	clients, err := s.OAuthClients(t.Context(), "p")
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range clients {
		if c.Secret != "s" || c.RetiredAt.IsZero() != (i == 0) {
			t.Errorf("registration %d of %d is not whole: %+v", i, len(clients), c)
		}
	}
	if p, err := s.AppPassword(t.Context(), "g"); !errors.Is(err, store.ErrNotFound) && (err != nil || p.Password != "p") {
		t.Errorf("app password: %v", err)
	}
	var verdict string
	if err := raw(t, file).QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity check: %s, %v", verdict, err)
	}
}
