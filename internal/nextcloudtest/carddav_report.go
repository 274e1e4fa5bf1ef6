package nextcloudtest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// reportCard is a card that a REPORT may return.
type reportCard struct {
	card     *card
	resource *davResource
}

// report answers REPORT on an address book.
func (c *cardServer) report(r *cardRequest, v *bookView) {
	root, err := parseXML(r.body)
	switch {
	case err != nil:
		r.fail(davBadRequest("%s", err))
	case root.is(nsDAV, "sync-collection"):
		c.syncCollection(r, root, v)
	default:
		cards := make([]reportCard, 0, len(v.cards))
		for _, o := range v.sorted() {
			cards = append(cards, reportCard{o, c.cardResource(v.cardHref(o.uri), o, r.uid, v.owner)})
		}
		c.reportOn(r, cards, davDepth(r.Request, 0))
	}
}

// reportOn answers addressbook-query (RFC 6352, section 8.6) and addressbook-multiget (section 8.7) over some cards.
func (c *cardServer) reportOn(r *cardRequest, cards []reportCard, depth int) {
	root, err := parseXML(r.body)
	if err != nil {
		r.fail(davBadRequest("%s", err))
		return
	}
	request := propRequest{all: true}
	if prop := root.child(nsDAV, "prop"); prop != nil {
		request = propRequest{names: prop.children}
	}
	var found []reportCard
	var failure *davFailure
	filtered := false
	switch {
	case root.is(nsCardDAV, "addressbook-query"):
		if depth == 0 {
			r.fail(reportNotSupported())
			return
		}
		found, failure = queryCards(root, cards)
		filtered = true
	case root.is(nsCardDAV, "addressbook-multiget"):
		found = multigetCards(root, cards)
	default:
		failure = reportNotSupported()
	}
	if failure != nil {
		r.fail(failure)
		return
	}
	var resources []*davResource
	for _, o := range found {
		for _, p := range request.names {
			if !p.is(nsCardDAV, "address-data") {
				continue
			}
			var only []string
			if filtered {
				for _, prop := range p.all(nsCardDAV, "prop") {
					only = append(only, strings.ToUpper(prop.attr("name")))
				}
			}
			data, failure := convertVCard(o.card.data, p.attr("version") == "4.0", only)
			if failure != nil {
				// Nextcloud: one card that Sabre cannot read fails the whole report.
				r.fail(failure)
				return
			}
			o.resource.add(leaf(nsCardDAV, "address-data", data))
		}
		resources = append(resources, o.resource)
	}
	writePropfind(r.w, cardPrefixes, request, resources)
}

// multigetCards picks cards by href; what is missing is left out without a word.
func multigetCards(root *xmlNode, cards []reportCard) []reportCard {
	byPath := map[string]reportCard{}
	for _, o := range cards {
		segments, _ := davPath(o.resource.href)
		byPath[strings.Join(segments, "\x00")] = o
	}
	var found []reportCard
	for _, href := range root.all(nsDAV, "href") {
		segments, ok := davPath(href.text)
		key := strings.Join(segments, "\x00")
		if o, there := byPath[key]; ok && there {
			found = append(found, o)
			delete(byPath, key)
		}
	}
	return found
}

// cardFilter is CARDDAV:prop-filter (RFC 6352, section 10.5.1).
type cardFilter struct {
	name         string
	isNotDefined bool
	all          bool // every test has to pass, not any
	texts        []cardMatch
	params       []cardParam
}

// cardParam is CARDDAV:param-filter (section 10.5.2).
type cardParam struct {
	name         string
	isNotDefined bool
	text         *cardMatch
}

// cardMatch is CARDDAV:text-match (section 10.5.4).
type cardMatch struct {
	value  string
	kind   string
	fold   bool
	negate bool
}

func parseCardMatch(n *xmlNode) (*cardMatch, *davFailure) {
	m := &cardMatch{value: n.text, kind: n.attr("match-type"), negate: n.attr("negate-condition") == "yes", fold: true}
	switch n.attr("collation") {
	case "", "i;ascii-casemap", "i;unicode-casemap":
	case "i;octet":
		m.fold = false
	default:
		return nil, davBadRequest("Collation type: %s is not supported", n.attr("collation"))
	}
	switch m.kind {
	case "":
		m.kind = "contains"
	case "contains", "equals", "starts-with", "ends-with":
	default:
		return nil, davBadRequest("Match-type: %s is not supported", m.kind)
	}
	return m, nil
}

func (m *cardMatch) matches(text string) bool {
	value := m.value
	if m.fold {
		text, value = strings.ToUpper(text), strings.ToUpper(value)
	}
	var ok bool
	switch m.kind {
	case "equals":
		ok = text == value
	case "starts-with":
		ok = strings.HasPrefix(text, value)
	case "ends-with":
		ok = strings.HasSuffix(text, value)
	default:
		ok = strings.Contains(text, value)
	}
	return ok != m.negate
}

