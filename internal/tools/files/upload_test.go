package files

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/safehttp"
	"nextcloud-mcp-server/internal/tool"
	"nextcloud-mcp-server/internal/tool/tooltest"
)

func TestUploadFromDisk(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret.txt")
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(outside, "secret")
	put(filepath.Join(dir, "a.txt"), "from disk")
	put(filepath.Join(dir, "empty.txt"), "")
	for link, to := range map[string]string{"link.txt": outside, "dir": filepath.Dir(outside)} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	sim, s := open(t, &tooltest.Options{Sources: tool.Sources{Folder: dir}})
	var w Saved
	s.Read(t, "nc_webdav_upload_file", `{"path":"/Docs/up.txt","local_path":"a.txt"}`, &w)
	if !w.Created || w.Size != 9 || content(t, sim, "Docs/up.txt") != "from disk" {
		t.Errorf("%+v", w)
	}
	s.Read(t, "nc_webdav_upload_file", fmt.Sprintf(`{"path":"/New/empty.txt","local_path":%q,"create_parents":true}`, filepath.Join(dir, "empty.txt")), nil)
	if content(t, sim, "New/empty.txt") != "" {
		t.Error("not empty")
	}
	for args, want := range map[string]string{
		`{"path":"/Docs/up.txt","local_path":"a.txt"}`:                                 "a file is there already, and it is kept",
		`{"path":"/x","local_path":"../` + filepath.Base(filepath.Dir(outside)) + `"}`: "Only files in",
		fmt.Sprintf(`{"path":"/x","local_path":%q}`, outside):                          "Only files in",
		`{"path":"/x","local_path":"link.txt"}`:                                        "Only files in",
		`{"path":"/x","local_path":"dir/secret.txt"}`:                                  "Only files in",
		`{"path":"/x","local_path":"/etc/passwd"}`:                                     "Only files in",
		`{"path":"/x","local_path":"nope"}`:                                            "is not there on this computer",
		`{"path":"/x","local_path":"."}`:                                               "is no regular file",
		`{"path":"/x"}`:                                                                "give either url or local_path",
		`{"path":"/x","local_path":"a.txt","url":"https://example.com/"}`:              "give either url or local_path",
		`{"path":"/../x","local_path":"a.txt"}`:                                        "cannot be used",
	} {
		if got := s.Refused(t, "nc_webdav_upload_file", args); !strings.Contains(got, want) || strings.Contains(got, "secret\n") {
			t.Errorf("%s: %s", args, got)
		}
	}
	absent(t, sim, "x")
	_, s = open(t, nil)
	if got := s.Refused(t, "nc_webdav_upload_file", `{"path":"/x","local_path":"a.txt"}`); !strings.Contains(got, "MCP_UPLOAD_FOLDER") {
		t.Error(got)
	}
}

type resolver map[string]string

func (r resolver) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	address, ok := r[host]
	if !ok {
		return nil, fmt.Errorf("no %s", host)
	}
	return []netip.Addr{netip.MustParseAddr(address)}, nil
}

// site is a host on loopback that may be fetched from as example.com, and the
// sources that do.
func site(t *testing.T, h http.HandlerFunc) (port string, sources tool.Sources) {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	_, port, _ = strings.Cut(strings.TrimPrefix(server.URL, "https://"), ":")
	return port, tool.Sources{Web: safehttp.New(safehttp.Options{
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, RootCAs: pool, MaxBody: 64 << 20, Timeout: time.Minute,
		Resolver: resolver{"example.com": "127.0.0.1", "inner.example.com": "10.0.0.1"},
	})}
}

