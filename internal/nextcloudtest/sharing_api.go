package nextcloudtest

import (
	"net/http"
	"slices"
	"strings"
)

func (s *Server) routesSharing() {
	route := func(pattern string, h func(a *account, r *http.Request) (any, *shareFault)) {
		method, rest, _ := strings.Cut(pattern, " ")
		s.handle(method+" "+sharingRoot+rest, familyOCS, func(w http.ResponseWriter, r *http.Request, a *account) {
			s.sharing.mu.Lock()
			defer s.sharing.mu.Unlock()
			s.files.mu.Lock()
			data, fault := h(a, r)
			s.files.mu.Unlock()
			if fault != nil {
				writeOCSFailure(w, r, fault.code, fault.message)
				return
			}
			writeOCS(w, r, data)
		})
	}
	route("GET shares", s.listShares)
	route("POST shares", s.postShare)
	route("GET shares/inherited", s.inheritedShares)
	route("GET shares/pending", s.pendingShares)
	route("POST shares/pending/{id}", s.acceptShare)
	route("GET shares/{id}", s.getShare)
	route("PUT shares/{id}", s.putShare)
	route("DELETE shares/{id}", s.deleteShare)
	route("GET deletedshares", s.deletedShares)
	route("POST deletedshares/{id}", s.undeleteShare)
	route("GET remote_shares", s.remoteShares(true))
	route("GET remote_shares/pending", s.remoteShares(false))
	route("GET remote_shares/{id}", s.getRemoteShare)
	route("DELETE remote_shares/{id}", s.dropRemoteShare)
	route("POST remote_shares/pending/{id}", s.acceptRemoteShare)
	route("DELETE remote_shares/pending/{id}", s.dropRemoteShare)
	s.handle("GET "+sharingRoot+"sharees", familyOCS, s.sharees)
	s.handle("GET "+sharingRoot+"sharees_recommended", familyOCS, s.recommendedSharees)
	s.handle("GET /s/{token}/download", familyOpen, s.downloadShare)
}

func (s *Server) postShare(a *account, r *http.Request) (any, *shareFault) {
	p, fault := readShareParams(r)
	if fault != nil {
		return nil, fault
	}
	sh, fault := s.createShare(a, p)
	if fault != nil {
		return nil, fault
	}
	out := s.formatShare(s.base(r), sh, a, nil)
	if sh.kind != shareMail {
		// Nextcloud: that a message went out is told once, with the answer to the creation.
		if kept := s.shareByID(itoaID(sh.id)); kept != nil {
			kept.mail = false
		}
	}
	return out, nil
}

func (s *Server) putShare(a *account, r *http.Request) (any, *shareFault) {
	p, fault := readShareParams(r)
	if fault != nil {
		return nil, fault
	}
	sh := s.shareByID(r.PathValue("id"))
	if sh == nil {
		return nil, noSuchShare
	}
	if fault := s.updateShare(a, sh, p); fault != nil {
		return nil, fault
	}
	return s.formatShare(s.base(r), sh, a, nil), nil
}

func (s *Server) getShare(a *account, r *http.Request) (any, *shareFault) {
	sh := s.shareByID(r.PathValue("id"))
	if sh == nil || !s.canAccess(sh, a, true) {
		return nil, noSuchShare
	}
	out := s.formatShare(s.base(r), sh, a, nil)
	if out == nil {
		return nil, noSuchShare
	}
	return []any{out}, nil
}

// listShares answers GET shares in its three ways.
func (s *Server) listShares(a *account, r *http.Request) (any, *shareFault) {
	q := r.URL.Query()
	var f *spot
	if name := q.Get("path"); name != "" {
		if f = seen(a.files.find(name)); f == nil {
			return nil, noSuchPath
		}
	}
	switch {
	case q.Get("shared_with_me") == "true":
		return s.sharedWith(s.base(r), a, f), nil
	case q.Get("subfiles") == "true":
		if f == nil || !f.node.isFolder() {
			return nil, refuseShare(http.StatusBadRequest, "Not a directory")
		}
		return s.sharedBelow(s.base(r), a, f), nil
	}
	return s.sharedBy(s.base(r), a, a, f, q.Get("reshares") == "true"), nil
}

func (s *Server) sharedWith(base string, a *account, f *spot) []any {
	found := []any{}
	for _, sh := range s.live() {
		if !s.mounted(sh, a) || (f != nil && f.node != sh.node) || !s.canAccess(sh, a, true) {
			continue
		}
		if out := s.formatShare(base, sh, a, nil); out != nil {
			found = append(found, out)
		}
	}
	return found
}

