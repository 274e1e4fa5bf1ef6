package nextcloudtest

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// report answers oc:filter-files: favourites, and files by system tags.
func (f *filesRequest) report(p spot, body []byte) {
	root, err := parseXML(body)
	if err != nil {
		f.fail(davBadRequest("%s", err))
		return
	}
	if !root.is(nsOwnCloud, "filter-files") || !p.node.isFolder() {
		f.fail(reportNotSupported())
		return
	}
	rules := root.child(nsOwnCloud, "filter-rules")
	if rules == nil || len(rules.children) == 0 {
		f.fail(davBadRequest("Missing filter-rule block in request"))
		return
	}
	found, failure := f.filter(p, rules)
	if failure != nil {
		f.fail(failure)
		return
	}
	found = limited(found, root.child(nsDAV, "limit"))
	var request propRequest
	if prop := root.child(nsDAV, "prop"); prop != nil {
		request.names = prop.children
	}
	responses := make([]*xmlNode, 0, len(found))
	for _, s := range found {
		r := s.resource(request)
		// Nextcloud: here the href of a folder has no slash at the end.
		r.href = strings.TrimSuffix(r.href, "/")
		responses = append(responses, r.response(request))
	}
	writeMultistatus(f.w, filePrefixes, " ", responses...)
}

func (f *filesRequest) filter(p spot, rules *xmlNode) ([]spot, *davFailure) {
	var tags []int
	for _, rule := range rules.all(nsOwnCloud, "systemtag") {
		id, err := strconv.Atoi(strings.TrimSpace(rule.text))
		if err != nil || f.store.tags.visible(id, f.home.owner) == nil {
			return nil, &davFailure{status: http.StatusPreconditionFailed, exception: `Sabre\DAV\Exception\PreconditionFailed`, message: "Cannot filter by non-existing tag"}
		}
		tags = append(tags, id)
	}
	favorites := len(rules.all(nsOwnCloud, "favorite")) > 0
	if len(tags) == 0 && !favorites {
		return nil, nil
	}
	var found []spot
	p.walk(func(s spot) {
		for _, id := range tags {
			if !s.node.tags[id] {
				return
			}
		}
		if !favorites || s.node.favoriteOf[f.home.owner.id] {
			found = append(found, s)
		}
	})
	slices.SortFunc(found, func(a, b spot) int { return cmp.Compare(a.node.id, b.node.id) })
	return found, nil
}

// walk visits everything below a spot.
func (p spot) walk(visit func(spot)) {
	for _, n := range p.node.children {
		child := p.down(n)
		visit(child)
		child.walk(visit)
	}
}

// limited cuts a list the way d:limit says.
func limited(found []spot, limit *xmlNode) []spot {
	if limit == nil {
		return found
	}
	number := func(space, local string) int {
		n := 0
		if c := limit.child(space, local); c != nil {
			n, _ = strconv.Atoi(strings.TrimSpace(c.text))
		}
		return n
	}
	found = found[min(number(nsFiles, "firstresult"), len(found)):]
	if results := number(nsDAV, "nresults"); results > 0 {
		found = found[:min(results, len(found))]
	}
	return found
}
