package account

import (
	"net/http"
	"slices"
	"strings"

	"nextcloud-mcp-server/internal/browser"
	"nextcloud-mcp-server/internal/connect/choice"
	"nextcloud-mcp-server/internal/oauth/redirect"
	"nextcloud-mcp-server/internal/pages"
	"nextcloud-mcp-server/internal/store"
)

// The notices of pages.Account.
const (
	noticePaused   = "paused"
	noticeResumed  = "resumed"
	noticeEnded    = "ended"
	noticeEndedAll = "ended_all"
	noticeNarrowed = "narrowed"
)

// overview is GET /account.
func (a *Account) overview(w http.ResponseWriter, r *http.Request, who *browser.Session) {
	grants, err := a.Store.GrantsOf(r.Context(), who.UserID)
	if err != nil {
		a.trouble(w, r, err)
		return
	}
	lately, err := a.Store.AuditOf(r.Context(), who.UserID, maxLately)
	if err != nil {
		a.trouble(w, r, err)
		return
	}
	page := pages.Account{
		UserName: who.DisplayName, UserID: string(who.UserID), Nextcloud: a.Nextcloud,
		MCPURL: a.MCPURL, CSRF: who.CSRF(purpose), Notice: notice(r),
	}
	for _, g := range grants {
		page.Connections = append(page.Connections, pages.Connection{
			ID: g.ID, Client: clientView(&g), Since: g.CreatedAt, LastUsed: g.LastUsedAt, Ends: g.ExpiresAt,
			Areas:    choice.Of(&g, a.Now()).Areas(choice.Offered(g.Scopes)),
			ReadOnly: g.Policy.ReadOnly, NoDelete: g.Policy.NoDelete, Folders: g.Policy.Folders, Paused: g.Policy.Paused,
		})
	}
	for _, e := range lately {
		page.Lately = append(page.Lately, pages.AuditLine{At: e.At, Client: e.ClientName, Tool: e.Tool, Object: e.Object, Outcome: e.Outcome})
	}
	a.Pages.Write(w, r, http.StatusOK, page)
}

// notice is what the address says was just done: one of our own words, or
// nothing.
func notice(r *http.Request) string {
	said := r.URL.Query().Get("done")
	if slices.Contains([]string{noticePaused, noticeResumed, noticeEnded, noticeEndedAll, noticeNarrowed}, said) {
		return said
	}
	return ""
}

// clientView is the client of a grant as people are shown it.
func clientView(g *store.Grant) pages.ClientView {
	_, local := redirect.Host("http://" + g.RedirectHost + "/")
	view := pages.ClientView{
		Name: g.ClientName, URI: g.ClientURI, Kind: string(g.ClientKind),
		RedirectHost: g.RedirectHost, Local: local || strings.HasSuffix(g.RedirectHost, ":"), // "cursor:" is a program here
	}
	if g.ClientKind == store.ClientDocument {
		view.ID = g.ClientID
	}
	return view
}
