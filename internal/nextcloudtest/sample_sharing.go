package nextcloudtest

import (
	"maps"
	"slices"
	"time"
)

// loadSampleShares lets everybody share something with the next person, and a folder with everybody who has a link. The
// sample files have to be there.
func (s *Server) loadSampleShares() {
	s.sharing.mu.Lock()
	defer s.sharing.mu.Unlock()
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	ids := slices.Sorted(maps.Keys(s.accounts))
	for i, id := range ids {
		a := s.account(id)
		if other := ids[(i+1)%len(ids)]; other != id {
			_, _ = s.createShare(a, shareParams{
				"path": "/Documents/Garden plan.md", "shareType": "0", "shareWith": other, "permissions": "3", "note": "Please add your beans.",
			})
		}
		_, _ = s.createShare(a, shareParams{
			"path": "/Photos", "shareType": "3", "label": "For the family", "expireDate": s.now().Add(30 * day).Format(time.DateOnly),
		})
	}
}
