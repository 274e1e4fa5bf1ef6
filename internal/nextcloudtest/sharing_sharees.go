package nextcloudtest

import (
	"cmp"
	"maps"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxSharees is what an administrator lets one page of a search hold.
const maxSharees = 25

// shareeLists are the lists of a search, in the order of their kinds.
var shareeLists = []struct {
	key  string
	kind int
}{
	{"users", shareUser},
	{"groups", shareGroup},
	{"emails", shareMail},
	{"remotes", shareFederated},
	{"circles", shareTeam},
	{"rooms", shareRoom},
}

// sharee is one that files can be shared with.
func sharee(kind int, with, label string) map[string]any {
	return map[string]any{"label": label, "value": map[string]any{"shareType": kind, "shareWith": with}}
}

func (s *Server) sharees(w http.ResponseWriter, r *http.Request, a *account) {
	q := r.URL.Query()
	number := func(name string, fallback int) int {
		n, err := strconv.Atoi(q.Get(name))
		if q.Get(name) == "" || err != nil {
			return fallback
		}
		return n
	}
	page, size := number("page", 1), min(number("perPage", 200), maxSharees)
	switch {
	case size <= 0:
		writeOCSFailure(w, r, http.StatusBadRequest, "Invalid perPage argument")
		return
	case page <= 0:
		writeOCSFailure(w, r, http.StatusBadRequest, "Invalid page")
		return
	case !q.Has("itemType"):
		writeOCSFailure(w, r, http.StatusBadRequest, "Missing itemType")
		return
	}
	s.sharing.mu.Lock()
	defer s.sharing.mu.Unlock()
	kinds := s.shareeKinds(q)
	exact, wide := s.findSharees(a, q.Get("search"))
	data := map[string]any{"lookup": []any{}, "lookupEnabled": false, "remote_groups": []any{}}
	exactly := map[string]any{"remote_groups": []any{}}
	more := false
	for _, list := range shareeLists {
		found := []any{}
		for i, one := range wide[list.kind] {
			switch {
			case !slices.Contains(kinds, list.kind) || i < (page-1)*size:
			case len(found) == size:
				more = true
			default:
				found = append(found, one)
			}
		}
		data[list.key] = found
		exactly[list.key] = []any{}
		if slices.Contains(kinds, list.kind) && page == 1 && len(exact[list.kind]) > 0 {
			exactly[list.key] = exact[list.kind]
		}
		// Nextcloud: a search without paging by the back end, such as that for rooms, always claims more.
		more = more || (list.kind == shareRoom && len(found) > 0)
	}
	data["exact"] = exactly
	if more {
		w.Header().Set("Link", s.nextSharees(r, kinds, size, page+1))
	}
	writeOCS(w, r, data)
}

// shareeKinds are the kinds that a search looks for.
func (s *Server) shareeKinds(q url.Values) []int {
	rules := s.opts.Sharing
	kinds := []int{shareUser, shareGroup, shareMail, shareFederated, shareTeam, shareRoom}
	kinds = slices.DeleteFunc(kinds, func(k int) bool {
		return (k == shareGroup && rules.NoGroups) || (k == shareFederated && rules.NoFederation)
	})
	var asked []int
	for name, values := range q {
		if !strings.HasPrefix(name, "shareType") {
			continue
		}
		for _, v := range values {
			if n, err := strconv.Atoi(v); err == nil {
				asked = append(asked, n)
			}
		}
	}
	if len(asked) == 0 {
		return kinds
	}
	return slices.DeleteFunc(kinds, func(k int) bool { return !slices.Contains(asked, k) })
}

// nextSharees is the Link header of the next page, in the order in which PHP writes it.
func (s *Server) nextSharees(r *http.Request, kinds []int, size, page int) string {
	q := r.URL.Query()
	var link strings.Builder
	link.WriteString(s.base(r) + sharingRoot + "sharees?search=" + url.QueryEscape(q.Get("search")) + "&itemType=" + url.QueryEscape(q.Get("itemType")))
	for i, kind := range kinds {
		link.WriteString("&" + url.QueryEscape("shareType["+strconv.Itoa(i)+"]") + "=" + strconv.Itoa(kind))
	}
	return "<" + link.String() + "&perPage=" + strconv.Itoa(size) + "&page=" + strconv.Itoa(page) + `>; rel="next"`
}

// findSharees looks a text up in everything that a file can be shared with.
func (s *Server) findSharees(a *account, text string) (exact, wide map[int][]any) {
	exact, wide = map[int][]any{}, map[int][]any{}
	text = strings.ToLower(text)
	add := func(kind int, with, label string, one map[string]any) {
		switch {
		case text != "" && (strings.EqualFold(with, text) || strings.EqualFold(label, text)):
			exact[kind] = append(exact[kind], one)
		case strings.Contains(strings.ToLower(with), text) || strings.Contains(strings.ToLower(label), text):
			wide[kind] = append(wide[kind], one)
		}
	}
	groups := map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(s.accounts)) {
		u := s.accounts[id].profile()
		for _, g := range u.Groups {
			groups[g] = true
		}
		if id == a.id || u.Disabled {
			continue
		}
		one := sharee(shareUser, id, u.DisplayName)
		one["subline"], one["icon"], one["status"] = "", "icon-user", []any{}
		one["shareWithDisplayNameUnique"] = cmp.Or(u.Email, id)
		add(shareUser, id, u.DisplayName, one)
	}
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		add(shareGroup, g, g, sharee(shareGroup, g, g))
	}
	for _, id := range slices.Sorted(maps.Keys(s.sharing.teams)) {
		if c := s.sharing.teams[id]; slices.Contains(c.members, a.id) {
			add(shareTeam, c.id, c.name, sharee(shareTeam, c.id, c.name))
		}
	}
	for _, token := range slices.Sorted(maps.Keys(s.sharing.rooms)) {
		if c := s.sharing.rooms[token]; slices.Contains(c.members, a.id) {
			add(shareRoom, c.id, c.name, sharee(shareRoom, c.id, c.name))
		}
	}
	if _, err := mail.ParseAddress(text); err == nil {
		one := sharee(shareMail, text, text)
		one["uuid"] = text
		exact[shareMail] = append(exact[shareMail], one)
		remote := sharee(shareFederated, text, text)
		remote["uuid"], remote["name"] = text, text
		exact[shareFederated] = append(exact[shareFederated], remote)
	}
	return exact, wide
}

// recommendedSharees are those whom a user shared with most.
func (s *Server) recommendedSharees(w http.ResponseWriter, r *http.Request, a *account) {
	s.sharing.mu.Lock()
	defer s.sharing.mu.Unlock()
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	type key struct {
		kind int
		with string
	}
	counts := map[key]int{}
	for _, sh := range s.live() {
		if sh.by == a.id && sh.with != "" {
			counts[key{sh.kind, sh.with}]++
		}
	}
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b key) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a.kind, b.kind), strings.Compare(a.with, b.with))
	})
	exact, data := map[string]any{}, map[string]any{}
	for _, name := range []string{"users", "groups", "remotes", "remote_groups", "emails"} {
		exact[name], data[name] = []any{}, []any{}
	}
	for _, k := range keys[:min(len(keys), 5)] {
		for _, list := range shareeLists[:4] {
			if list.kind == k.kind {
				one := sharee(k.kind, k.with, s.displayName(k.with))
				one["count"] = counts[k]
				exact[list.key] = append(exact[list.key].([]any), one)
			}
		}
	}
	data["exact"] = exact
	writeOCS(w, r, data)
}
