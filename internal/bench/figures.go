package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// starts is the time from start to the first answered request.
func starts(ctx context.Context, r *rig) ([]row, error) {
	var times []time.Duration
	for i := range 10 {
		p, took, err := r.start(ctx)
		if err != nil {
			return nil, err
		}
		p.stop()
		if i > 0 { // the first makes the database
			times = append(times, took)
		}
	}
	slices.Sort(times)
	return []row{{"start to first answer (median of 9)", milliseconds(times[len(times)/2]), 150, "ms"}}, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// idle is the memory of a server that is ready and has nothing to do.
func idle(ctx context.Context, r *rig) ([]row, error) {
	p, _, err := r.start(ctx)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	if err := await(ctx, r.url("/health/ready"), time.Now()); err != nil {
		return nil, err
	}
	// "Idle" begins when the start is over.
	time.Sleep(3 * time.Second)
	rss, err := p.memory("VmRSS")
	return []row{{"memory when idle", rss, 45, "MB"}}, err
}

// toolCalls is what a call of a read tool costs, beside the same call made
// without the server.
func toolCalls(ctx context.Context, r *rig) ([]row, error) {
	p, _, err := r.start(ctx)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	session, _, err := r.signIn(ctx)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	id, err := firstNote(ctx, session)
	if err != nil {
		return nil, err
	}
	call := &mcp.CallToolParams{Name: "nc_notes_get_note", Arguments: map[string]any{"note_id": id}}
	for range 50 {
		if err := must(session.CallTool(ctx, call)); err != nil {
			return nil, err
		}
	}
	r.sim.ResetRequests()
	best, wall := math.Inf(1), math.Inf(1)
	for range rounds {
		before, err := p.cpu()
		if err != nil {
			return nil, err
		}
		began := time.Now()
		for range r.calls {
			if err := must(session.CallTool(ctx, call)); err != nil {
				return nil, err
			}
		}
		wall = min(wall, milliseconds(time.Since(began))/float64(r.calls))
		after, err := p.cpu()
		if err != nil {
			return nil, err
		}
		best = min(best, milliseconds(after-before)/float64(r.calls))
	}
	requests := r.sim.RequestCount()
	direct, err := r.direct(ctx)
	if err != nil {
		return nil, err
	}
	return []row{
		{"requests to Nextcloud for a read call", float64(requests) / float64(rounds*r.calls), 1, ""},
		{"time of a read call", wall, 0, "ms"},
		{"processor time of a read call", best, 0, "ms"},
		{"processor time of the direct call", direct, 0, "ms"},
		{"processor time over the direct call", best - direct, 1.5, "ms"},
	}, nil
}

// rounds is how often a figure is measured; the best one counts, since other
// programs on the machine can only make it worse.
const rounds = 3

func must(res *mcp.CallToolResult, err error) error {
	if err != nil {
		return err
	}
	if res.IsError {
		text, _ := json.Marshal(res.Content)
		return fmt.Errorf("tool call: %s", text)
	}
	return nil
}

func firstNote(ctx context.Context, session *mcp.ClientSession) (int, error) {
	res, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "nc_notes_search_notes", Arguments: map[string]any{"query": ""}})
	if err := must(res, err); err != nil {
		return 0, err
	}
	raw, err := json.Marshal(res.StructuredContent)
	if err != nil {
		return 0, err
	}
	var found struct {
		Items []struct {
			ID int `json:"id"`
		} `json:"items"`
	}
	if err := json.Unmarshal(raw, &found); err != nil || len(found.Items) == 0 {
		return 0, errors.New("the simulated Nextcloud has no notes")
	}
	return found.Items[0].ID, nil
}

// direct is the processor time of one direct call, in a process of its own.
func (r *rig) direct(ctx context.Context) (float64, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, self, "-direct", r.sim.URL(), "-calls", strconv.Itoa(r.calls))
	cmd.Env = []string{"NEXTCLOUD_PASSWORD=" + r.sim.CreateAppPassword("alice", "bench")}
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("call directly: %w", err)
	}
	return milliseconds(cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()) / float64(r.calls), nil
}

// callDirectly reads one note calls times.
func callDirectly(ctx context.Context, base string, calls int) error {
	list, err := get(ctx, base+"/index.php/apps/notes/api/v1/notes?exclude=content")
	if err != nil {
		return err
	}
	var notes []struct {
		ID int `json:"id"`
	}
	if err := json.Unmarshal(list, &notes); err != nil || len(notes) == 0 {
		return errors.New("the simulated Nextcloud has no notes")
	}
	for range calls {
		body, err := get(ctx, fmt.Sprintf("%s/index.php/apps/notes/api/v1/notes/%d", base, notes[0].ID))
		if err != nil {
			return err
		}
		var note map[string]any
		if err := json.Unmarshal(body, &note); err != nil {
			return err
		}
	}
	return nil
}

// manyClients is the memory under 128 clients that call at the same time.
func manyClients(ctx context.Context, r *rig) ([]row, error) {
	p, _, err := r.start(ctx)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	first, token, err := r.signIn(ctx)
	if err != nil {
		return nil, err
	}
	defer first.Close()
	const clients, each = 128, 20
	failures := make(chan error, clients)
	var done sync.WaitGroup
	began := time.Now()
	for range clients {
		done.Go(func() { failures <- r.visit(ctx, token, each) })
	}
	done.Wait()
	took := time.Since(began)
	close(failures)
	for err := range failures {
		if err != nil {
			return nil, err
		}
	}
	peak, err := p.memory("VmHWM")
	return []row{
		{"memory under 128 clients (peak)", peak, 90, "MB"},
		{"calls per second of 128 clients", clients * each / took.Seconds(), 0, "/s"},
	}, err
}

// visit is one client that connects and calls a tool some times.
func (r *rig) visit(ctx context.Context, token string, calls int) error {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	c := mcp.NewClient(&mcp.Implementation{Name: "bench", Version: "1"}, nil)
	session, err := c.Connect(ctx, &mcp.StreamableClientTransport{
		Endpoint: r.url("/mcp"), HTTPClient: &http.Client{Transport: bearer{token, transport}}, DisableStandaloneSSE: true,
	}, nil)
	if err != nil {
		return err
	}
	defer session.Close()
	for range calls {
		err := must(session.CallTool(ctx, &mcp.CallToolParams{Name: "nc_notes_search_notes", Arguments: map[string]any{"query": "the"}}))
		if err != nil {
			return err
		}
	}
	return nil
}
