package oidcclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// DiscoveryError says why there are no provider metadata.
type DiscoveryError struct {
	URL        string        // what was asked, without query
	Status     int           // HTTP status; 0 when there was no answer
	Message    string        // what is wrong and what to do, in one sentence
	RetryAfter time.Duration // as the provider asked; 0 means not said
	Err        error         // the cause; may be nil
}

// Error is the sentence and the address.
func (e *DiscoveryError) Error() string {
	if e.URL == "" {
		return "OIDC discovery failed: " + e.Message
	}
	return "OIDC discovery failed at " + e.URL + ": " + e.Message
}

// Unwrap is the cause.
func (e *DiscoveryError) Unwrap() error { return e.Err }

// cause is err without the URL that net/http puts into it.
func cause(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// connectionProblem is one sentence for a request that got no answer.
func connectionProblem(err error) string {
	var (
		unknownCA x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
		dns       *net.DNSError
		netErr    net.Error
	)
	switch {
	case errors.Is(err, errOtherHost):
		return "it sends us to another host (" + cause(err).Error() + "): set NEXTCLOUD_HOST (or OIDC_DISCOVERY_URL) to the final address"
	case errors.As(err, &unknownCA):
		return "the certificate is self-signed or from an unknown authority: give its CA file in NEXTCLOUD_CA_BUNDLE"
	case errors.As(err, &hostname):
		return "the certificate is for another host name: use the name in the certificate"
	case errors.As(err, &invalid):
		return "the certificate is not valid (expired, or not yet valid): renew it"
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return "the server does not speak TLS on this port: use http:// or another port"
	case errors.As(err, &dns):
		return "the host name cannot be resolved: check NEXTCLOUD_HOST"
	case errors.Is(err, context.Canceled):
		return "the request was cancelled"
	case errors.As(err, &netErr) && netErr.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "there was no answer in time: check that this server can reach it"
	}
	return "no connection: check that the address is right and the server is running"
}

// statusProblem is one sentence for an answer to discovery that is no success.
func statusProblem(res *http.Response, body []byte, asked *url.URL) string {
	switch {
	case res.StatusCode == http.StatusServiceUnavailable && maintenance(res.Header):
		return "Nextcloud is in maintenance mode: `occ maintenance:mode --off` ends it"
	case res.StatusCode == http.StatusTooManyRequests:
		return "too many requests (HTTP 429): wait, it is tried again"
	case res.StatusCode >= 500:
		return fmt.Sprintf("the provider answers with HTTP %d: look into its log", res.StatusCode)
	case res.StatusCode == http.StatusBadRequest && untrustedDomain(body):
		return "Nextcloud does not accept the host name " + asked.Hostname() + ": add it with `occ config:system:set trusted_domains 9 --value=" + asked.Host + "`"
	case res.StatusCode == http.StatusNotFound && res.Header.Get("X-Nextcloud-Well-Known") != "":
		return "Nextcloud's oidc app is missing: `occ app:install oidc` (or `occ app:enable oidc`)"
	case res.StatusCode == http.StatusNotFound && strings.HasSuffix(asked.Path, WellKnown):
		base := origin(asked) + strings.TrimSuffix(asked.EscapedPath(), WellKnown)
		return "there is no discovery document: enable Nextcloud's oidc app (`occ app:enable oidc`); if its web server does not pass /.well-known on, set OIDC_DISCOVERY_URL=" + base + "/index.php/apps/oidc/openid-configuration"
	case res.StatusCode == http.StatusNotFound:
		return "there is no discovery document: check the address, and that the oidc app is enabled (`occ app:enable oidc`)"
	case res.StatusCode/100 == 3:
		return "it redirects without saying where to: check NEXTCLOUD_HOST"
	}
	return fmt.Sprintf("the provider refuses with HTTP %d: check the address and what stands before it (proxy, firewall)", res.StatusCode)
}

// maintenance reports whether a 503 is Nextcloud's maintenance mode.
func maintenance(h http.Header) bool {
	return h.Get("X-Nextcloud-Maintenance-Mode") == "1"
}

// untrustedDomain recognises both answers of Nextcloud to a host name that is
// not in its trusted_domains: a JSON one and a page.
func untrustedDomain(body []byte) bool {
	body = bytes.ToLower(body)
	return bytes.Contains(body, []byte("trusted domain")) || bytes.Contains(body, []byte("trusted_domains"))
}

// retryAfter reads the seconds or the date of Retry-After (RFC 9110, 10.2.3),
// at most a day.
func retryAfter(h http.Header) time.Duration {
	v := h.Get("Retry-After")
	if s, err := strconv.Atoi(v); err == nil && s > 0 {
		return min(time.Duration(s), 24*60*60) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return min(max(0, time.Until(t)), 24*time.Hour)
	}
	return 0
}
