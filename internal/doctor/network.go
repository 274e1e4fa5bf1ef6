package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"
)

// soon is how long before its end a certificate should have been renewed:
// automatic renewal does it a month before.
const soon = 14 * 24 * time.Hour

// lookUp finds out whether the name of an address resolves.
func (v *visit) lookUp(ctx context.Context, u *url.URL, setting string) finding {
	name := u.Hostname()
	if net.ParseIP(name) != nil {
		return nameIsAddress(name)
	}
	addresses, err := v.opts.Lookup(ctx, name)
	if err != nil || len(addresses) == 0 {
		return nameUnknown(name, setting)
	}
	return nameKnown(name, addresses)
}

// connect opens a connection to an address and, for https, looks at the
// certificates.
func (v *visit) connect(ctx context.Context, u *url.URL, t *http.Transport, setting string) finding {
	if req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil); err == nil {
		if proxy, err := http.ProxyFromEnvironment(req); err == nil && proxy != nil {
			return throughProxy(u)
		}
	}
	conn, err := v.opts.Dial(ctx, "tcp", hostPort(u))
	if err != nil {
		return noConnection(err, u, setting)
	}
	defer conn.Close()
	if u.Scheme != "https" {
		if loopback(u.Hostname()) {
			return plainLoopback(u)
		}
		return plainHTTP(u, setting)
	}
	settings := t.TLSClientConfig.Clone()
	settings.ServerName = u.Hostname()
	settings.MinVersion = tls.VersionTLS12
	secured := tls.Client(conn, settings)
	defer secured.Close()
	if err := secured.HandshakeContext(ctx); err != nil {
		return noConnection(err, u, setting)
	}
	return v.certificates(secured.ConnectionState(), u)
}

func (v *visit) certificates(state tls.ConnectionState, u *url.URL) finding {
	if len(state.VerifiedChains) == 0 {
		return unverified(u)
	}
	end := state.VerifiedChains[0][0].NotAfter
	for _, c := range state.VerifiedChains[0] {
		if c.NotAfter.Before(end) {
			end = c.NotAfter
		}
	}
	if left := end.Sub(v.opts.Now()); left < soon {
		return endsSoon(u, end, left)
	}
	return secure(tls.VersionName(state.Version), end)
}

// noConnection is a problem for a request that got no answer.
func noConnection(err error, u *url.URL, setting string) finding {
	var (
		unknownCA x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
		alert     tls.AlertError
		dns       *net.DNSError
		netErr    net.Error
	)
	switch {
	case errors.As(err, &unknownCA):
		return unknownAuthority(u, unknownCA.Cert)
	case errors.As(err, &hostname):
		return otherName(u, hostname.Certificate, setting)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		if time.Now().Before(invalid.Cert.NotBefore) {
			return notYetValid(u, invalid.Cert)
		}
		return expired(u, invalid.Cert)
	case errors.As(err, &invalid):
		return invalidCertificate(u)
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return noTLS(u, setting)
	case errors.As(err, &alert):
		return refusedTLS(u)
	case errors.As(err, &dns):
		return nameUnknown(u.Hostname(), setting)
	case errors.As(err, &netErr) && netErr.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return noAnswer(u)
	}
	return unreachable(u, setting)
}

// checkHTTP asks for the same server over http: people type addresses
// without a scheme.
func (v *visit) checkHTTP(ctx context.Context) finding {
	plain := *v.base
	plain.Scheme = "http"
	a := v.get(ctx, plain.String()+"/health/live")
	switch {
	case a.err != nil:
		return closedHTTP()
	case a.status/100 == 3:
		to, err := url.Parse(a.location())
		if err != nil || to.Scheme != "https" || to.Hostname() != v.base.Hostname() {
			return redirectedElsewhere(a)
		}
		return redirectedHTTP()
	case isAlive(a):
		return openHTTP(v.base)
	}
	return otherHTTP(a)
}

// onHTTPS reports whether http may be tried beside https.
func (v *visit) onHTTPS() bool {
	return v.base != nil && v.base.Scheme == "https" && v.base.Port() == ""
}

func hostPort(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// loopback reports whether a name can only mean this machine.
func loopback(name string) bool {
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && ip.IsLoopback()
}

// maxSkew is by how much clocks may differ: tokens are dated.
const maxSkew = time.Minute

// clock compares somebody's clock with ours.
func clock(a *answer, whose string) finding {
	skew, ok := a.skew()
	switch {
	case !ok:
		return noDate(whose)
	case skew.Abs() > maxSkew:
		return wrongClock(whose, skew)
	}
	return rightClock(whose)
}