func TestUploadFromWeb(t *testing.T) {
	const size = 20 << 20
	data := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	cut := 0
	var ranges []string
	port, sources := site(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/small":
			_, _ = io.WriteString(w, "from the web")
		case "/moved":
			http.Redirect(w, r, "/small", http.StatusFound)
		case "/inner":
			http.Redirect(w, r, "https://inner.example.com/", http.StatusFound)
		case "/plain":
			http.Redirect(w, r, "http://example.com/", http.StatusFound)
		case "/circle":
			http.Redirect(w, r, "/circle", http.StatusFound)
		case "/huge":
			w.Header().Set("Content-Length", strconv.Itoa(65<<20))
		case "/big":
			ranges = append(ranges, r.Header.Get("Range"))
			w.Header().Set("ETag", `"v1"`)
			if cut > 0 {
				w.Header().Set("Content-Length", strconv.Itoa(size))
				w.Header().Set("Accept-Ranges", "bytes")
				_, _ = w.Write(data[:cut])
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	sim, s := open(t, &tooltest.Options{Sources: sources})
	at := func(path string) string { return "https://example.com:" + port + path }
	for _, path := range []string{"/small", "/moved"} {
		s.Read(t, "nc_webdav_upload_file", fmt.Sprintf(`{"path":"/w%s","url":%q,"create_parents":true}`, path, at(path)), nil)
		if content(t, sim, "w"+path) != "from the web" {
			t.Errorf("%s", path)
		}
	}
	for address, want := range map[string]string{
		at("/inner"):                      "not on the public internet",
		at("/plain"):                      "cannot be fetched",
		at("/circle"):                     "leads on more than 5 times",
		at("/nope"):                       "HTTP status 404",
		at("/huge"):                       "too large",
		"http://example.com/":             "cannot be fetched",
		"file:///etc/passwd":              "cannot be fetched",
		"https://inner.example.com/":      "not on the public internet",
		"https://169.254.169.254/":        "not on the public internet",
		"https://user:pass@example.com/":  "cannot be fetched",
		"https://127.0.0.2:" + port + "/": "not on the public internet",
	} {
		if got := s.Refused(t, "nc_webdav_upload_file", fmt.Sprintf(`{"path":"/no.bin","url":%q}`, address)); !strings.Contains(got, want) {
			t.Errorf("%s: %s", address, got)
		}
	}
	absent(t, sim, "no.bin")

	// It is cut in the middle, and goes on from there.
	cut = 17 << 20
	args := fmt.Sprintf(`{"path":"/big.bin","url":%q}`, at("/big"))
	got := s.Refused(t, "nc_webdav_upload_file", args)
	if !strings.Contains(got, "16777216 of 20971520 bytes are in Nextcloud") || !strings.Contains(got, "the same call goes on") {
		t.Error(got)
	}
	absent(t, sim, "big.bin")
	cut = 0
	var w Saved
	s.Read(t, "nc_webdav_upload_file", args, &w)
	if w.Size != size || content(t, sim, "big.bin") != string(data) || fmt.Sprint(ranges) != "[  bytes=16777216-]" {
		t.Errorf("%+v after %q", w, ranges)
	}
}

// TestUploadFaults checks that an upload that Nextcloud stops leaves nothing
// half-written.
func TestUploadFaults(t *testing.T) {
	dir := t.TempDir()
	const size = 20 << 20
	data := bytes.Repeat([]byte{'x'}, size)
	if err := os.WriteFile(filepath.Join(dir, "big.bin"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	const parts = "/remote.php/dav/uploads/alice/"
	const args = `{"path":"/big.bin","local_path":"big.bin"}`
	for name, c := range map[string]struct {
		fault nextcloudtest.Fault
		want  string // empty: it is done all the same
	}{
		"a part is lost":      {nextcloudtest.Fault{Method: "PUT", PathPrefix: parts, Reset: true, Times: 1}, ""},
		"all parts are lost":  {nextcloudtest.Fault{Method: "PUT", PathPrefix: parts, Reset: true}, "no connection"},
		"quota":               {nextcloudtest.Fault{Method: "PUT", PathPrefix: parts, Status: 507}, "quota"},
		"not put together":    {nextcloudtest.Fault{Method: "MOVE", PathPrefix: parts, Status: 500}, "20971520 of 20971520 bytes are in Nextcloud"},
		"somebody was faster": {nextcloudtest.Fault{Method: "MOVE", PathPrefix: parts, Status: 412}, "changed since it was read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim, s := open(t, &tooltest.Options{Sources: tool.Sources{Folder: dir}})
			clearFault := sim.Fault(c.fault)
			if c.want == "" {
				s.Read(t, "nc_webdav_upload_file", args, nil)
				if content(t, sim, "big.bin") != string(data) {
					t.Error("it is not what was sent")
				}
				return
			}
			if got := s.Refused(t, "nc_webdav_upload_file", args); !strings.Contains(got, c.want) {
				t.Error(got)
			}
			absent(t, sim, "big.bin")
			clearFault()
			s.Read(t, "nc_webdav_upload_file", args, nil)
			if content(t, sim, "big.bin") != string(data) {
				t.Error("it is not what was sent")
			}
		})
	}
}
