package search

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	api "nextcloud-mcp-server/internal/nextcloud/search"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// area says who may see the results of a provider, and which documents they
// are.
type area struct {
	scope scope.Scope
	kind  string
	// id finds the id of the document in a result; "" when it is not there.
	id func(api.Entry) string
}

// areas are the areas of the providers that belong to one, by the id of the
// provider. Others belong to apps that this server has no scope for, so that
// nobody could have been asked about them: a granted connection does not see
// them.
var areas = map[string]area{
	"files":                    {scope.FilesRead, "file", attribute("path")},
	"fulltextsearch":           {scope.FilesRead, "", nil},
	"systemtags":               {scope.FilesRead, "", nil},
	"comments":                 {scope.FilesRead, "", nil},
	"notes":                    {scope.NotesRead, "note", inURL(`/apps/notes/note/(\d+)$`)},
	"calendar":                 {scope.CalendarRead, "event", calendarObject},
	"tasks":                    {scope.TodoRead, "task", nil},
	"contacts":                 {scope.ContactsRead, "contact", nil},
	"circles":                  {scope.PeopleRead, "", nil},
	"users":                    {scope.PeopleRead, "", nil},
	"search-deck-card-board":   {scope.DeckRead, "card", inURL(`/apps/deck/board/(\d+/card/\d+)$`)},
	"search-deck-comment":      {scope.DeckRead, "card", inURL(`/apps/deck/board/(\d+/card/\d+)`)},
	"talk-message":             {scope.TalkRead, "message", talkMessage},
	"talk-message-current":     {scope.TalkRead, "message", talkMessage},
	"talk-conversations":       {scope.TalkRead, "", nil},
	"mail":                     {scope.MailRead, "mail", inURL(`/apps/mail/.*/thread/(\d+)`)},
	"tables-search-tables":     {scope.TablesRead, "", nil},
	"cookbook":                 {scope.CookbookRead, "recipe", inURL(`/apps/cookbook/#/recipe/(\d+)$`)},
	"collectives":              {scope.CollectivesRead, "", nil},
	"collectives-pages":        {scope.CollectivesRead, "page", attribute("fileId")},
	"collectives-page-content": {scope.CollectivesRead, "page", attribute("fileId")},
	"news_folder":              {scope.NewsRead, "", nil},
	"news_feed":                {scope.NewsRead, "", nil},
	"news_item":                {scope.NewsRead, "article", nil},
	"bookmarks":                {scope.BookmarksRead, "", nil},
	"polls":                    {scope.PollsRead, "", nil},
	"forms":                    {scope.FormsRead, "", nil},
	"photos":                   {scope.PhotosRead, "", nil},
	"maps":                     {scope.MapsRead, "", nil},
}

// quiet are providers that find no data of the person. They are searched only
// when they are named.
var quiet = []string{"settings", "appstore", "settings_apps", "help"}

// sources are the providers to ask: those that names pick, or all but the quiet
// and the external ones. Providers of areas that the caller may not read are
// not among them.
func sources(ctx context.Context, c *api.Client, names []string) ([]api.Provider, error) {
	all, err := c.Providers(ctx)
	if err != nil {
		return nil, err
	}
	var out []api.Provider
	var known []string
	found := map[string]bool{}
	for _, p := range all {
		if !permitted(ctx, p) {
			continue
		}
		known = append(known, p.ID)
		picked := len(names) == 0 && !slices.Contains(quiet, p.ID) && !p.External
		for _, name := range names {
			if means(p, name) {
				picked, found[name] = true, true
			}
		}
		if picked {
			out = append(out, p)
		}
	}
	for _, name := range names {
		if !found[name] {
			return nil, tool.Invalidf("There is no source %q that this connection may read. There are: %s.", shorten(name), strings.Join(known, ", "))
		}
	}
	if len(out) == 0 {
		return nil, tool.Invalidf("This connection may read nothing that can be searched. The person has to allow it more areas.")
	}
	return out[:min(len(out), maxSources)], nil
}

