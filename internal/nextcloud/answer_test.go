package nextcloud

import (
	"errors"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/auth"
)

const davError = `<?xml version="1.0" encoding="utf-8"?>
<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">
  <s:exception>%s</s:exception>
  <s:message>%s</s:message>
</d:error>`

func davFailure(exception, message string) string {
	return strings.Replace(strings.Replace(davError, "%s", exception, 1), "%s", message, 1)
}

// TestAnswers are answers of a real Nextcloud 34.
func TestAnswers(t *testing.T) {
	const json, xml, html = "application/json; charset=utf-8", "application/xml; charset=utf-8", "text/html; charset=UTF-8"
	page := "<!DOCTYPE html>\n<html><body>Internal error with secret details</body></html>"
	for _, c := range []struct {
		name      string
		status    int
		kind      error
		mediaType string
		body      string
		header    []string
		ocs       int
		exception string
		message   string
	}{
		{
			name: "OCS without credentials", status: 401, kind: ErrUnauthenticated, mediaType: json, ocs: 997, message: "Current user is not logged in",
			body: `{"ocs":{"meta":{"status":"failure","statuscode":997,"message":"Current user is not logged in"},"data":[]}}`,
		},
		{name: "app API with a bad password", status: 401, kind: ErrUnauthenticated, mediaType: json, body: `{"message":""}`},
		{
			name: "DAV with a bad password", status: 401, kind: ErrUnauthenticated, mediaType: xml, exception: `Sabre\DAV\Exception\NotAuthenticated`, message: "Cannot authenticate over ajax calls",
			body: davFailure(`Sabre\DAV\Exception\NotAuthenticated`, "Cannot authenticate over ajax calls"),
		},
		{
			name: "unknown OCS route", status: 404, kind: ErrAppMissing, mediaType: json, ocs: 998, message: "Nextcloud does not know this API",
			body: `{"ocs":{"meta":{"status":"failure","statuscode":998,"message":"Invalid query, please check the syntax. API specifications are here: http:\/\/www.freedesktop.org\/wiki\/Specifications\/open-collaboration-services.\n"},"data":[]}}`,
		},
		{name: "not found in an app", status: 404, kind: ErrNotFound, mediaType: json, body: `{"errorType":"Exception"}`},
		{name: "web page for an error", status: 404, kind: ErrNotFound, mediaType: html, body: page},
		{name: "method", status: 405, kind: ErrConflict, mediaType: json},
		{
			name: "administrators only", status: 403, kind: ErrForbidden, mediaType: json, ocs: 403, message: "Logged in account must be at least a sub admin",
			body: `{"ocs":{"meta":{"status":"failure","statuscode":403,"message":"Logged in account must be at least a sub admin"},"data":[]}}`,
		},
		{name: "missing parameter", status: 400, kind: ErrInvalid, mediaType: html},
		{name: "error as a text", status: 409, kind: ErrConflict, mediaType: json, body: `{"error":"There is one already"}`, message: "There is one already"},
		{name: "error as an object", status: 409, kind: ErrConflict, mediaType: json, body: `{"error":{"code":1}}`},
		{
			name: "untrusted domain as JSON", status: 400, kind: ErrUnavailable, mediaType: "application/json", body: `{"error": "Trusted domain error.", "code": 15}`,
			message: "Nextcloud does not accept this host name: an administrator has to add it to trusted_domains in config.php",
		},
		{
			name: "untrusted domain as a page", status: 400, kind: ErrUnavailable, mediaType: html, body: "<html><h2>Access through untrusted domain</h2></html>",
			message: "Nextcloud does not accept this host name: an administrator has to add it to trusted_domains in config.php",
		},
		{
			name: "stale etag", status: 412, kind: ErrPrecondition, mediaType: xml, exception: `Sabre\DAV\Exception\PreconditionFailed`, message: "An If-Match header was specified, but none of the specified ETags matched.",
			body: davFailure(`Sabre\DAV\Exception\PreconditionFailed`, "An If-Match header was specified, but none of the specified ETags matched."),
		},
		{
			name: "quota", status: 507, kind: ErrQuota, mediaType: xml, exception: `Sabre\DAV\Exception\InsufficientStorage`, message: "Insufficient space in /too-big.bin",
			body: davFailure(`Sabre\DAV\Exception\InsufficientStorage`, "Insufficient space in /too-big.bin"),
		},
		{
			name: "throttled", status: 429, kind: ErrRateLimited, mediaType: json, ocs: 429, message: "Reached maximum delay",
			body: `{"ocs":{"meta":{"status":"failure","statuscode":429,"message":"Reached maximum delay"},"data":[]}}`,
		},
		{
			name: "maintenance, OCS", status: 503, kind: ErrMaintenance, mediaType: json, ocs: 503, message: "Nextcloud is in maintenance mode", header: []string{"X-Nextcloud-Maintenance-Mode", "1"},
			body: `{"ocs":{"meta":{"status":"failure","statuscode":503,"message":"Service unavailable"},"data":[]}}`,
		},
		{
			name: "maintenance, DAV", status: 503, kind: ErrMaintenance, mediaType: xml, exception: `OCA\DAV\Exception\ServerMaintenanceMode`, message: "Nextcloud is in maintenance mode",
			body: davFailure(`OCA\DAV\Exception\ServerMaintenanceMode`, "System is in maintenance mode."),
		},
		{name: "maintenance, app API", status: 503, kind: ErrMaintenance, mediaType: html, body: page, message: "Nextcloud is in maintenance mode", header: []string{"X-Nextcloud-Maintenance-Mode", "1", "Retry-After", "120"}},
		{
			name: "unknown DAV method", status: 501, kind: ErrUnavailable, mediaType: xml, exception: `Sabre\DAV\Exception\NotImplemented`, message: "no",
			body: davFailure(`Sabre\DAV\Exception\NotImplemented`, "no"),
		},
		{name: "markup in a message", status: 403, kind: ErrForbidden, mediaType: json, body: `{"message":"<script>alert(1)</script>"}`},
		{name: "control characters in a message", status: 403, kind: ErrForbidden, mediaType: json, body: `{"message":"a\u001b[31mred"}`},
		{name: "long message", status: 403, kind: ErrForbidden, mediaType: json, body: `{"message":"` + strings.Repeat("long ", 100) + `"}`, message: strings.Repeat("long ", 40) + "…"},
		{name: "JSON that is none", status: 403, kind: ErrForbidden, mediaType: json, body: `{"message":`},
		{name: "unexpected status", status: 300, kind: ErrBadAnswer, mediaType: html},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := 0
			client := overFake(t, always(&n, c.status, c.body, append(c.header, "Content-Type", c.mediaType)...), basic(), nil)
			_, err := client.Do(t.Context(), Request{Op: "try", Path: "/x"})
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("error = %v", err)
			}
			if !errors.Is(e, c.kind) || e.Status != c.status || e.OCS != c.ocs || e.Exception != c.exception || e.Message != c.message {
				t.Errorf("got  %v, status %d, OCS %d, exception %q, message %q\nwant %v, status %d, OCS %d, exception %q, message %q",
					e.Kind, e.Status, e.OCS, e.Exception, e.Message, c.kind, c.status, c.ocs, c.exception, c.message)
			}
			if strings.Contains(err.Error(), "secret details") {
				t.Errorf("the text shows a foreign page: %v", err)
			}
		})
	}
}

