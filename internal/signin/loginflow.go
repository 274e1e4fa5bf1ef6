package signin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/apppassword"
	"nextcloud-mcp-server/internal/store"
)

// FlowLife is how long Nextcloud keeps a login flow open.
const FlowLife = 20 * time.Minute

const (
	// flowTimeout bounds what is asked for one step of a flow. A poll that may
	// bring a password goes on for this long even when its caller has left.
	flowTimeout = 45 * time.Second

	maxFlowAnswer = 64 << 10 // bytes
	maxFlowToken  = 1024
	pollPath      = "/login/v2/poll"
	pickPath      = "/index.php/login/v2/flow?user=&direct=0"
)

// LoginFlowOptions are the optional parts of a LoginFlow; nil means all
// defaults.
type LoginFlowOptions struct {
	// Name is this server's host name, for the name of a device that has none.
	Name string
	// Undeleted is told of an app password that cannot be handed on and could
	// not be deleted at Nextcloud either, so that it is tried again later. It
	// may be nil.
	Undeleted func(ctx context.Context, p apppassword.Password)
	Log       *slog.Logger     // nil means silent
	Now       func() time.Time // default time.Now
}

// LoginFlow signs people in by Nextcloud's Login Flow v2, which every stock
// Nextcloud has. It is safe for concurrent use.
type LoginFlow struct {
	host *nextcloud.Host
	opts LoginFlowOptions
	// allowed is until when devices are held to pass allowed_user_agents.
	allowed *lru.Cache[string, time.Time]
}

// NewLoginFlow is Login Flow v2 at host.
func NewLoginFlow(host *nextcloud.Host, opts *LoginFlowOptions) *LoginFlow {
	l := &LoginFlow{host: host}
	if opts != nil {
		l.opts = *opts
	}
	if l.opts.Log == nil {
		l.opts.Log = slog.New(slog.DiscardHandler)
	}
	if l.opts.Now == nil {
		l.opts.Now = time.Now
	}
	const devices = 256
	l.allowed, _ = lru.New[string, time.Time](devices) // fails for sizes below one only
	return l
}

// Flow is one run of Login Flow v2. Whoever holds it can fetch the person's app
// password, so its JSON is for sealed storage only; printed, it shows nothing.
type Flow struct {
	LoginURL  string    `json:"login_url"`  // for the person's browser
	PollToken string    `json:"poll_token"` // secret
	PollPath  string    `json:"poll_path"`  // below the Nextcloud's base, encoded
	StartedAt time.Time `json:"started_at"`
}

// Format keeps the flow out of whatever prints it.
func (f Flow) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "signin.Flow") }

// LogValue hides the flow from slog.
func (f Flow) LogValue() slog.Value { return slog.StringValue("signin.Flow") }

// Start begins a flow. device is what Nextcloud shows the person as the
// application that asks, see DeviceName. Errors are *Problem: FlowForbidden,
// TooMany, Maintenance or Unreachable.
func (l *LoginFlow) Start(ctx context.Context, device string) (*Flow, error) {
	ctx, cancel := context.WithTimeout(ctx, flowTimeout)
	defer cancel()
	if device = cut(plain(device), maxDevice); device == "" {
		device = DeviceName("", l.opts.Name)
	}
	const op = "start a login flow"
	var a struct {
		Poll struct {
			Token    string `json:"token"`
			Endpoint string `json:"endpoint"`
		} `json:"poll"`
		Login string `json:"login"`
	}
	started := l.opts.Now() // before Nextcloud's own clock starts
	nc := nextcloud.New(l.host, nextcloud.Anonymous{}, &nextcloud.ClientOptions{UserAgent: device})
	_, err := nc.JSON(ctx, nextcloud.Request{Op: op, Method: http.MethodPost, Path: "/index.php/login/v2", MaxBody: maxFlowAnswer}, &a)
	switch {
	case errors.Is(err, nextcloud.ErrForbidden):
		return nil, &Problem{FlowForbidden, err}
	case err != nil:
		return nil, nextcloudProblem(err)
	}
	login, ok := l.below(a.Login)
	if !ok || a.Poll.Token == "" || len(a.Poll.Token) > maxFlowToken || len(login) > maxFlowToken {
		return nil, &Problem{Unreachable, &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Status: http.StatusOK, Message: "the answer holds no login link of this Nextcloud"}}
	}
	// Only the path is taken from the answer: the poll brings a password, and
	// neither it nor the token may go to whatever host an answer names.
	poll, ok := l.below(a.Poll.Endpoint)
	if !ok || !strings.HasSuffix(poll, pollPath) {
		poll = "/index.php" + pollPath
	}
	if !l.lets(ctx, device, login) {
		return nil, &Problem{FlowForbidden, errors.New("core.login_flow_v2.allowed_user_agents does not match " + device)}
	}
	return &Flow{LoginURL: l.host.PublicURL(login), PollToken: a.Poll.Token, PollPath: poll, StartedAt: started}, nil
}

