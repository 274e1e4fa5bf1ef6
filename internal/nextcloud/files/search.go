package files

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Kind is what a search looks for.
type Kind string

// The kinds.
const (
	Anything Kind = ""
	Files    Kind = "file"
	Folders  Kind = "folder"
)

// Query says what to search for: everything that is given has to hold. Its zero
// value finds everything.
type Query struct {
	Scope    string // a folder; default the root
	Name     string // with * and ? (or %) for what may be anything; without, a part of the name
	Type     string // media type, or its start such as image/
	Kind     Kind
	Favorite bool
	MinSize  int64     // bytes
	MaxSize  int64     // bytes; 0 for no limit
	After    time.Time // changed at or after
	Before   time.Time // changed before
	Order    Order     // default ByModified
	Limit    int       // default 100, at most MaxLimit
	Cursor   string
	Keep     Filter
}

// Found is one page of what a search found.
type Found struct {
	Entries []Entry
	Next    string
}

// The bounds of one search.
const (
	searchBatch    = 500 // results of one request, at least
	searchRequests = 8
)

// nsSearch is the namespace of what SearchDAV, which Nextcloud searches with,
// adds to RFC 5323.
const nsSearch = "https://github.com/icewind1991/SearchDAV/ns"

// folderType is the media type under which Nextcloud's search knows folders.
const folderType = "httpd/unix-directory"

// position is where a search goes on.
type position struct {
	Offset int    `json:"n"`
	First  string `json:"f"` // the first result of all, to see whether the server heeds offsets
	Last   string `json:"l"` // the last one that was seen
}

// Search looks for files and folders in a folder and all that is below it.
func (c *Client) Search(ctx context.Context, q Query) (*Found, error) {
	op := "search for files"
	if q.Order == "" {
		q.Order = ByModified
	}
	match, err := pattern(op, q.Name)
	if err != nil {
		return nil, err
	}
	at, err := readPosition(op, q.Cursor)
	if err != nil {
		return nil, err
	}
	home, err := c.home(ctx)
	if err != nil {
		return nil, err
	}
	scope, err := c.searchScope(ctx, op, q.Scope)
	if err != nil {
		return nil, err
	}
	limit := pageLimit(q.Limit)
	out := &Found{}
	for range searchRequests {
		// One more than the page tells whether there is another one. A filter
		// may drop most of what comes, so less than a batch is never asked for
		// where there is one.
		ask := limit + 1 - len(out.Entries)
		if q.Keep != nil {
			ask = max(ask, searchBatch)
		}
		batch, err := c.searched(ctx, op, home, q, q.request(scope, match, at.Offset, ask))
		if err != nil {
			return nil, err
		}
		came := len(batch)
		rest, ok := at.unseen(batch)
		if !ok {
			return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrInvalid, Message: fmt.Sprintf("this Nextcloud does not give out later pages: ask for a narrower search, or for up to %d at once", MaxLimit)}
		}
		if at.Offset == 0 && came > 0 {
			at.First = batch[0].Path
		}
		for _, e := range rest {
			if len(out.Entries) == limit {
				out.Next = at.cursor()
				return out, nil
			}
			at.Offset++
			at.Last = e.Path
			if q.holds(&e, match) && q.Keep.keeps(&e) {
				out.Entries = append(out.Entries, e)
			}
		}
		// Nextcloud: what is dropped after the limit was applied, such as the
		// folder itself, makes a batch smaller that is not the last one.
		if came < ask-ask/10-1 {
			return out, nil
		}
	}
	out.Next = at.cursor()
	return out, nil
}

// searched are the results of one request.
func (c *Client) searched(ctx context.Context, op, home string, q Query, search dav.Element) ([]Entry, error) {
	var out []Entry
	for r, err := range c.dav.SearchEach(ctx, dav.Query{Op: op, Path: dav.Root + "/"}, search) {
		if err != nil {
			return nil, c.unsearched(ctx, op, q.Scope, err)
		}
		if e, ok := c.entry(home, r); ok {
			out = append(out, e)
		}
	}
	return out, nil
}

