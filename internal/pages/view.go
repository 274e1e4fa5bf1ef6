package pages

import "time"

// Page is one page; Write shows it.
type Page interface {
	draw(t view) sheet
}

// Landing is what a person sees who opens this server's address in a browser.
type Landing struct {
	MCPURL     string // what to paste into a client
	Nextcloud  string // the host people sign in at
	AccountURL string // empty where nobody signs in
}

// Waiting is the page of a sign-in with Login Flow v2: it opens Nextcloud in
// another tab and goes on by itself.
type Waiting struct {
	Client    *ClientView // nil for a sign-in to the account page
	Nextcloud string      // the host people sign in at
	OpenURL   string      // leads this browser to Nextcloud's login
	PhoneURL  string      // the same for a phone, as a QR code too
	Code      string      // four or more characters that the phone's page shows too
	StatusURL string      // answers {"done":bool}; polled by the page's script
	SelfURL   string      // this page, for reloading without a script
	CancelURL string      // posts a refusal; empty where there is nothing to refuse
	CSRF      string
	Other     string // a link to sign in at the OpenID provider instead; may be empty
	Reason    string // a signin.Reason: why the provider was not enough; may be empty
	Linked    bool   // a link began it: Client is connected already and waits for access
}

// SignInLink is the page of a link that a client got in the middle of a call: it
// says what the link is for, before anything begins.
type SignInLink struct {
	Client      string // the client's id; may be empty
	Server      string // this server's host
	Nextcloud   string
	ContinueURL string
}

// SignInDone is the end of what SignInLink began.
type SignInDone struct {
	Client    string
	Nextcloud string
}

// ClientView is a client as people are shown it.
type ClientView struct {
	Name         string
	URI          string // its home page; may be empty
	Kind         string // a store.ClientKind
	ID           string // the address of its document, for clients that have one
	RedirectHost string // where the answer goes
	Local        bool   // RedirectHost is this person's own computer
}

// Phone asks a person who followed the QR code whether it is their own.
type Phone struct {
	Client      *ClientView
	Server      string // this server's host
	Nextcloud   string
	Code        string
	ContinueURL string
}

// Consent asks a person what a client may do.
type Consent struct {
	Client      ClientView
	Action      string // where the form goes, by POST
	CSRF        string
	UserName    string
	UserID      string
	Nextcloud   string
	NotYouURL   string // sign in as somebody else, by POST
	Areas       []ConsentArea
	AskFolders  bool   // the client asks for files
	Folders     string // one a line
	FoldersBad  string // what is wrong with the folders as typed: "", "path", "many"
	ReadOnly    bool
	NoDelete    bool
	Lifetimes   []string // values of the select: "unlimited", "1d", "7d", "30d", "365d"
	Lifetime    string   // the chosen one
	Again       bool     // the person allowed this client before
	NothingLeft bool     // the form came back because everything was unticked
}

// ConsentArea is one area with its switches.
type ConsentArea struct {
	Area     string // as scopes spell it: "notes"; pages know its name
	Switches []Switch
}

// Switch is one scope that the person may grant.
type Switch struct {
	Scope string // the value of the checkbox, named "scope"
	Right string // "read", "write", "send"
	On    bool
}

// Leaving sends the browser back to the client. It is a page and not a
// redirect, because a form's answer must not lead elsewhere (CSP form-action).
type Leaving struct {
	To         string // the redirect URI with its parameters
	ClientName string
	Host       string // where that is
	Local      bool
	Denied     bool
}

// Onward sends the browser to where a sign-in goes on, such as the OpenID
// provider, after a form was posted: like Leaving, a page and not a redirect.
type Onward struct {
	To string // an https or http address
}

// Account is what a person sees of their connections.
type Account struct {
	UserName    string
	UserID      string
	Nextcloud   string
	MCPURL      string
	CSRF        string
	Connections []Connection
	Lately      []AuditLine
	Notice      string // what was just done: "", "paused", "resumed", "ended", "ended_all", "narrowed"
}

// Connection is one client of the person.
type Connection struct {
	ID       string
	Client   ClientView
	Since    time.Time
	LastUsed time.Time     // zero: never
	Ends     time.Time     // zero: by no date
	Areas    []ConsentArea // what was granted; switches that are on
	ReadOnly bool
	NoDelete bool
	Folders  []string
	Paused   bool
}

// AuditLine is one thing that a client did.
type AuditLine struct {
	At      time.Time
	Client  string
	Tool    string
	Object  string
	Outcome string
}

// Change lets a person narrow one connection.
type Change struct {
	Consent // Action, CSRF, Client, Areas, ... as on the consent page
	BackURL string
}

// SignedOut says so.
type SignedOut struct{ AccountURL string }

// Failure says what happened and what to do. Code is the key of the words: a
// signin.ProblemCode, or one of the codes below.
type Failure struct {
	Code     string
	Client   *ClientView // may be nil
	Detail   string      // one more sentence in English, made by this server; may be empty
	RetryURL string      // where to begin again; may be empty
	BackTo   string      // the client's redirect URI with an error, when it is proven; may be empty
}

// The codes of failures that are not those of a sign-in at Nextcloud.
const (
	CodeUnknownClient     = "unknown_client"
	CodeBadRedirect       = "bad_redirect"
	CodeClientUnavailable = "client_unavailable"
	CodeBadClientDocument = "bad_client_document"
	CodeOtherBrowser      = "other_browser"
	CodeFlowGone          = "flow_gone"
	CodeCSRF              = "csrf"
	CodeCookiesOff        = "cookies_off"
	CodeRateLimited       = "rate_limited"
	CodeNotFound          = "not_found"
	CodeMethod            = "method"
	CodeServerError       = "server_error"
	CodeUnavailable       = "unavailable"
	CodeNoSignIn          = "no_sign_in"
	CodeAlreadyAnswered   = "already_answered"
)
