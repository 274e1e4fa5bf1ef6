package tool_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	own "nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

type oneClient struct{ nc *nextcloud.Client }

func (o oneClient) Client(context.Context, *own.Principal) (*nextcloud.Client, error) {
	return o.nc, nil
}

// TestAppsThatAreMissing: what needs an app is hidden from people who do not
// have it, and says so when called; when Nextcloud does not say, it is shown.
func TestAppsThatAreMissing(t *testing.T) {
	var asked atomic.Int32
	var broken atomic.Bool
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		if broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		data := `[{"id":"files","app":"files"},{"id":"notes","app":"notes"}]`
		if r.URL.Path == "/ocs/v2.php/cloud/capabilities" {
			data = `{"capabilities":{"core":{}}}`
		}
		_, _ = w.Write([]byte(`{"ocs":{"meta":{"status":"ok","statuscode":200,"message":"OK"},"data":` + data + `}}`))
	}))
	defer web.Close()
	base, _ := url.Parse(web.URL)
	newNC := func() tool.Clients {
		return oneClient{nextcloud.New(nextcloud.NewHost(base, nil), nextcloud.Anonymous{}, &nextcloud.ClientOptions{UserID: "alice"})}
	}
	group := func(app, name string) tool.Set {
		g := tool.Group[*client]{Name: app, Title: app, App: app, Client: newClient, Tools: []tool.Of[*client]{
			does(define(name, scope.NotesRead, tool.Reads, tool.Core), func(context.Context) (*nothing, error) { return &nothing{}, nil }),
		}, Resources: []tool.ResourceOf[*client]{
			resource(app+"://list", app+" list", scope.NotesRead, func(tool.Vars) (tool.Content, error) { return tool.Content{Text: app}, nil }),
			resource(app+"://one/{id}", app+" one", scope.NotesRead, func(tool.Vars) (tool.Content, error) { return tool.Content{Text: app}, nil }),
		}}
		return g.Set()
	}
	sets := []tool.Set{group("notes", "nc_notes_x"), group("deck", "nc_deck_x")}
	listed := func(data tool.Clients) (names []string) {
		session := connect(t, setup{sets: sets, data: data})
		for tl, err := range session.Tools(t.Context(), nil) {
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, tl.Name)
		}
		for r, err := range session.Resources(t.Context(), nil) {
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, r.URI)
		}
		for r, err := range session.ResourceTemplates(t.Context(), nil) {
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, r.URITemplate)
		}
		return names
	}
	data := newNC()
	if got, want := listed(data), []string{"nc_notes_x", "notes://list", "notes://one/{id}"}; !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("%d requests for three lists", n)
	}
	session := connect(t, setup{sets: sets, data: data})
	if text, failed := call(t, session, "nc_deck_x", nil); !failed || !strings.Contains(text, `it needs the app "deck"`) || !strings.Contains(text, "administrator can add it") {
		t.Errorf("failed %v: %s", failed, text)
	}
	if text, failed := call(t, session, "nc_notes_x", nil); failed {
		t.Error(text)
	}
	broken.Store(true)
	if got := listed(newNC()); len(got) != 6 {
		t.Errorf("without an answer of Nextcloud, listed %q", got)
	}
}