// unseen are the results of a batch that did not come before; false when the
// server began anew. Nextcloud: the offset counts what is dropped as well, so a
// batch may begin with some of the last one.
func (p *position) unseen(batch []Entry) ([]Entry, bool) {
	for i, e := range batch {
		if p.Last != "" && e.Path == p.Last {
			return batch[i+1:], true
		}
	}
	return batch, p.Offset == 0 || len(batch) == 0 || batch[0].Path != p.First
}

// searchScope is a folder as a search takes it. Nextcloud: unlike every other
// path, this one is not decoded.
func (c *Client) searchScope(ctx context.Context, op, name string) (string, error) {
	_, clean, err := c.remote(ctx, op, name)
	if err != nil {
		return "", err
	}
	user, err := c.nc.UserID(ctx)
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix("/files/"+string(user)+clean, "/"), nil
}

func (p position) cursor() string {
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // a number and strings
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func readPosition(op, cursor string) (position, error) {
	var p position
	if cursor == "" {
		return p, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil || p.Offset <= 0 {
		return p, invalidf(op, "the cursor is not one that this tool gave; leave it out to start again")
	}
	return p, nil
}

// unsearched explains why a search was refused. Nextcloud: a folder that is not
// there is an invalid search.
func (c *Client) unsearched(ctx context.Context, op, scope string, err error) error {
	if !errors.Is(err, nextcloud.ErrInvalid) && !errors.Is(err, nextcloud.ErrNotFound) {
		return err
	}
	e, statErr := c.Stat(ctx, scope)
	switch {
	case errors.Is(statErr, nextcloud.ErrNotFound):
		return &nextcloud.Error{Op: op, Kind: nextcloud.ErrNotFound, Message: "the folder " + scope + " is not there"}
	case statErr == nil && !e.Folder:
		return invalidf(op, "%s is a file: give the folder to search in", scope)
	}
	return with(err, nextcloud.ErrInvalid, "Nextcloud refuses a search with these conditions")
}

// request is the search as Nextcloud takes it (RFC 5323, 5).
func (q *Query) request(scope string, match glob, offset, limit int) dav.Element {
	prop := func(name xml.Name) dav.Element { return dav.Props(name) }
	compare := func(how string, name xml.Name, literal string) dav.Element {
		return dav.El(dav.Name(dav.NSDAV, how), prop(name), dav.Text(dav.Name(dav.NSDAV, "literal"), literal))
	}
	var all []dav.Element
	if match.like != "" {
		all = append(all, compare("like", davName, match.like))
	}
	if literal := serverType(q.Type); strings.HasSuffix(literal, "%") {
		all = append(all, compare("like", davType, literal))
	} else if literal != "" {
		all = append(all, compare("eq", davType, literal))
	}
	switch q.Kind {
	case Folders:
		all = append(all, compare("eq", davType, folderType))
	case Files:
		all = append(all, dav.El(dav.Name(dav.NSDAV, "not"), compare("eq", davType, folderType)))
	case Anything:
	}
	if q.Favorite {
		all = append(all, compare("eq", ocFavorite, "yes"))
	}
	if q.MinSize > 0 {
		all = append(all, compare("gte", ocSize, strconv.FormatInt(q.MinSize, 10)))
	}
	if q.MaxSize > 0 {
		all = append(all, compare("lte", ocSize, strconv.FormatInt(q.MaxSize, 10)))
	}
	if !q.After.IsZero() {
		all = append(all, compare("gte", davModified, q.After.UTC().Format(time.RFC3339)))
	}
	if !q.Before.IsZero() {
		all = append(all, compare("lt", davModified, q.Before.UTC().Format(time.RFC3339)))
	}
	where := compare("like", davName, "%") // Nextcloud: a search without a condition fails
	switch len(all) {
	case 0:
	case 1:
		where = all[0]
	default:
		where = dav.El(dav.Name(dav.NSDAV, "and"), all...)
	}
	name := func(local string) xml.Name { return dav.Name(dav.NSDAV, local) }
	return dav.El(name("searchrequest"), dav.El(name("basicsearch"),
		dav.El(name("select"), dav.Props(entryProps...)),
		dav.El(name("from"), dav.El(name("scope"), dav.Text(name("href"), scope), dav.Text(name("depth"), "infinity"))),
		dav.El(name("where"), where),
		dav.El(name("orderby"), q.orderBy()...),
		dav.El(name("limit"), dav.Text(name("nresults"), strconv.Itoa(limit)),
			dav.Text(dav.Name(nsSearch, "firstresult"), strconv.Itoa(offset))),
	))
}

func (q *Query) orderBy() []dav.Element {
	name := func(local string) xml.Name { return dav.Name(dav.NSDAV, local) }
	by := func(prop xml.Name, direction string) dav.Element {
		return dav.El(name("order"), dav.Props(prop), dav.El(name(direction)))
	}
	// Pages need an order with as few ties as can be. Nextcloud: ids and paths
	// cannot be sorted by.
	switch q.Order {
	case ByName:
		return []dav.Element{by(davName, "ascending"), by(davModified, "descending"), by(ocSize, "descending")}
	case BySize:
		return []dav.Element{by(ocSize, "descending"), by(davName, "ascending"), by(davModified, "descending")}
	default:
		return []dav.Element{by(davModified, "descending"), by(davName, "ascending"), by(ocSize, "descending")}
	}
}

// holds checks the conditions once more that a server may read more widely.
func (q *Query) holds(e *Entry, match glob) bool {
	return match.fits(e.Name) && q.fitsType(e) &&
		(q.Kind != Files || !e.Folder) && (q.Kind != Folders || e.Folder) &&
		(!q.Favorite || e.Favorite) &&
		e.Size >= q.MinSize && (q.MaxSize == 0 || e.Size <= q.MaxSize) &&
		(q.After.IsZero() || !e.Modified.Before(q.After)) && (q.Before.IsZero() || e.Modified.Before(q.Before))
}

// fullType is a media type as a pattern: "image", "image/", "image/*" and
// "image/%" are all images.
func fullType(t string) string {
	t = strings.ToLower(strings.ReplaceAll(strings.TrimSpace(t), "*", "%"))
	switch {
	case strings.HasSuffix(t, "/"):
		t += "%"
	case t != "" && !strings.ContainsAny(t, "/%"):
		t += "/%"
	}
	return t
}

// serverType is as much of a pattern of types as the server takes. Nextcloud:
// that is "type/subtype" or "type/%".
func serverType(t string) string {
	t = fullType(t)
	major, minor, _ := strings.Cut(t, "/")
	switch {
	case strings.Contains(major, "%"), t == "":
		return ""
	case strings.Contains(minor, "%"):
		return major + "/%"
	}
	return t
}

func (q *Query) fitsType(e *Entry) bool {
	t := fullType(q.Type)
	return t == "" || t == folderType && e.Folder || glob{t, []rune(t)}.fits(e.Type)
}

// glob is a pattern of names, for the server and for the check of its answer.
type glob struct {
	like  string // for LIKE; empty for all
	parts []rune // lower case, with % and _
}

const maxPattern = 250 // bytes

// pattern reads a pattern with *, ? and %, or a part of a name.
func pattern(op, text string) (glob, error) {
	if len(text) > maxPattern {
		return glob{}, invalidf(op, "the pattern of the name is longer than %d bytes", maxPattern)
	}
	if strings.Contains(text, "/") {
		return glob{}, invalidf(op, "a name holds no slash: say the folder in scope")
	}
	text = strings.TrimSpace(text)
	if text == "" || strings.Trim(text, "*%") == "" {
		return glob{}, nil
	}
	like := strings.NewReplacer("*", "%", "?", "_").Replace(text)
	if !strings.ContainsAny(text, "*?%") {
		like = "%" + like + "%"
	}
	return glob{like, []rune(strings.ToLower(like))}, nil
}

// fits reports whether a name fits. A _ fits itself and, as in LIKE, any one
// character.
func (g glob) fits(name string) bool {
	if g.like == "" {
		return true
	}
	// The usual two-finger match: star is the last %, and mark where it began.
	text := []rune(strings.ToLower(name))
	p, i, star, mark := 0, 0, -1, 0
	for i < len(text) {
		switch {
		case p < len(g.parts) && g.parts[p] == '%':
			star, mark = p, i
			p++
		case p < len(g.parts) && (g.parts[p] == '_' || g.parts[p] == text[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return !slices.ContainsFunc(g.parts[p:], func(r rune) bool { return r != '%' })
}
