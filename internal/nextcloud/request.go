package nextcloud

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Request is one exchange with Nextcloud.
type Request struct {
	Op      string      // what is tried, in words, for errors: "get note"
	Method  string      // default GET
	Path    string      // below the host's base, encoded (see Path)
	Query   url.Values  // may be nil
	Header  http.Header // beside the standard ones; may be nil
	Body    []byte      // may be nil
	Reader  io.Reader   // the body when it is not held in memory, instead of Body
	Length  int64       // bytes of Reader; negative when not known
	Type    string      // content type of the body
	Accept  string      // default application/json
	MaxBody int64       // bytes accepted of the answer; default DefaultMaxBody
}

// Response is a success: any 2xx, or 304.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// ETag is the answer's entity tag without its quotes; empty when there is none.
func (r *Response) ETag() string { return UnquoteETag(r.Header.Get("ETag")) }

// UnquoteETag strips the quotes and the weak mark of an entity tag.
func UnquoteETag(tag string) string {
	return strings.Trim(strings.TrimPrefix(tag, "W/"), `"`)
}

// QuoteETag is an entity tag as If-Match takes it (RFC 9110, 8.8.3).
func QuoteETag(tag string) string { return `"` + UnquoteETag(tag) + `"` }

// JSON is Do for an answer in JSON, read into out when out is not nil.
func (c *Client) JSON(ctx context.Context, r Request, out any) (*Response, error) {
	res, err := c.Do(ctx, r)
	if err != nil || out == nil || res.Status == http.StatusNotModified {
		return res, err
	}
	if err := json.Unmarshal(res.Body, out); err != nil {
		return nil, badAnswer(r.Op, res, err)
	}
	return res, nil
}

// JSONBody is v as a request body. It panics on what cannot be JSON, which is
// a programming error.
func JSONBody(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// Do sends r and answers the response of a success. Everything else is an
// *Error. 423 and 503 are retried shortly within one budget, since Nextcloud
// did nothing then; nothing else is ever retried. A Reader that cannot be read
// again is sent once.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	if r.Reader == nil {
		// How long a body that streams takes is for the caller to say.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, requestTimeout)
		defer cancel()
	}
	return retried(ctx, c, r, c.once)
}

// retried is Do with try as one exchange.
func retried[T any](ctx context.Context, c *Client, r Request, try func(context.Context, Request, io.Reader) (T, error)) (T, error) {
	const budget = 4 * time.Second
	start := time.Now()
	body := newReplay(r)
	for n := 0; ; n++ {
		res, err := try(ctx, r, body.next())
		var e *Error
		if err == nil || !errors.As(err, &e) {
			return res, err
		}
		c.noteRefusal(e)
		again := e.Status == http.StatusLocked || (e.Status == http.StatusServiceUnavailable && !errors.Is(e, ErrMaintenance))
		if !again || n >= 4 || !body.rewind() {
			return res, err
		}
		wait := time.Duration(200<<n)*time.Millisecond + rand.N(100*time.Millisecond) //nolint:gosec // jitter needs no secrecy
		wait = max(wait, e.RetryAfter)
		if time.Since(start)+wait > budget {
			return res, err
		}
		select {
		case <-ctx.Done():
			return res, err
		case <-time.After(wait):
		}
	}
}

// noteRefusal tells the owner of the credentials that they were refused.
func (c *Client) noteRefusal(e *Error) {
	if !errors.Is(e, ErrUnauthenticated) {
		return
	}
	if _, bearer := c.credentials.(Bearer); bearer && e.Message == "CORS requires basic auth" {
		// Nextcloud before 30: app APIs refuse every bearer token, good or bad,
		// so this says nothing about the token.
		e.Kind = ErrForbidden
		e.Message = "this Nextcloud takes no OAuth token on the API of this app: an administrator can update it to version 30 or newer, or the person can use an app password"
		return
	}
	if c.refused != nil {
		c.refused()
	}
}

// once is one exchange with its answer in memory.
func (c *Client) once(ctx context.Context, r Request, body io.Reader) (*Response, error) {
	httpRes, err := c.send(ctx, r, body)
	if err != nil {
		return nil, err
	}
	defer httpRes.Body.Close()
	res, err := c.readAll(ctx, r, httpRes, r.limit())
	if err != nil {
		return nil, err
	}
	if err := c.failure(r, httpRes, res); err != nil {
		return nil, err
	}
	return res, nil
}

