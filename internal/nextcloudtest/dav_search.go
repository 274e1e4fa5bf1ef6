package nextcloudtest

import (
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// nsSearch is the namespace of what SearchDAV adds to DASL.
const nsSearch = "https://github.com/icewind1991/SearchDAV/ns"

// defaultResults is how many files a search without a limit finds at most. Nextcloud: it says nothing about the rest.
const defaultResults = 100

// maxSearchOperators bounds one search.
const maxSearchOperators = 100

// searchColumn is what one property is searched by.
type searchColumn struct {
	text    func(spot) string
	number  func(spot) int64
	date    bool
	boolean bool
}

var searchColumns = map[xml.Name]searchColumn{
	{Space: nsDAV, Local: "displayname"}:      {text: func(p spot) string { return p.place.name }},
	{Space: nsDAV, Local: "getcontenttype"}:   {text: spot.mimeType},
	{Space: nsDAV, Local: "getlastmodified"}:  {number: func(p spot) int64 { return p.node.mtime }, date: true},
	{Space: nsDAV, Local: "creationdate"}:     {number: func(p spot) int64 { return p.node.created }, date: true},
	{Space: nsFiles, Local: "upload_time"}:    {number: func(p spot) int64 { return p.node.uploaded }, date: true},
	{Space: nsOwnCloud, Local: "size"}:        {number: func(p spot) int64 { return p.node.size }},
	{Space: nsOwnCloud, Local: "fileid"}:      {number: func(p spot) int64 { return int64(p.node.id) }},
	{Space: nsOwnCloud, Local: "favorite"}:    {number: func(p spot) int64 { return p.favorite() }, boolean: true},
	{Space: nsFiles, Local: "last_activity"}:  {number: func(p spot) int64 { return max(p.node.mtime, p.node.uploaded) }, date: true},
	{Space: nsOwnCloud, Local: "owner-id"}:    {text: func(p spot) string { return p.node.home.owner.id }},
	{Space: nsOwnCloud, Local: "permissions"}: {},
}

func (p spot) mimeType() string {
	if p.node.isFolder() {
		return "httpd/unix-directory"
	}
	return typeOfName(p.node.name)
}

func (p spot) favorite() int64 {
	if p.node.favoriteOf[p.home.owner.id] {
		return 1
	}
	return 0
}

var (
	errSearchProperty = errors.New("requested search property is not a valid property for this scope")
	errSearchScope    = errors.New("You need to specify a scope for the search.") //nolint:staticcheck,revive // Nextcloud's words
)

// serveSearch answers SEARCH at the root of the tree (RFC 5323, basicsearch).
func (s *Server) serveSearch(w http.ResponseWriter, r *http.Request, a *account) {
	if t := r.Header.Get("Content-Type"); !strings.Contains(t, "text/xml") && !strings.Contains(t, "application/xml") {
		writeDAVFailure(w, davNotImplemented(r.Method))
		return
	}
	w.Header().Set("Content-Type", `application/xml; charset="utf-8"`)
	refuse := func(err error) {
		w.WriteHeader(http.StatusBadRequest)
		writeString(w, err.Error())
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDAVBody))
	if err != nil {
		refuse(err)
		return
	}
	root, err := parseXML(body)
	if err != nil {
		refuse(fmt.Errorf("Parse error: %w", err)) //nolint:staticcheck // Nextcloud's words
		return
	}
	q, err := parseSearch(root, a.id)
	if err != nil {
		refuse(err)
		return
	}
	s.files.answer(w, func(w http.ResponseWriter) io.Reader {
		found, err := q.run(a.files)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			writeString(w, err.Error())
			return nil
		}
		responses := make([]*xmlNode, 0, len(found))
		for _, p := range found {
			responses = append(responses, p.resource(q.request).response(q.request))
		}
		w.WriteHeader(http.StatusMultiStatus)
		writeString(w, writeXML(node(nsDAV, "multistatus", responses...), filePrefixes, `<?xml version="1.0"?>`, "")+"\n")
		return nil
	})
}

// fileSearch is one query.
type fileSearch struct {
	request       propRequest
	scopes        []string
	match         func(spot) bool
	order         []func(a, b spot) int
	limit, offset int
}

