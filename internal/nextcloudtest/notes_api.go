package nextcloudtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// notesRoot is where the Notes app answers.
const notesRoot = "/apps/notes/api/"

// noteJSON is a note on the wire, fields in the app's order. Excluded ones are nil.
type noteJSON struct {
	ID           int     `json:"id"`
	Title        *string `json:"title,omitempty"`
	Modified     *int64  `json:"modified,omitempty"`
	Category     *string `json:"category,omitempty"`
	Favorite     *bool   `json:"favorite,omitempty"`
	ReadOnly     *bool   `json:"readonly,omitempty"`
	InternalPath *string `json:"internalPath,omitempty"`
	ShareTypes   *[]int  `json:"shareTypes,omitempty"`
	IsShared     *bool   `json:"isShared,omitempty"`
	Error        *bool   `json:"error,omitempty"`
	ErrorType    *string `json:"errorType,omitempty"`
	Content      *string `json:"content,omitempty"`
	ETag         *string `json:"etag,omitempty"`
}

// data shows a note. Nextcloud: the ETag cannot be excluded.
func (n *note) data(exclude []string) noteJSON {
	shown := func(field string) bool { return !slices.Contains(exclude, field) }
	out := noteJSON{ID: n.id, Error: new(bool), ErrorType: new(string), ETag: new(n.etag())}
	if shown("title") {
		out.Title = new(n.title)
	}
	if shown("modified") {
		out.Modified = new(n.modified)
	}
	if shown("category") {
		out.Category = new(n.category)
	}
	if shown("favorite") {
		out.Favorite = new(n.favorite)
	}
	out.ReadOnly = new(n.readOnly)
	out.InternalPath = new(n.path())
	out.ShareTypes = &[]int{}
	out.IsShared = new(n.readOnly)
	if shown("content") {
		out.Content = new(n.content)
	}
	return out
}

// routesNotes registers the REST API of the Notes app. Everything below its root is one handler: which routes exist
// depends on the version in the path, and what is none of them is a GET route of its own that answers 400.
func (s *Server) routesNotes() {
	s.handle(notesRoot, familyCORS, s.serveNotes)
}

// notesRequest is one request to the Notes app.
type notesRequest struct {
	*http.Request
	w       http.ResponseWriter
	book    *notebook
	version string
	params  map[string]any
}

func (s *Server) serveNotes(w http.ResponseWriter, r *http.Request, a *account) {
	version, route, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, notesRoot), "/")
	name, argument, _ := strings.Cut(route, "/")
	id, idErr := strconv.Atoi(argument)
	book := a.notes
	req := &notesRequest{Request: r, w: w, book: book, version: version, params: phpParams(r)}
	known := version == "v1" || version == "v0.2"
	if name != "attachment" {
		w.Header().Set("X-Notes-API-Versions", "0.2, 1.3, 1.4")
	}
	book.files.store.mu.Lock()
	defer book.files.store.mu.Unlock()
	switch {
	case known && route == "notes" && r.Method == http.MethodGet:
		req.list()
	case known && route == "notes" && r.Method == http.MethodPost:
		req.create()
	case known && name == "notes" && idErr == nil && isDigits(argument):
		req.one(id)
	case version == "v1" && route == "settings" && r.Method == http.MethodGet:
		writeJSON(w, http.StatusOK, book.settings)
	case version == "v1" && route == "settings" && r.Method == http.MethodPut:
		book.set(notesSettings{NotesPath: req.text("notesPath"), FileSuffix: req.text("fileSuffix"), NoteMode: req.text("noteMode")})
		writeJSON(w, http.StatusOK, book.settings)
	case version == "v1.4" && name == "attachment" && idErr == nil && isDigits(argument):
		req.attachment(id)
	case r.Method == http.MethodGet:
		w.Header().Set("X-Notes-API-Versions", "0.2, 1.3, 1.4")
		writeJSON(w, http.StatusBadRequest, []int{})
	default:
		req.wrongMethod()
	}
}