// queryCards evaluates a filter as Sabre's CardDAV plug-in does.
func queryCards(root *xmlNode, cards []reportCard) ([]reportCard, *davFailure) {
	filter := root.child(nsCardDAV, "filter")
	if filter == nil {
		return nil, davBadRequest("The {urn:ietf:params:xml:ns:carddav}filter element is required for this request")
	}
	var filters []cardFilter
	for _, n := range filter.all(nsCardDAV, "prop-filter") {
		f := cardFilter{name: strings.ToUpper(n.attr("name")), all: n.attr("test") == "allof", isNotDefined: n.child(nsCardDAV, "is-not-defined") != nil}
		for _, t := range n.all(nsCardDAV, "text-match") {
			m, failure := parseCardMatch(t)
			if failure != nil {
				return nil, failure
			}
			f.texts = append(f.texts, *m)
		}
		for _, p := range n.all(nsCardDAV, "param-filter") {
			param := cardParam{name: p.attr("name"), isNotDefined: p.child(nsCardDAV, "is-not-defined") != nil}
			if t := p.child(nsCardDAV, "text-match"); t != nil {
				m, failure := parseCardMatch(t)
				if failure != nil {
					return nil, failure
				}
				param.text = m
			}
			f.params = append(f.params, param)
		}
		filters = append(filters, f)
	}
	limit := 0
	if l := root.child(nsCardDAV, "limit"); l != nil {
		if n := l.child(nsCardDAV, "nresults"); n != nil {
			limit, _ = strconv.Atoi(strings.TrimSpace(n.text))
		}
	}
	every := filter.attr("test") == "allof"
	var found []reportCard
	for _, o := range cards {
		if len(filters) > 0 {
			v, err := parseVCard(o.card.data)
			if err != nil {
				return nil, unreadableVCard(err)
			}
			if !passes(filters, every, func(f cardFilter) bool { return f.matches(v) }) {
				continue
			}
		}
		found = append(found, o)
		if limit > 0 && len(found) >= limit {
			break
		}
	}
	return found, nil
}

// passes tells whether all, or any, of the tests pass.
func passes[T any](tests []T, all bool, pass func(T) bool) bool {
	for _, t := range tests {
		if pass(t) != all {
			return !all
		}
	}
	return all
}

func (f cardFilter) matches(v *simCard) bool {
	lines := v.all(f.name)
	switch {
	case f.isNotDefined:
		return len(lines) == 0
	case len(lines) == 0 || len(f.texts)+len(f.params) == 0:
		return len(lines) > 0
	}
	var results []bool
	if len(f.params) > 0 {
		results = append(results, passes(f.params, f.all, func(p cardParam) bool { return p.matches(lines) }))
	}
	if len(f.texts) > 0 {
		results = append(results, passes(f.texts, f.all, func(m cardMatch) bool {
			return slices.ContainsFunc(lines, func(l *simLine) bool { return m.matches(l.text()) })
		}))
	}
	return passes(results, f.all, func(b bool) bool { return b })
}

func (p cardParam) matches(lines []*simLine) bool {
	defined := slices.ContainsFunc(lines, func(l *simLine) bool { return l.param(p.name) != "" })
	if p.isNotDefined || p.text == nil || !defined {
		return defined != p.isNotDefined
	}
	return slices.ContainsFunc(lines, func(l *simLine) bool { return p.text.matches(l.param(p.name)) })
}

// syncCollection answers RFC 6578. The data of changed cards is what is stored, in any version.
func (c *cardServer) syncCollection(r *cardRequest, root *xmlNode, v *bookView) {
	if v.kind == bookRecent {
		r.fail(reportNotSupported())
		return
	}
	token, limit := "", 0
	if n := root.child(nsDAV, "sync-token"); n != nil {
		token = n.text
	}
	if n := root.child(nsDAV, "limit"); n != nil {
		if results := n.child(nsDAV, "nresults"); results != nil {
			limit, _ = strconv.Atoi(strings.TrimSpace(results.text))
		}
	}
	request := propRequest{}
	if prop := root.child(nsDAV, "prop"); prop != nil {
		request.names = prop.children
	}
	if token == "" {
		if limit > 0 {
			r.fail(&davFailure{
				status: http.StatusInsufficientStorage, exception: `OCA\DAV\Exception\UnsupportedLimitOnInitialSyncException`,
				extra: []*xmlNode{node(nsDAV, "number-of-matches-within-limits")},
			})
			return
		}
		var all []*xmlNode
		for _, o := range v.sorted() {
			all = append(all, c.cardResource(v.cardHref(o.uri), o, r.uid, v.owner).response(request))
		}
		writeMultistatus(r.w, cardPrefixes, " ", append(all, leaf(nsDAV, "sync-token", v.syncToken()))...)
		return
	}
	number, isOurs := strings.CutPrefix(token, syncPrefix)
	since, err := strconv.Atoi(number)
	if !isOurs || err != nil {
		r.fail(&davFailure{
			status: http.StatusForbidden, exception: `Sabre\DAV\Exception\InvalidSyncToken`, message: "Invalid or unknown sync token",
			extra: []*xmlNode{node(nsDAV, "valid-sync-token")},
		})
		return
	}
	last := v.token
	changes := (&calendar{changes: v.changes}).changesSince(since)
	var present, removed []*xmlNode
	if limit > 0 && len(changes) > limit {
		changes = changes[:limit]
		last = changes[limit-1].token
	}
	for _, change := range changes {
		href := v.cardHref(change.uri)
		if o := v.cards[change.uri]; o != nil {
			present = append(present, c.cardResource(href, o, r.uid, v.owner).response(request))
		} else {
			removed = append(removed, (&davResource{href: href, gone: true}).response(request))
		}
	}
	all := slices.Concat(present, removed, []*xmlNode{leaf(nsDAV, "sync-token", syncPrefix+strconv.Itoa(last))})
	writeMultistatus(r.w, cardPrefixes, " ", all...)
}
