package nextcloudtest

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// searchProvider is one source of the unified search.
type searchProvider struct {
	id, app, name string
	order         int
	filters       []string // beside term
	paginated     bool
	find          func(s *Server, base string, a *account, term string) []searchEntry
}

// searchEntry is one result.
type searchEntry struct {
	ThumbnailURL string            `json:"thumbnailUrl"`
	Title        string            `json:"title"`
	Subline      string            `json:"subline"`
	ResourceURL  string            `json:"resourceUrl"`
	Icon         string            `json:"icon"`
	Rounded      bool              `json:"rounded"`
	Attributes   map[string]string `json:"-"`
}

// answer is the entry as PHP writes it: attributes are [] when there are none.
func (e searchEntry) answer() map[string]any {
	out := map[string]any{
		"thumbnailUrl": e.ThumbnailURL, "title": e.Title, "subline": e.Subline, "resourceUrl": e.ResourceURL, "icon": e.Icon, "rounded": e.Rounded,
		"attributes": noData,
	}
	if len(e.Attributes) > 0 {
		out["attributes"] = e.Attributes
	}
	return out
}

// searchProviders are those of the apps that are simulated, in the order of a real Nextcloud.
func (s *Server) searchProviders() []searchProvider {
	list := []searchProvider{
		{id: "calendar", app: "dav", name: "Events", order: 30, filters: []string{"person", "since", "until"}, paginated: true, find: findEvents("VEVENT")},
		{id: "tasks", app: "dav", name: "Tasks", order: 35, paginated: true, find: findEvents("VTODO")},
		{
			id: "files", app: "files", name: "Files", order: 5, paginated: true, find: findFiles,
			filters: []string{"since", "until", "person", "min-size", "max-size", "mime", "type", "path", "is-favorite", "title-only"},
		},
		{id: "settings", app: "settings", name: "Settings", order: 500, find: findSettings},
	}
	if !s.opts.DisableNotes {
		list = append(list, searchProvider{id: "notes", app: "notes", name: "Notes", order: 4, find: findNotes})
	}
	if !s.opts.DisableDeck {
		list = append(list, s.deckProviders()...)
	}
	if !s.opts.DisableMail {
		list = append(list, searchProvider{id: "mail", app: "mail", name: "Mails", order: 20, filters: []string{"since", "until", "person"}, paginated: true, find: findMail})
	}
	if !s.opts.DisableTalk {
		list = append(list, searchProvider{
			id: "talk-message", app: "spreed", name: "Messages", order: 15, filters: []string{"since", "until", "person"}, paginated: true, find: findTalkMessages,
		})
	}
	slices.SortStableFunc(list, func(a, b searchProvider) int { return a.order - b.order })
	return list
}

// filterTypes are the types of the filters that providers have.
var filterTypes = map[string]string{
	"since": "datetime", "until": "datetime", "person": "person", "min-size": "int", "max-size": "int", "mime": "string", "type": "string", "path": "string",
	"is-favorite": "bool", "title-only": "bool",
}

func (s *Server) routesSearch() {
	s.handle("GET /ocs/v2.php/search/providers", familyOCS, func(w http.ResponseWriter, r *http.Request, _ *account) {
		list := []any{}
		for _, p := range s.searchProviders() {
			filters := map[string]string{"term": "string"}
			for _, f := range p.filters {
				filters[f] = filterTypes[f]
			}
			list = append(list, map[string]any{
				"id": p.id, "appId": p.app, "name": p.name, "icon": "/apps/" + p.app + "/img/app.svg", "order": p.order,
				"isExternalProvider": false, "triggers": []string{p.id}, "filters": filters, "inAppSearch": false,
			})
		}
		w.Header().Set("ETag", `"`+md5Hex(string(phpJSON(list)))+`"`)
		writeOCS(w, r, list)
	})
	s.handle("GET /ocs/v2.php/search/providers/{id}/search", familyOCS, s.search)
}

func (s *Server) search(w http.ResponseWriter, r *http.Request, a *account) {
	all := s.searchProviders()
	i := slices.IndexFunc(all, func(p searchProvider) bool { return p.id == r.PathValue("id") })
	if i < 0 {
		// Nextcloud: an unknown provider is an internal server error.
		writeOCSFailure(w, r, ocsServerError, "Internal Server Error\n")
		return
	}
	q := r.URL.Query()
	term := strings.TrimSpace(q.Get("term"))
	if term == "" {
		writeEnvelope(w, r, http.StatusBadRequest, "", "No valid filters provided")
		return
	}
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil || limit <= 0 {
		limit = 5
	}
	limit = min(limit, 25)
	p := all[i]
	found := p.find(s, s.base(r), a, strings.ToLower(term))
	offset := 0
	if p.paginated {
		offset, _ = strconv.Atoi(q.Get("cursor"))
		offset = min(max(offset, 0), len(found))
		found = found[offset:]
	}
	if p.id != "notes" { // Nextcloud: the Notes app answers all, whatever the limit.
		found = found[:min(len(found), limit)]
	}
	entries := []any{}
	for _, e := range found {
		entries = append(entries, e.answer())
	}
	var cursor any
	if p.paginated {
		// Nextcloud: the cursor is there even when nothing follows.
		cursor = offset + len(found)
	}
	writeOCS(w, r, map[string]any{"name": p.name, "isPaginated": p.paginated, "entries": entries, "cursor": cursor})
}