// wrongMethod: only GET has a catch-all route.
func (r *notesRequest) wrongMethod() {
	r.w.Header().Del("X-Notes-API-Versions")
	r.w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	r.w.WriteHeader(http.StatusMethodNotAllowed)
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// fail answers an error: a class name and nothing else.
func (r *notesRequest) fail(err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, errNoNote):
		status = http.StatusNotFound
	case errors.Is(err, errNoteReadOnly):
		status = http.StatusForbidden
	case errors.Is(err, errNotesFull):
		status = http.StatusInsufficientStorage
	}
	writeJSON(r.w, status, map[string]string{"errorType": "Exception"})
}

func (r *notesRequest) one(id int) {
	n, err := r.book.get(id)
	if r.Method != http.MethodGet && r.Method != http.MethodPut && r.Method != http.MethodDelete {
		r.wrongMethod()
		return
	}
	if err != nil {
		r.fail(err)
		return
	}
	switch r.Method {
	case http.MethodGet:
		r.w.Header().Set("ETag", `"`+n.etag()+`"`)
		if matchesETag(r.Header.Get("If-None-Match"), n.etag()) {
			r.w.WriteHeader(http.StatusNotModified)
			return
		}
		writeJSON(r.w, http.StatusOK, n.data(r.exclude()))
	case http.MethodDelete:
		if err := r.book.remove(n); err != nil {
			r.fail(err)
			return
		}
		writeJSON(r.w, http.StatusOK, []int{})
	case http.MethodPut:
		r.update(n)
	}
}

func (r *notesRequest) update(n *note) {
	// Notes: an ETag only counts with its quotes, and * is no wildcard.
	if match := r.Header.Get("If-Match"); match != "" {
		var candidates []string
		for candidate := range strings.SplitSeq(match, ",") {
			candidates = append(candidates, strings.TrimLeft(candidate, " \t"))
		}
		if !slices.Contains(candidates, `"`+n.etag()+`"`) {
			writeJSON(r.w, http.StatusPreconditionFailed, n.data(nil))
			return
		}
	}
	d := r.draft()
	if r.version == "v0.2" {
		content := n.content
		if d.content != nil {
			content = *d.content
		}
		d.title = new(titleOf(content))
	}
	changed, err := r.book.update(n, d)
	if err != nil {
		r.fail(err)
		return
	}
	writeJSON(r.w, http.StatusOK, changed.data(nil))
}

func (r *notesRequest) create() {
	d := r.draft()
	if r.version == "v0.2" {
		d.title = new(titleOf(deref(d.content)))
	}
	n, err := r.book.create(d)
	if err != nil {
		r.fail(err)
		return
	}
	writeJSON(r.w, http.StatusOK, n.data(nil))
}

// list answers with all notes, or a chunk of them. The notes of other chunks, and those older than pruneBefore, follow
// as bare ids on the last page, so that a client can tell what was deleted.
func (r *notesRequest) list() {
	now := r.book.now()
	cursor, hasCursor := parseChunkCursor(r.text("chunkCursor"))
	started := now.Unix()
	if hasCursor {
		started = cursor.started
	}
	pruneBefore, _ := strconv.ParseInt(r.text("pruneBefore"), 10, 64)
	size, _ := strconv.Atoi(r.text("chunkSize"))
	notes := r.book.list()
	if category, ok := r.params["category"]; ok {
		notes = slices.DeleteFunc(notes, func(n *note) bool { return n.category != phpText(category) })
	}
	var full []*note
	for _, n := range notes {
		pruned := pruneBefore != 0 && n.lastUpdate < pruneBefore
		seen := hasCursor && (n.lastUpdate < cursor.lastUpdate || (n.lastUpdate == cursor.lastUpdate && n.id <= cursor.id))
		if !pruned && !seen {
			full = append(full, n)
		}
	}
	pending := 0
	if size > 0 && len(full) > size {
		pending = len(full) - size
		full = full[:size]
	}
	exclude := r.exclude()
	out := make([]any, 0, len(notes))
	shown := map[int]bool{}
	for _, n := range full {
		shown[n.id] = true
		out = append(out, n.data(exclude))
	}
	if pending > 0 {
		last := full[len(full)-1]
		r.w.Header().Set("X-Notes-Chunk-Cursor", fmt.Sprintf("%d-%d-%d", started, last.lastUpdate, last.id))
		r.w.Header().Set("X-Notes-Chunk-Pending", strconv.Itoa(pending))
	} else {
		for _, n := range notes {
			if !shown[n.id] {
				out = append(out, map[string]int{"id": n.id})
			}
		}
	}
	r.writeList(out)
}

