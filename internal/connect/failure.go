package connect

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"nextcloud-mcp-server/internal/pages"
	"nextcloud-mcp-server/internal/signin"
)

// refuse shows a failure.
func (g *Guide) refuse(w http.ResponseWriter, r *http.Request, status int, f pages.Failure) {
	g.Pages.Write(w, r, status, f)
}

// statuses are the HTTP statuses of the problems of a sign-in.
var statuses = map[signin.ProblemCode]int{
	signin.FlowExpired:        http.StatusGone,
	signin.FlowForbidden:      http.StatusForbidden,
	signin.OtherServer:        http.StatusBadGateway,
	signin.OtherPerson:        http.StatusForbidden,
	signin.PasswordsForbidden: http.StatusForbidden,
	signin.PasswordRefused:    http.StatusBadGateway,
	signin.Unreachable:        http.StatusServiceUnavailable,
	signin.Maintenance:        http.StatusServiceUnavailable,
	signin.TooMany:            http.StatusTooManyRequests,
	signin.Refused:            http.StatusForbidden,
	signin.ProviderDown:       http.StatusServiceUnavailable,
	signin.ProviderRefusesUs:  http.StatusBadGateway,
	signin.ProviderMistake:    http.StatusBadGateway,
	signin.Internal:           http.StatusInternalServerError,
}

// problem shows why a sign-in failed, with the ways on: once more, or back to
// the client.
func (g *Guide) problem(w http.ResponseWriter, r *http.Request, j *journey, code signin.ProblemCode) {
	status, ok := statuses[code]
	if !ok {
		status = http.StatusInternalServerError
	}
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "30")
	}
	f := pages.Failure{Code: string(code), RetryURL: g.path("/oauth/connect/", j.ID)}
	if j.Request != nil {
		req := j.Request.oauth()
		f.Client, f.BackTo = clientView(req), g.Answers.Answer(req, errorFor(status), "The sign-in did not succeed.")
	}
	g.refuse(w, r, status, f)
}

// errorFor is what a client is told when a person goes back from a page with
// this status (RFC 6749, 4.1.2.1).
func errorFor(status int) string {
	switch {
	case status == http.StatusServiceUnavailable, status == http.StatusTooManyRequests:
		return "temporarily_unavailable"
	case status >= http.StatusInternalServerError:
		return "server_error"
	}
	return "access_denied"
}

// trouble answers an error that is no decision: a problem of the sign-in is
// shown as such, everything else is logged and told as "try again". j may be
// nil.
func (g *Guide) trouble(w http.ResponseWriter, r *http.Request, j *journey, err error) {
	if p, ok := errors.AsType[*signin.Problem](err); ok && j != nil {
		g.logProblem(r.Context(), p)
		g.problem(w, r, j, p.Code)
		return
	}
	if !errors.Is(err, context.Canceled) {
		g.Log.ErrorContext(r.Context(), "A sign-in page could not be shown", "error", err)
	}
	w.Header().Set("Retry-After", "5")
	f := pages.Failure{Code: pages.CodeUnavailable}
	if j != nil {
		f.RetryURL = g.path("/oauth/connect/", j.ID)
	}
	g.refuse(w, r, http.StatusServiceUnavailable, f)
}

// logProblem tells the administrator what people cannot mend themselves.
func (g *Guide) logProblem(ctx context.Context, p *signin.Problem) {
	switch p.Code {
	case signin.Refused, signin.FlowExpired, signin.OtherPerson:
		g.Log.InfoContext(ctx, "A sign-in did not succeed", "problem", string(p.Code))
	default:
		g.Log.WarnContext(ctx, "A sign-in failed", "problem", string(p.Code), "error", p)
	}
}

// limited reports whether the sender of r has to wait, and answers it then.
func (g *Guide) limited(w http.ResponseWriter, r *http.Request) bool {
	if g.Limit == nil {
		return false
	}
	ok, retry := g.Limit(r)
	if ok {
		return false
	}
	w.Header().Set("Retry-After", strconv.Itoa(int((retry+time.Second-1)/time.Second)))
	g.refuse(w, r, http.StatusTooManyRequests, pages.Failure{Code: pages.CodeRateLimited})
	return true
}
