package account

import (
	"errors"
	"net/http"
	"slices"

	"nextcloud-mcp-server/internal/browser"
	"nextcloud-mcp-server/internal/connect/choice"
	"nextcloud-mcp-server/internal/pages"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/store"
)

// mine is the connection that the address names, if it is the person's own. It
// has answered when that is nil; somebody else's is as if there was none.
func (a *Account) mine(w http.ResponseWriter, r *http.Request, who *browser.Session) *store.Grant {
	grants, err := a.Store.GrantsOf(r.Context(), who.UserID)
	if err != nil {
		a.trouble(w, r, err)
		return nil
	}
	id := r.PathValue("id")
	i := slices.IndexFunc(grants, func(g store.Grant) bool { return g.ID == id })
	if i < 0 {
		a.refuse(w, r, http.StatusNotFound, pages.CodeNotFound)
		return nil
	}
	return &grants[i]
}

// pause is POST /account/connections/{id}/pause.
func (a *Account) pause(w http.ResponseWriter, r *http.Request, who *browser.Session) {
	a.setPaused(w, r, who, true, noticePaused)
}

// resume is POST /account/connections/{id}/resume.
func (a *Account) resume(w http.ResponseWriter, r *http.Request, who *browser.Session) {
	a.setPaused(w, r, who, false, noticeResumed)
}

func (a *Account) setPaused(w http.ResponseWriter, r *http.Request, who *browser.Session, paused bool, notice string) {
	g := a.mine(w, r, who)
	if g == nil {
		return
	}
	g.Policy.Paused = paused
	a.set(w, r, who, g, notice)
}

// set writes what the person decided about a connection.
func (a *Account) set(w http.ResponseWriter, r *http.Request, who *browser.Session, g *store.Grant, notice string) {
	err := a.Store.SetGrantPolicy(r.Context(), g.ID, who.UserID, g.Scopes, g.Policy, g.ExpiresAt)
	switch {
	case errors.Is(err, store.ErrNotFound): // it ended meanwhile
		a.refuse(w, r, http.StatusNotFound, pages.CodeNotFound)
	case err != nil:
		a.trouble(w, r, err)
	default:
		a.done(w, notice)
	}
}

// end is POST /account/connections/{id}/end.
func (a *Account) end(w http.ResponseWriter, r *http.Request, who *browser.Session) {
	g := a.mine(w, r, who)
	if g == nil {
		return
	}
	ended, err := a.Store.EndGrant(r.Context(), g.ID, store.EndedByPerson)
	if err != nil {
		a.trouble(w, r, err)
		return
	}
	if ended {
		a.Ended(g.ID)
	}
	a.done(w, noticeEnded)
}

// endAll is POST /account/end-all.
func (a *Account) endAll(w http.ResponseWriter, r *http.Request, who *browser.Session) {
	grants, err := a.Store.GrantsOf(r.Context(), who.UserID)
	if err == nil {
		_, err = a.Store.EndGrantsOf(r.Context(), who.UserID, store.EndedByPerson)
	}
	for _, g := range grants { // some may have ended before an error
		a.Ended(g.ID)
	}
	if err != nil {
		a.trouble(w, r, err)
		return
	}
	a.done(w, noticeEndedAll)
}

// signOut is POST /account/sign-out.
func (a *Account) signOut(w http.ResponseWriter, r *http.Request, who *browser.Session) {
	if err := a.Sessions.End(r.Context(), w, who); err != nil {
		a.trouble(w, r, err)
		return
	}
	a.Pages.Write(w, r, http.StatusOK, pages.SignedOut{AccountURL: a.home})
}

// within are the scopes that the person may choose from: those that the
// connection has, and those that were refused to it.
func within(g *store.Grant) scope.Set { return g.Scopes.Union(g.Policy.RefusedScopes()) }

// showChange is GET /account/connections/{id}.
func (a *Account) showChange(w http.ResponseWriter, r *http.Request, who *browser.Session) {
	if g := a.mine(w, r, who); g != nil {
		a.writeChange(w, r, who, g, http.StatusOK, choice.Of(g, a.Now()))
	}
}

func (a *Account) writeChange(w http.ResponseWriter, r *http.Request, who *browser.Session, g *store.Grant, status int, c *choice.Choice) {
	all := within(g)
	a.Pages.Write(w, r, status, pages.Change{
		Consent: pages.Consent{
			Client: clientView(g), Action: a.home + "/connections/" + g.ID, CSRF: who.CSRF(purpose),
			UserName: who.DisplayName, UserID: string(who.UserID), Nextcloud: a.Nextcloud,
			Areas: c.Areas(choice.Offered(all)), AskFolders: choice.AsksFolders(all), Folders: c.FoldersText, FoldersBad: c.FoldersBad,
			ReadOnly: c.ReadOnly, NoDelete: c.NoDelete, Lifetimes: choice.Lifetimes(), Lifetime: c.Lifetime,
			Again: true, NothingLeft: c.NothingLeft,
		},
		BackURL: a.home,
	})
}

// change is POST /account/connections/{id}.
func (a *Account) change(w http.ResponseWriter, r *http.Request, who *browser.Session) {
	g := a.mine(w, r, who)
	if g == nil {
		return
	}
	all := within(g)
	typed, err := choice.Parse(r.PostForm, choice.Offered(all))
	if err != nil {
		a.refuse(w, r, http.StatusBadRequest, pages.CodeCSRF)
		return
	}
	if !typed.Good() {
		a.writeChange(w, r, who, g, http.StatusUnprocessableEntity, typed)
		return
	}
	// The lifetime as the page showed it leaves the end where it is.
	if typed.Lifetime != choice.LifetimeOf(g.ExpiresAt, a.Now()) {
		g.ExpiresAt = typed.Ends(a.Now())
	}
	d := typed.Decide(all, g)
	paused := g.Policy.Paused
	g.Scopes, g.Policy = d.Scopes, d.Policy
	g.Policy.Paused = paused
	a.set(w, r, who, g, noticeNarrowed)
}