func parseSearch(root *xmlNode, uid string) (*fileSearch, error) {
	basic := root.child(nsDAV, "basicsearch")
	if !root.is(nsDAV, "searchrequest") || basic == nil {
		return nil, errors.New("Unexpected document type for this Content-Type, expected {DAV:}searchrequest") //nolint:staticcheck // Nextcloud's words
	}
	q := &fileSearch{limit: defaultResults}
	if selected := basic.child(nsDAV, "select"); selected != nil && selected.child(nsDAV, "prop") != nil {
		q.request.names = selected.child(nsDAV, "prop").children
	}
	from := basic.child(nsDAV, "from")
	if from == nil {
		return nil, errSearchScope
	}
	for _, scope := range from.all(nsDAV, "scope") {
		href := scope.child(nsDAV, "href")
		if href == nil {
			continue
		}
		// Nextcloud: this path is taken as it stands, without decoding it.
		segments := strings.FieldsFunc(strings.TrimPrefix(href.text, strings.TrimSuffix(davRoot, "/")), func(r rune) bool { return r == '/' })
		if len(segments) < 2 || segments[0] != "files" || segments[1] != uid {
			return nil, fmt.Errorf("%s is not a valid scope", href.text)
		}
		q.scopes = append(q.scopes, path.Join("/", strings.Join(segments[2:], "/")))
	}
	if len(q.scopes) == 0 {
		return nil, errSearchScope
	}
	where := basic.child(nsDAV, "where")
	if where == nil || len(where.children) == 0 {
		return nil, errors.New("Parse error: Missing {DAV:}where from {DAV:}basicsearch") //nolint:staticcheck // Nextcloud's words
	}
	count := 0
	var err error
	if q.match, err = compileSearch(where.children[0], &count); err != nil {
		return nil, err
	}
	if count > maxSearchOperators {
		return nil, fmt.Errorf("Invalid search query, maximum operator limit of %d exceeded, got %d operators", maxSearchOperators, count) //nolint:staticcheck // Nextcloud's words
	}
	if err := q.parseOrder(basic.child(nsDAV, "orderby")); err != nil {
		return nil, err
	}
	if limit := basic.child(nsDAV, "limit"); limit != nil {
		if n := limit.child(nsDAV, "nresults"); n != nil {
			if results, _ := strconv.Atoi(strings.TrimSpace(n.text)); results > 0 {
				q.limit = results
			}
		}
		if n := limit.child(nsSearch, "firstresult"); n != nil {
			q.offset, _ = strconv.Atoi(strings.TrimSpace(n.text))
		}
	}
	return q, nil
}

func (q *fileSearch) parseOrder(orderBy *xmlNode) error {
	if orderBy == nil {
		return nil
	}
	for _, order := range orderBy.all(nsDAV, "order") {
		prop := order.child(nsDAV, "prop")
		if prop == nil || len(prop.children) == 0 {
			continue
		}
		column, ok := searchColumns[prop.children[0].name]
		if !ok || (column.text == nil && column.number == nil) {
			return errSearchProperty
		}
		sign := 1
		if order.child(nsDAV, "descending") != nil {
			sign = -1
		}
		q.order = append(q.order, func(a, b spot) int {
			if column.number != nil {
				return sign * cmp.Compare(column.number(a), column.number(b))
			}
			return sign * cmp.Compare(column.text(a), column.text(b))
		})
	}
	return nil
}

// run searches below the scopes.
func (q *fileSearch) run(home *fileHome) ([]spot, error) {
	var found []spot
	roots := map[*fileNode]bool{}
	for _, scope := range q.scopes {
		p, ok := home.find(scope)
		if !ok || !p.node.isFolder() {
			return nil, fmt.Errorf("/files/%s%s is not a valid scope", home.owner.id, scope)
		}
		// Nextcloud: the folder itself is found as well and dropped after the limit, so a page may be short.
		roots[p.node] = true
		if q.match(p) {
			found = append(found, p)
		}
		p.walk(func(s spot) {
			if q.match(s) {
				found = append(found, s)
			}
		})
	}
	slices.SortFunc(found, func(a, b spot) int {
		for _, order := range q.order {
			if c := order(a, b); c != 0 {
				return c
			}
		}
		return cmp.Compare(a.node.id, b.node.id)
	})
	found = found[min(max(0, q.offset), len(found)):]
	return slices.DeleteFunc(found[:min(q.limit, len(found))], func(s spot) bool { return roots[s.node] }), nil
}