// below is the encoded path of a URL in an answer below the address of
// Nextcloud, ours or that of browsers; false when it is not a plain path.
func (l *LoginFlow) below(address string) (string, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", false
	}
	p := u.EscapedPath()
	if p == "" || path.Clean(u.Path) != u.Path || strings.ContainsAny(u.Path, "\\\x00") {
		return "", false
	}
	// The longer one first: one may be below the other.
	bases := []string{l.host.Base().EscapedPath(), publicPath(l.host)}
	if len(bases[0]) < len(bases[1]) {
		bases[0], bases[1] = bases[1], bases[0]
	}
	for _, base := range bases {
		if rest, ok := strings.CutPrefix(p, strings.TrimSuffix(base, "/")+"/"); ok {
			return "/" + rest, true
		}
	}
	return "", false
}

func publicPath(host *nextcloud.Host) string {
	u, err := url.Parse(host.PublicURL(""))
	if err != nil {
		return ""
	}
	return u.EscapedPath()
}

// lets reports whether Nextcloud lets the device go through with a flow that
// was just begun.
//
// Nextcloud: core.login_flow_v2.allowed_user_agents is not looked at when a
// flow begins, only on its second page, where the person would be told to
// "use original client" and this server would wait in vain. So that page is
// loaded first, once an hour for each device name.
func (l *LoginFlow) lets(ctx context.Context, device, login string) bool {
	if until, known := l.allowed.Get(device); known && l.opts.Now().Before(until) {
		return true
	}
	landing, cookies := l.page(ctx, device, login, nil)
	if landing/100 != 3 {
		return true // nothing is known; the person will see
	}
	picker, _ := l.page(ctx, device, pickPath, cookies)
	switch picker {
	case http.StatusOK:
		l.allowed.Add(device, l.opts.Now().Add(time.Hour))
	case http.StatusForbidden:
		return false
	}
	return true
}

// page is the status of a page of Nextcloud, 0 when there was no answer, and
// the cookies that it set.
func (l *LoginFlow) page(ctx context.Context, device, at string, cookies []*http.Cookie) (int, []*http.Cookie) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.host.Base().String()+at, nil)
	if err != nil {
		return 0, nil
	}
	req.Header.Set("User-Agent", device)
	req.Header.Set("Accept", "text/html")
	for _, c := range cookies {
		req.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value}) //nolint:gosec // a request's cookie has no attributes
	}
	client := *l.host.HTTP()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := client.Do(req)
	if err != nil {
		return 0, nil
	}
	defer res.Body.Close()
	// Read to its end, the connection serves again.
	_, _ = io.CopyN(io.Discard, res.Body, 256<<10)
	return res.StatusCode, res.Cookies()
}

// Poll asks whether the person has finished, and once they have, who they are.
// ErrPending means not yet. Nextcloud gives the answer only once: an Outcome
// must be kept at once, or handed to Discard. All other errors are *Problem.
func (l *LoginFlow) Poll(ctx context.Context, f *Flow) (*Outcome, error) {
	if err := ctx.Err(); err != nil {
		return nil, &Problem{Unreachable, err}
	}
	// A caller who leaves must not leave a password behind.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flowTimeout)
	defer cancel()
	var a struct {
		Server      string `json:"server"`
		LoginName   string `json:"loginName"`
		AppPassword string `json:"appPassword"`
	}
	const op = "poll a login flow"
	nc := nextcloud.New(l.host, nextcloud.Anonymous{}, nil)
	_, err := nc.JSON(ctx, nextcloud.Request{
		Op: op, Method: http.MethodPost, Path: f.PollPath, MaxBody: maxFlowAnswer,
		Type: "application/x-www-form-urlencoded", Body: []byte(url.Values{"token": {f.PollToken}}.Encode()),
	}, &a)
	switch {
	case errors.Is(err, nextcloud.ErrNotFound) && l.opts.Now().Sub(f.StartedAt) < FlowLife:
		return nil, ErrPending
	case errors.Is(err, nextcloud.ErrNotFound):
		return nil, &Problem{FlowExpired, nil}
	case errors.Is(err, nextcloud.ErrForbidden):
		return nil, &Problem{FlowForbidden, err}
	case err != nil:
		return nil, nextcloudProblem(err)
	case a.LoginName == "" || a.AppPassword == "":
		return nil, &Problem{Unreachable, &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Status: http.StatusOK, Message: "the answer holds no app password"}}
	}
	password := apppassword.Password{LoginName: nextcloud.LoginName(a.LoginName), Secret: auth.Secret(a.AppPassword)}
	if !l.isOurs(a.Server) {
		l.drop(ctx, password)
		return nil, &Problem{OtherServer, fmt.Errorf("the sign-in was made at %.200q, and this server is for %s", a.Server, l.host.PublicURL(""))}
	}
	user, problem := l.prove(ctx, password)
	if problem != nil {
		return nil, problem
	}
	return &Outcome{
		Person: Person{
			UserID: user.ID, LoginName: password.LoginName, DisplayName: user.DisplayName,
			Issuer: strings.TrimSuffix(l.host.PublicURL(""), "/"), Subject: auth.Subject(user.ID), Method: store.ByLoginFlow,
		},
		Credential: store.Credential{Kind: store.AppPasswordCredential, Secret: password.Secret, Host: l.host.Base().String()},
	}, nil
}