// sharedBy lists the shares that viewer made, of one file or all; reshares adds those that others made of viewer's
// files. Who may not share a file on sees only their own shares of it.
func (s *Server) sharedBy(base string, a, viewer *account, f *spot, reshares bool) []any {
	all, own := []any{}, []any{}
	right := false
	for _, sh := range s.live() {
		switch {
		case f != nil && sh.node != f.node,
			!reshares && sh.by != viewer.id,
			reshares && f == nil && sh.by != viewer.id && sh.owner() != viewer.id,
			sh.kind == shareUser && sh.with == a.id:
			continue
		}
		out := s.formatShare(base, sh, a, f)
		if out == nil {
			continue
		}
		all = append(all, out)
		if sh.by == a.id {
			own = append(own, out)
		}
		right = right || s.mayReshare(a, sh, f)
	}
	if right {
		return all
	}
	return own
}

func (s *Server) sharedBelow(base string, a *account, f *spot) []any {
	all := []any{}
	for _, sh := range s.live() {
		if sh.node.parent != f.node || sh.with == a.id {
			continue
		}
		if out := s.formatShare(base, sh, a, nil); out != nil && (f.rights&mayShare != 0 || sh.by == a.id || sh.owner() == a.id) {
			all = append(all, out)
		}
	}
	return all
}

// inheritedShares lists the shares of the folders that a path lies in.
func (s *Server) inheritedShares(a *account, r *http.Request) (any, *shareFault) {
	f := seen(a.files.find(r.URL.Query().Get("path")))
	if f == nil {
		return nil, noSuchPath
	}
	if f.rights&mayShare == 0 {
		// Nextcloud: an exception that nothing catches.
		return nil, refuseShare(ocsServerError, "no sharing rights on this item")
	}
	found := []any{}
	via := f
	for dir := f.node.parent; dir != nil && dir.parent != nil; dir = dir.parent {
		if mine := seen(a.files.byID(dir.id)); mine != nil {
			via = mine
		}
		for _, sh := range s.live() {
			if sh.node != dir || (sh.kind == shareUser && sh.with == a.id) {
				continue
			}
			out := s.formatShare(s.base(r), sh, a, via)
			out["via_fileid"], out["via_path"] = via.node.id, via.path
			found = append(found, out)
		}
	}
	return found, nil
}

func (s *Server) pendingShares(a *account, r *http.Request) (any, *shareFault) {
	found := []any{}
	for _, sh := range s.live() {
		if (sh.kind == shareUser || sh.kind == shareGroup) && s.reaches(sh, a) && !sh.accepted[a.id] {
			if out := s.pendingJSON(s.base(r), sh, a); out != nil {
				found = append(found, out)
			}
		}
	}
	return found, nil
}

func (s *Server) acceptShare(a *account, r *http.Request) (any, *shareFault) {
	sh := s.shareByID(r.PathValue("id"))
	switch {
	case sh == nil || !s.canAccess(sh, a, true) || sh.left[a.id]:
		return nil, noSuchShare
	case !s.reaches(sh, a):
		return nil, refuseShare(http.StatusBadRequest, "Failed to accept share.")
	}
	sh.accepted[a.id] = true
	s.settleShares(sh.node)
	return noData, nil
}

func (s *Server) deleteShare(a *account, r *http.Request) (any, *shareFault) {
	sh := s.shareByID(r.PathValue("id"))
	switch {
	case sh == nil || !s.canAccess(sh, a, true):
		return nil, noSuchShare
	case s.canLeave(sh, a):
		sh.left[a.id] = true
		s.settleShares(sh.node)
		return noData, nil
	case !sh.canDelete(a):
		return nil, refuseShare(http.StatusForbidden, "Could not delete share")
	}
	s.sharing.shares = slices.DeleteFunc(s.sharing.shares, func(other *share) bool { return other == sh })
	s.settleShares(sh.node)
	return noData, nil
}

func (s *Server) deletedShares(a *account, _ *http.Request) (any, *shareFault) {
	found := []any{}
	for _, sh := range s.live() {
		if sh.left[a.id] && s.reaches(sh, a) {
			if out := s.deletedJSON(sh, a); out != nil {
				found = append(found, out)
			}
		}
	}
	return found, nil
}

func (s *Server) undeleteShare(a *account, r *http.Request) (any, *shareFault) {
	id, found := strings.CutPrefix(r.PathValue("id"), "ocinternal:")
	sh := s.shareByID(id)
	switch {
	case !found || sh == nil || !s.reaches(sh, a):
		return nil, refuseShare(http.StatusNotFound, "Share not found")
	case !sh.left[a.id]:
		return nil, refuseShare(http.StatusNotFound, "No deleted share found")
	}
	delete(sh.left, a.id)
	s.settleShares(sh.node)
	return noData, nil
}

// downloadShare leads a browser from the page of a link to the file.
func (s *Server) downloadShare(w http.ResponseWriter, r *http.Request, _ *account) {
	s.sharing.mu.Lock()
	defer s.sharing.mu.Unlock()
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	token := r.PathValue("token")
	if !slices.ContainsFunc(s.live(), func(sh *share) bool { return sh.kind == shareLink && sh.token == token }) {
		writePage(w, http.StatusNotFound, "Share not found", "This share does not exist or is no longer available.")
		return
	}
	redirect(w, s.base(r)+"/public.php/dav/files/"+token)
}