// means reports whether a name that people use stands for a provider.
func means(p api.Provider, name string) bool {
	name = strings.ToLower(strings.TrimSpace(name))
	area, _, _ := strings.Cut(string(areas[p.ID].scope), ".")
	return name != "" && (name == strings.ToLower(p.ID) || name == strings.ToLower(p.App) || name == area || name == strings.ToLower(p.Name))
}

// permitted reports whether the caller may see the results of a provider.
func permitted(ctx context.Context, p api.Provider) bool {
	a, ok := areas[p.ID]
	if !ok {
		caller := tool.Caller(ctx)
		return caller != nil && caller.Trusted && len(caller.Policy.Folders) == 0
	}
	// Only results with a path can be checked against folders and excluded tags.
	if a.scope == scope.FilesRead && p.ID != "files" && tool.Hiding(ctx) {
		return false
	}
	return tool.Permits(ctx, a.scope, p.ID == "files")
}

// hidden reports whether the folders of the connection, or a system tag that
// takes files away from all tools, hide a result.
func hidden(p api.Provider, e api.Entry, visible func(path string) bool) bool {
	return p.ID == "files" && (e.Attributes["path"] == "" || !visible(e.Attributes["path"]))
}

// identify is the id by which fetch reads a result: that of a document, or the
// result itself when there is no more to read.
func identify(ctx context.Context, p api.Provider, e api.Entry) string {
	if a := areas[p.ID]; a.kind != "" && a.id != nil && tool.MayRead(ctx, a.kind) {
		if id := a.id(e); id != "" {
			return a.kind + ":" + id
		}
	}
	return entryID(e)
}

// entryKind begins the ids of results that are all there is to read.
const entryKind = "entry"

// entry is a result inside its own id, so that nothing has to be kept.
type entry struct {
	Title string `json:"t"`
	About string `json:"a,omitempty"`
	URL   string `json:"u,omitempty"`
}

// maxAbout bounds the excerpt inside an id, in characters.
const maxAbout = 300

func entryID(e api.Entry) string {
	about := []rune(e.Subline)
	b, err := json.Marshal(entry{e.Title, string(about[:min(len(about), maxAbout)]), e.URL})
	if err != nil {
		return entryKind + ":"
	}
	return entryKind + ":" + base64.RawURLEncoding.EncodeToString(b)
}

// entryOf is the result inside an id.
func entryOf(whole, id string) (*Document, error) {
	b, err := base64.RawURLEncoding.DecodeString(id)
	var e entry
	if err != nil || json.Unmarshal(b, &e) != nil {
		return nil, tool.Invalidf("%q is no id of a result. Take one from search.", shorten(whole))
	}
	return &Document{ID: whole, Title: e.Title, Text: strings.TrimSpace(e.Title + "\n" + e.About), URL: e.URL}, nil
}

func attribute(name string) func(api.Entry) string {
	return func(e api.Entry) string { return e.Attributes[name] }
}

func inURL(pattern string) func(api.Entry) string {
	re := regexp.MustCompile(pattern)
	return func(e api.Entry) string {
		if m := re.FindStringSubmatch(e.URL); m != nil {
			return m[1]
		}
		return ""
	}
}

var calendarURL = regexp.MustCompile(`/apps/calendar/(?:[^/]+/)*edit/(?:sidebar/|full/|popover/)?([A-Za-z0-9+/=_-]+)`)

// calendarObject is calendar and object of an event: its link holds the address
// of the object in Base64.
func calendarObject(e api.Entry) string {
	m := calendarURL.FindStringSubmatch(e.URL)
	if m == nil {
		return ""
	}
	b, err := base64.StdEncoding.DecodeString(m[1])
	if err != nil {
		return ""
	}
	parts := strings.Split(strings.Trim(string(b), "/"), "/")
	if len(parts) < 2 {
		return ""
	}
	return strings.Join(parts[len(parts)-2:], "/")
}

func talkMessage(e api.Entry) string {
	token, id := e.Attributes["conversation"], e.Attributes["messageId"]
	if token == "" || id == "" {
		return ""
	}
	return token + "/" + id
}
