package nextcloud

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

// TransportOptions are the TLS and connection settings of NewTransport; nil
// means all defaults.
type TransportOptions struct {
	CABundle         string // PEM file with certificate authorities beside the system's
	InsecureSkipTLS  bool   // do not verify certificates
	DisableKeepAlive bool   // a new connection for every request
}

// NewTransport is the one pooled transport of the process. It panics when the
// CA bundle cannot be read: LoadCABundle checks it first.
func NewTransport(opts *TransportOptions) *http.Transport {
	if opts == nil {
		opts = &TransportOptions{}
	}
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          256,
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 50 * time.Second,
		DisableKeepAlives:     opts.DisableKeepAlive,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: opts.InsecureSkipTLS}, //nolint:gosec // only by NEXTCLOUD_VERIFY_SSL=false, which is warned about
	}
	if opts.CABundle != "" {
		pool, err := LoadCABundle(opts.CABundle)
		if err != nil {
			panic(err)
		}
		t.TLSClientConfig.RootCAs = pool
	}
	return t
}

// LoadCABundle reads a PEM file of certificate authorities and adds them to
// the system's.
func LoadCABundle(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read CA bundle: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("CA bundle %s holds no certificate", file)
	}
	return pool, nil
}

var (
	errOtherHost = errors.New("redirect to another host")
	errLostWrite = errors.New("redirect that turns a request into another one")
	errRedirects = errors.New("more than three redirects")
)

// sameHostRedirects follows at most three redirects, and only on the host that
// was asked: a credential must not travel elsewhere. A redirect that would
// turn a write into a GET (RFC 9110, 15.4) is refused: the page it leads to
// would look like a success.
func sameHostRedirects(r *http.Request, via []*http.Request) error {
	first := via[0].URL
	if r.URL.Host != first.Host || (first.Scheme == "https" && r.URL.Scheme != "https") {
		return fmt.Errorf("%w: %s", errOtherHost, r.URL.Scheme+"://"+r.URL.Host)
	}
	if r.Method != via[0].Method {
		return errLostWrite
	}
	if len(via) > 3 {
		return errRedirects
	}
	return nil
}
