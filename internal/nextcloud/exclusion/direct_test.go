package exclusion_test

import (
	"net/http"
	"net/http/httptest"
)

// direct answers requests without a network, whose waiting synctest would not
// know of.
type direct struct{ handler http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	res := w.Result()
	res.Request = r
	return res, nil
}
