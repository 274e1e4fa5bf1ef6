package connect

import (
	"errors"
	"net/http"

	"nextcloud-mcp-server/internal/connect/choice"
	"nextcloud-mcp-server/internal/oauth"
	"nextcloud-mcp-server/internal/oauth/redirect"
	"nextcloud-mcp-server/internal/pages"
	"nextcloud-mcp-server/internal/store"
)

// errEnded says that the grant of a journey is gone, so that the person has to
// sign in again.
var errEnded = errors.New("the sign-in is no longer good")

// showConsent asks what the client may do; typed is the form as it came back,
// or nil.
func (g *Guide) showConsent(w http.ResponseWriter, r *http.Request, t *travel, typed *choice.Choice) {
	known, err := g.consentable(r, t)
	switch {
	case errors.Is(err, errEnded):
		switch err := g.startOver(r.Context(), t.key(), false); {
		case errors.Is(err, errMoved): // in another tab
			g.answeredAlready(w, r, t.journey)
		case err != nil:
			g.trouble(w, r, t.journey, err)
		default:
			g.again(w, r, t.journey)
		}
		return
	case err != nil:
		g.trouble(w, r, t.journey, err)
		return
	}
	req := t.Request.oauth()
	shown, status := typed, http.StatusUnprocessableEntity
	if typed == nil {
		shown, status = choice.First(req.Scopes, known, g.Now()), http.StatusOK
	}
	at := g.path("/oauth/connect/", t.ID)
	g.Pages.Write(w, r, status, pages.Consent{
		Client: *clientView(req), Action: at + "/consent", NotYouURL: at + "/other", CSRF: t.session.CSRF(purpose(t.journey)),
		UserName: t.session.DisplayName, UserID: string(t.session.UserID), Nextcloud: g.Nextcloud,
		Areas: shown.Areas(choice.Offered(req.Scopes)), AskFolders: choice.AsksFolders(req.Scopes),
		Folders: shown.FoldersText, FoldersBad: shown.FoldersBad,
		ReadOnly: shown.ReadOnly, NoDelete: shown.NoDelete,
		Lifetimes: choice.Lifetimes(), Lifetime: shown.Lifetime, Again: known != nil, NothingLeft: shown.NothingLeft,
	})
}

// consentable is the connection that the person has with the client already,
// nil for none. The error is errEnded when the person of the journey is not who
// is signed in now, or its grant ended.
func (g *Guide) consentable(r *http.Request, t *travel) (*store.Grant, error) {
	if t.Person == nil || t.session.UserID != t.Person.UserID {
		return nil, errEnded
	}
	known, err := g.grantFor(r.Context(), t.Person, t.Request.ClientID)
	if err != nil {
		return nil, err
	}
	if !t.Pending {
		if known == nil || known.ID != t.GrantID {
			return nil, errEnded
		}
		return known, nil
	}
	pending, err := g.Store.Grant(r.Context(), t.GrantID)
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrDamaged):
		return nil, errEnded
	case err != nil:
		return nil, err
	case pending.State != store.GrantPending, pending.UserID != t.Person.UserID:
		return nil, errEnded
	}
	return known, nil
}

// purpose is what the forms of a journey are for: their tokens do for no other.
func purpose(j *journey) string { return "connect " + j.ID }

// clientView is the client of a request as people are shown it.
func clientView(req *oauth.Request) *pages.ClientView {
	host, local := redirect.Host(req.RedirectURI)
	view := &pages.ClientView{
		Name: req.Client.Name, URI: req.Client.URI, Kind: string(req.Client.Kind), RedirectHost: host, Local: local,
	}
	if req.Client.Kind == store.ClientDocument {
		view.ID = req.Client.ID
	}
	return view
}