func (r *notesRequest) writeList(out []any) {
	etag := md5Hex(string(phpJSON(out)))
	// Notes: Last-Modified is the moment of the answer, useless as a validator.
	modified := r.book.now().UTC().Format(http.TimeFormat)
	r.w.Header().Set("Last-Modified", modified)
	r.w.Header().Set("ETag", `"`+etag+`"`)
	if matchesETag(r.Header.Get("If-None-Match"), etag) || r.Header.Get("If-Modified-Since") == modified {
		r.w.WriteHeader(http.StatusNotModified)
		return
	}
	writeJSON(r.w, http.StatusOK, out)
}

// chunkCursor is where a chunked listing goes on.
type chunkCursor struct {
	started, lastUpdate int64
	id                  int
}

// parseChunkCursor reads a cursor; one that is none is ignored, so the listing begins again.
func parseChunkCursor(s string) (chunkCursor, bool) {
	parts := strings.Split(s, "-")
	if len(parts) != 3 {
		return chunkCursor{}, false
	}
	started, err1 := strconv.ParseInt(parts[0], 10, 64)
	lastUpdate, err2 := strconv.ParseInt(parts[1], 10, 64)
	id, err3 := strconv.Atoi(parts[2])
	return chunkCursor{started, lastUpdate, id}, errors.Join(err1, err2, err3) == nil
}

func (r *notesRequest) exclude() []string { return strings.Split(r.text("exclude"), ",") }

func (r *notesRequest) text(name string) string { return phpText(r.params[name]) }

// draft reads what the request says about a note.
func (r *notesRequest) draft() draft {
	var d draft
	for name, field := range map[string]**string{"title": &d.title, "content": &d.content, "category": &d.category} {
		if v, ok := r.params[name]; ok && v != nil {
			*field = new(phpText(v))
		}
	}
	if v, ok := r.params["modified"]; ok && v != nil {
		modified, _ := strconv.ParseFloat(phpText(v), 64)
		d.modified = new(int64(modified))
	}
	if v, ok := r.params["favorite"]; ok && v != nil {
		text := phpText(v)
		d.favorite = new(text != "" && text != "0" && !strings.EqualFold(text, "false"))
	}
	return d
}

// phpParams merges query and body the way Nextcloud does. A body that cannot be read, or whose type is not named, counts
// as empty: hence broken JSON creates an empty note.
func phpParams(r *http.Request) map[string]any {
	params := map[string]any{}
	add := func(values url.Values) {
		for name, v := range values {
			params[name] = v[len(v)-1]
		}
	}
	add(r.URL.Query())
	contentType := r.Header.Get("Content-Type")
	switch {
	case strings.Contains(contentType, "application/json"):
		decoder := json.NewDecoder(r.Body)
		decoder.UseNumber()
		var body map[string]any
		if decoder.Decode(&body) == nil {
			maps.Copy(params, body)
		}
	case strings.HasPrefix(contentType, "application/x-www-form-urlencoded"):
		if r.ParseForm() == nil {
			add(r.PostForm)
		}
	}
	return params
}

// phpText converts a JSON value to a string as PHP does.
func phpText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		if v {
			return "1"
		}
	}
	return ""
}