// TestRefused: an owner of credentials hears of their refusal exactly once,
// and of nothing else.
func TestRefused(t *testing.T) {
	const cors = `{"message":"CORS requires basic auth"}`
	const login = `{"ocs":{"meta":{"status":"failure","statuscode":997,"message":"no"},"data":[]}}`
	bearer := Bearer{Token: auth.Secret(canary)}
	for _, c := range []struct {
		name        string
		status      int
		body        string
		credentials Credentials
		kind        error
		calls       int
	}{
		{"HTTP 401", 401, `{"message":""}`, basic(), ErrUnauthenticated, 1},
		{"OCS 997 with 401", 401, login, basic(), ErrUnauthenticated, 1},
		{"OCS 997 with 200", 200, login, basic(), ErrUnauthenticated, 1},
		{"no bearer on app APIs", 401, cors, bearer, ErrForbidden, 0},
		{"no credentials on app APIs", 401, cors, basic(), ErrUnauthenticated, 1},
		{"bad bearer", 401, `{"message":"Current user is not logged in"}`, bearer, ErrUnauthenticated, 1},
		{"forbidden", 403, ``, basic(), ErrForbidden, 0},
		{"throttled", 429, ``, basic(), ErrRateLimited, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			requests, calls := 0, 0
			client := overFake(t, always(&requests, c.status, c.body, "Content-Type", "application/json"), c.credentials,
				&ClientOptions{Refused: func() { calls++ }})
			err := client.OCS(t.Context(), Request{Op: "try", Path: "/ocs/v2.php/x"}, nil)
			if !errors.Is(err, c.kind) || calls != c.calls || requests != 1 {
				t.Errorf("%v after %d calls and %d requests, want %v after %d", err, calls, requests, c.kind, c.calls)
			}
		})
	}
}
