package oauth

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
)

// maxParameters is how long a query or a form may be, in bytes.
const maxParameters = 32 << 10

var errTooLong = errors.New("the request is too long")

// parameters are those of a request. An empty value counts as none (RFC 6749,
// 3.1 and 3.2).
type parameters url.Values

// parse reads a query or a form.
func parse(encoded string) (parameters, error) {
	values, err := url.ParseQuery(encoded)
	if err != nil {
		return nil, errors.New("the parameters are not well formed")
	}
	for name, all := range values {
		kept := all[:0]
		for _, v := range all {
			if v != "" {
				kept = append(kept, v)
			}
		}
		values[name] = kept
	}
	return parameters(values), nil
}

// get is the value of a parameter; empty when there is none.
func (p parameters) get(name string) string { return url.Values(p).Get(name) }

// one is the value of a parameter that came exactly once; empty otherwise.
func (p parameters) one(name string) string {
	if len(p[name]) != 1 {
		return ""
	}
	return p[name][0]
}

// repeated is a parameter that came more than once (RFC 6749, 3.1 forbids it);
// empty when there is none. Only resource may (RFC 8707, 2).
func (p parameters) repeated() string {
	for name, all := range p {
		if len(all) > 1 && name != "resource" {
			return name
		}
	}
	return ""
}

// readForm reads the form of a token or revocation request and leaves it where
// the client's authentication looks for it.
func readForm(w http.ResponseWriter, r *http.Request) (parameters, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, refuse(codeInvalidRequest, "The body must be application/x-www-form-urlencoded.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxParameters))
	if err != nil {
		return nil, refuse(codeInvalidRequest, "The body is too long or did not arrive.")
	}
	p, err := parse(string(body))
	if err != nil {
		return nil, refuse(codeInvalidRequest, "The form is not well formed.")
	}
	if p.repeated() != "" {
		return nil, refuse(codeInvalidRequest, "A parameter is given more than once.")
	}
	// What the address says does not count: addresses are logged.
	r.PostForm = url.Values(p)
	r.Form = r.PostForm
	return p, nil
}