func findNotes(_ *Server, base string, a *account, term string) []searchEntry {
	a.notes.files.store.mu.Lock()
	defer a.notes.files.store.mu.Unlock()
	var out []searchEntry
	for _, n := range a.notes.list() {
		if strings.Contains(strings.ToLower(n.title+"\n"+n.content), term) {
			out = append(out, searchEntry{
				Title: n.title, Subline: excerptOf(n.content), Icon: "icon-notes-trans", ResourceURL: fmt.Sprintf("%s/index.php/apps/notes/note/%d", base, n.id),
			})
		}
	}
	return out
}

// findFiles finds files and folders by their names.
func findFiles(_ *Server, base string, a *account, term string) []searchEntry {
	files := a.notes.files
	files.store.mu.Lock()
	defer files.store.mu.Unlock()
	var found []spot
	files.rootSpot().walk(func(p spot) {
		if p.path == "/" || !strings.Contains(strings.ToLower(p.node.name), term) {
			return
		}
		found = append(found, p)
	})
	slices.SortFunc(found, func(a, b spot) int { return strings.Compare(a.path, b.path) })
	var out []searchEntry
	for _, p := range found {
		id := strconv.Itoa(p.node.id)
		out = append(out, searchEntry{
			ThumbnailURL: base + "/core/preview?x=32&y=32&fileId=" + id, Title: p.node.name, ResourceURL: base + "/f/" + id,
			Icon: "/apps/theming/img/core/filetypes/text.svg?v=5a5ce6a7", Attributes: map[string]string{"fileId": id, "path": p.path},
		})
	}
	return out
}

// findEvents finds objects of one component by the text of its properties.
func findEvents(component string) func(*Server, string, *account, string) []searchEntry {
	return func(_ *Server, base string, a *account, term string) []searchEntry {
		home := a.calendars
		home.lock.Lock()
		defer home.lock.Unlock()
		var out []searchEntry
		for _, c := range home.calendars {
			for _, uri := range slices.Sorted(maps.Keys(c.objects)) {
				o := c.objects[uri]
				title, ok := matchComponent(o, component, term)
				if !ok || !o.deletedAt.IsZero() || !c.deletedAt.IsZero() {
					continue
				}
				link := base + "/index.php/apps/tasks/#/calendars/" + c.uri + "/tasks/" + url.PathEscape(o.uri)
				if component == "VEVENT" {
					dav := "/remote.php/dav/calendars/" + a.id + "/" + c.uri + "/" + o.uri
					link = base + "/index.php/apps/calendar/edit/" + base64.StdEncoding.EncodeToString([]byte(dav))
				}
				out = append(out, searchEntry{Title: title, Subline: c.uri, ResourceURL: link, Icon: "icon-calendar-dark"})
			}
		}
		return out
	}
}

// matchComponent is the summary of an object that holds term in one of the properties that Nextcloud indexes.
func matchComponent(o *calendarObject, component, term string) (title string, ok bool) {
	if o.component != component {
		return "", false
	}
	for line := range strings.Lines(strings.NewReplacer("\r\n ", "", "\n ", "").Replace(o.data)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		name, _, _ = strings.Cut(name, ";")
		switch strings.ToUpper(name) {
		case "SUMMARY":
			if title == "" {
				title = value
			}
			fallthrough
		case "LOCATION", "DESCRIPTION", "ATTENDEE", "ORGANIZER", "CATEGORIES", "COMMENT":
			ok = ok || strings.Contains(strings.ToLower(value), term)
		}
	}
	return title, ok
}

func findSettings(_ *Server, base string, _ *account, term string) []searchEntry {
	if !slices.Contains([]string{"personal", "info", "security"}, term) {
		return nil
	}
	return []searchEntry{{Title: "Personal info", Subline: "Settings", ResourceURL: base + "/index.php/settings/user", Icon: "icon-settings-dark"}}
}

// excerptOf is the first line of a note that says something.
func excerptOf(content string) string {
	for line := range strings.Lines(content) {
		if line = strings.TrimSpace(line); line != "" {
			return line[:min(len(line), 100)]
		}
	}
	return ""
}