func (r *Request) limit() int64 {
	if r.MaxBody == 0 {
		return DefaultMaxBody
	}
	return r.MaxBody
}

// send sends r with body and answers whatever comes back.
func (c *Client) send(ctx context.Context, r Request, body io.Reader) (*http.Response, error) {
	u := *c.host.base
	u.Path, u.RawPath = "", ""
	target := c.host.base.EscapedPath() + r.Path
	u.Opaque = "" // the path is given in its encoded form below
	parsed, err := url.Parse(target)
	if err != nil {
		return nil, &Error{Op: r.Op, Kind: ErrInvalid, Message: "not a path", Err: err}
	}
	u.Path, u.RawPath, u.RawQuery = parsed.Path, parsed.RawPath, r.Query.Encode()
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, &Error{Op: r.Op, Kind: ErrInvalid, Err: err}
	}
	if r.Reader != nil {
		req.ContentLength, req.GetBody = r.Length, nil
		if r.Length == 0 {
			req.Body = http.NoBody // a length of 0 with a body means an unknown one
		}
	}
	maps.Copy(req.Header, r.Header)
	if r.Type != "" {
		req.Header.Set("Content-Type", r.Type)
	}
	accept := r.Accept
	if accept == "" {
		accept = "application/json"
	}
	req.Header.Set("Accept", accept)
	// Nextcloud: this header is what makes bearer tokens and Basic pass the
	// CSRF check on every API.
	req.Header.Set("OCS-APIRequest", "true")
	req.Header.Set("User-Agent", c.userAgent)
	c.credentials.Authorize(req)
	res, err := c.host.http.Do(req)
	if err != nil {
		return nil, connectionError(r.Op, err)
	}
	return res, nil
}

// readAll reads an answer of at most limit bytes.
func (c *Client) readAll(ctx context.Context, r Request, httpRes *http.Response, limit int64) (*Response, error) {
	data, err := io.ReadAll(io.LimitReader(httpRes.Body, limit+1))
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, connectionError(r.Op, ctx.Err())
	case err != nil:
		return nil, cutOff(r.Op, err)
	case int64(len(data)) > limit:
		return nil, tooLarge(r.Op, httpRes.StatusCode, limit)
	}
	return &Response{Status: httpRes.StatusCode, Header: httpRes.Header, Body: data}, nil
}

func cutOff(op string, err error) *Error {
	return &Error{Op: op, Kind: ErrUnavailable, Message: "the answer was cut off", Err: err}
}

func tooLarge(op string, status int, limit int64) *Error {
	return &Error{Op: op, Kind: ErrTooLarge, Status: status, Message: fmt.Sprintf("the answer is larger than %d bytes", limit)}
}

// failure is the error of an answer; nil for a success.
func (c *Client) failure(r Request, httpRes *http.Response, res *Response) error {
	if res.Status/100 == 2 || res.Status == http.StatusNotModified {
		if strings.HasSuffix(httpRes.Request.URL.Path, "/login") && !strings.HasSuffix(r.Path, "/login") {
			return &Error{Op: r.Op, Kind: ErrUnauthenticated, Status: res.Status, Message: "Nextcloud answered with its login page"}
		}
		return nil
	}
	e := answerError(r.Op, res)
	if echoes(res.Body, httpRes.Request.Header.Get("Authorization")) {
		e.Message, e.Body = "", nil
	}
	return e
}

