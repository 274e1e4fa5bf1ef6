package e2e_test

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloudtest"
)

// inner is a listener on loopback that counts who comes.
func inner(t *testing.T) (port string, came *atomic.Int64) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	came = &atomic.Int64{}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			came.Add(1)
			_ = c.Close()
		}
	}()
	_, port, err = net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port, came
}

// TestInnerAddresses: a client id is an address that anybody may name; none of
// the inner network is asked for it, and the answer does not tell what is there.
func TestInnerAddresses(t *testing.T) {
	t.Parallel()
	sim := nextcloudtest.Start(t, nil)
	endpoint, _ := serve(t, sim)
	port, came := inner(t)
	p := newProgram(endpoint)
	ask := func(p *program, id string) answer {
		t.Helper()
		address, _ := p.ask(url.Values{"client_id": {id}})
		return get(t, address)
	}
	began := time.Now()
	for _, host := range []string{
		"127.0.0.1", "localhost", "LOCALHOST", "localhost.", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "127.1", "127.0.0.2", "0.0.0.0", "[::]", "0x7f000001",
		"2130706433", "0177.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "[fd00::1]", "[fe80::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
		"user@127.0.0.1", "127.0.0.1%00", "①②⑦.0.0.1",
	} {
		a := ask(p, "https://"+host+":"+port+"/client.json")
		if a.status != http.StatusBadRequest && a.status != http.StatusBadGateway || a.header.Get("Location") != "" {
			t.Errorf("%s: %d %s", host, a.status, a.header.Get("Location"))
		}
	}
	for _, id := range []string{"http://127.0.0.1:" + port + "/client.json", "file:///etc/passwd", "gopher://127.0.0.1:" + port + "/x", "https:127.0.0.1:" + port + "/x", "//127.0.0.1:" + port + "/x"} {
		if a := ask(p, id); a.status != http.StatusBadRequest {
			t.Errorf("%s: %d", id, a.status)
		}
	}
	if n := came.Load(); n != 0 {
		t.Errorf("%d connections to the inner network", n)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("the refusals took %s", took)
	}
	open, shut := ask(p, "https://127.0.0.1:"+port+"/a"), ask(p, "https://127.0.0.1:1/a")
	if open.status != shut.status || strings.ReplaceAll(open.body, port, "1") != strings.ReplaceAll(shut.body, port, "1") {
		t.Error("the answer tells whether a port is open")
	}

	// Otherwise nothing was proved: where the network is listed, it is asked.
	listed, _ := serve(t, sim, "MCP_CLIENT_NETWORKS=127.0.0.0/8")
	if a := ask(newProgram(listed), "https://127.0.0.1:"+port+"/client.json"); a.status != http.StatusBadGateway || came.Load() == 0 {
		t.Errorf("a listed network: %d, %d connections", a.status, came.Load())
	}
}