// compileSearch turns an operator into a test; count sums the comparisons.
func compileSearch(n *xmlNode, count *int) (func(spot) bool, error) {
	if n.name.Space != nsDAV {
		return nil, fmt.Errorf("Unsupported operation %s ({%s}%s)", n.name.Local, n.name.Space, n.name.Local) //nolint:staticcheck // Nextcloud's words
	}
	switch n.name.Local {
	case "and", "or", "not":
		var parts []func(spot) bool
		for _, child := range n.children {
			part, err := compileSearch(child, count)
			if err != nil {
				return nil, err
			}
			parts = append(parts, part)
		}
		switch {
		case n.name.Local == "not" && len(parts) != 1:
			return nil, errors.New("Invalid number of arguments for not operation") //nolint:staticcheck // Nextcloud's words
		case n.name.Local == "not":
			return func(p spot) bool { return !parts[0](p) }, nil
		case n.name.Local == "or":
			return func(p spot) bool { return slices.ContainsFunc(parts, func(f func(spot) bool) bool { return f(p) }) }, nil
		}
		return func(p spot) bool { return !slices.ContainsFunc(parts, func(f func(spot) bool) bool { return !f(p) }) }, nil
	case "is-collection":
		*count++
		return func(p spot) bool { return p.node.isFolder() }, nil
	case "eq", "gt", "gte", "lt", "lte", "like":
		*count++
		return compileComparison(n)
	}
	return nil, fmt.Errorf("Unsupported operation %s ({DAV:}%s)", n.name.Local, n.name.Local) //nolint:staticcheck // Nextcloud's words
}

func compileComparison(n *xmlNode) (func(spot) bool, error) {
	prop, literal := n.child(nsDAV, "prop"), n.child(nsDAV, "literal")
	if prop == nil || len(prop.children) != 1 || literal == nil {
		return nil, fmt.Errorf("Invalid number of arguments for %s operation", n.name.Local) //nolint:staticcheck // Nextcloud's words
	}
	column, ok := searchColumns[prop.children[0].name]
	if !ok || (column.text == nil && column.number == nil) {
		return nil, errSearchProperty
	}
	if column.text != nil {
		return compareText(n.name.Local, column.text, literal.text)
	}
	want := searchNumber(column, literal.text)
	return func(p spot) bool { return holds(n.name.Local, cmp.Compare(column.number(p), want)) }, nil
}

// searchNumber casts a literal. Nextcloud: a boolean is true for "yes" only, a date is ISO 8601 or seconds, and one that
// is neither is 1970.
func searchNumber(column searchColumn, literal string) int64 {
	if column.boolean {
		if literal == "yes" {
			return 1
		}
		return 0
	}
	if number, err := strconv.ParseInt(literal, 10, 64); err == nil {
		return number
	}
	if at, err := time.Parse("2006-01-02T15:04:05Z07:00", literal); column.date && err == nil {
		return at.Unix()
	}
	return 0
}

func compareText(operator string, text func(spot) string, literal string) (func(spot) bool, error) {
	if operator != "like" {
		return func(p spot) bool { return holds(operator, cmp.Compare(text(p), literal)) }, nil
	}
	// Nextcloud: LIKE without regard to case; % stands for anything, _ for one character.
	pattern := strings.NewReplacer("%", ".*", "_", ".").Replace(regexp.QuoteMeta(literal))
	matches, err := regexp.Compile("(?is)^" + pattern + "$")
	if err != nil {
		return nil, errors.New("Invalid property value") //nolint:staticcheck // Nextcloud's words
	}
	return func(p spot) bool { return matches.MatchString(text(p)) }, nil
}

func holds(operator string, compared int) bool {
	switch operator {
	case "eq", "like":
		return compared == 0
	case "gt":
		return compared > 0
	case "gte":
		return compared >= 0
	case "lt":
		return compared < 0
	}
	return compared <= 0
}