// echoes reports whether a body repeats the credentials of its request, as
// proxies and debug modes do. Nothing of such a body may be shown.
func echoes(body []byte, authorization string) bool {
	_, credentials, _ := strings.Cut(authorization, " ")
	if credentials == "" {
		return false
	}
	secrets := []string{credentials}
	if decoded, err := base64.StdEncoding.DecodeString(credentials); err == nil {
		if _, password, ok := bytes.Cut(decoded, []byte(":")); ok && len(password) > 0 {
			secrets = append(secrets, string(password))
		}
	}
	plain := bytes.ReplaceAll(body, []byte(`\`), nil) // PHP writes "/" as "\/"
	return slices.ContainsFunc(secrets, func(s string) bool { return bytes.Contains(plain, []byte(s)) })
}

// answerError is the error of an answer that is no success.
func answerError(op string, res *Response) *Error {
	e := &Error{Op: op, Kind: KindOf(res.Status), Status: res.Status, RetryAfter: retryAfter(res.Header)}
	e.Body = res.Body[:min(len(res.Body), 64<<10)]
	e.Message, e.Exception = serverMessage(res)
	if e.OCS = ocsStatus(res); e.OCS == ocsUnknownAPI {
		e.Kind, e.Message = ErrAppMissing, "Nextcloud does not know this API"
	}
	if res.Status >= 500 && res.Status != http.StatusNotImplemented && res.Status != http.StatusInsufficientStorage {
		// What a broken server says of itself is for its log: it may hold
		// queries and paths.
		e.Message = ""
	}
	switch {
	case res.Status == http.StatusServiceUnavailable && maintenance(res):
		e.Kind, e.Message = ErrMaintenance, "Nextcloud is in maintenance mode"
	case res.Status == http.StatusBadRequest && (bytes.Contains(res.Body, []byte("Trusted domain error")) || bytes.Contains(res.Body, []byte("untrusted domain"))):
		e.Kind, e.Message = ErrUnavailable, "Nextcloud does not accept this host name: an administrator has to add it to trusted_domains in config.php"
	}
	return e
}

func maintenance(res *Response) bool {
	return res.Header.Get("X-Nextcloud-Maintenance-Mode") == "1" ||
		bytes.Contains(res.Body, []byte("maintenance"))
}

// retryAfter reads the seconds or the date of Retry-After (RFC 9110, 10.2.3).
func retryAfter(h http.Header) time.Duration {
	v := h.Get("Retry-After")
	if s, err := strconv.Atoi(v); err == nil && s > 0 {
		return min(time.Duration(s)*time.Second, 24*time.Hour)
	}
	if t, err := http.ParseTime(v); err == nil {
		return min(max(0, time.Until(t)), 24*time.Hour)
	}
	return 0
}

func badAnswer(op string, res *Response, err error) *Error {
	e := &Error{Op: op, Kind: ErrBadAnswer, Status: res.Status, Err: err, Message: "the answer is not the JSON that was expected"}
	trimmed := bytes.TrimSpace(res.Body)
	switch {
	case len(trimmed) == 0:
		e.Message = "the answer is empty"
	case trimmed[0] == '<':
		e.Message = "Nextcloud answered with a web page where data was expected"
	}
	return e
}

// connectionError is the error of a request that got no answer, with one
// sentence for what people meet most.
func connectionError(op string, err error) *Error {
	e := &Error{Op: op, Kind: ErrUnavailable, Err: err}
	var (
		urlErr    *url.Error
		unknownCA x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
		dns       *net.DNSError
		netErr    net.Error
	)
	for errors.As(e.Err, &urlErr) {
		e.Err = urlErr.Err // without the URL and its query
	}
	switch {
	case errors.Is(err, errOtherHost):
		e.Kind, e.Message = ErrBadAnswer, "Nextcloud sent us to another host ("+e.Err.Error()+"): set NEXTCLOUD_HOST to the final address"
	case errors.Is(err, errLostWrite):
		e.Kind, e.Message = ErrBadAnswer, "Nextcloud redirects requests: set NEXTCLOUD_HOST to the final address"
	case errors.Is(err, errRedirects):
		e.Kind, e.Message = ErrBadAnswer, "Nextcloud redirects in circles"
	case errors.As(err, &unknownCA):
		e.Message = "the certificate is self-signed or from an unknown authority: give its CA file in NEXTCLOUD_CA_BUNDLE"
	case errors.As(err, &hostname):
		e.Message = "the certificate is for another host name"
	case errors.As(err, &invalid):
		e.Message = "the certificate is not valid (expired, or not yet valid)"
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		e.Message = "the server does not speak TLS on this port: use http:// or another port"
	case errors.As(err, &dns):
		e.Message = "the host name cannot be resolved"
	case errors.Is(err, context.Canceled):
		e.Message = "the request was cancelled"
	case errors.As(err, &netErr) && netErr.Timeout(), errors.Is(err, context.DeadlineExceeded):
		e.Message = "Nextcloud did not answer in time"
	default:
		e.Message = "no connection to Nextcloud"
	}
	return e
}
