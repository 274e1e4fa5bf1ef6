package bearer

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	defaultWait = 5 * time.Second // Retry-After when the issuer says nothing
	maxWait     = 5 * time.Minute
	maxAnswer   = 64 << 10 // bytes of an introspection or userinfo answer
)

var errAnswerTooLong = errors.New("answer is too long")

// withoutRedirects is a copy of client that follows none: a redirect would
// carry the token and the client secret elsewhere.
func withoutRedirects(client *http.Client) *http.Client {
	c := http.Client{}
	if client != nil {
		c = *client
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.Jar = nil // Nextcloud: cookies outrank the Authorization header
	return &c
}

// answer is a complete HTTP answer.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// ask sends r and reads at most limit bytes of the answer.
func ask(client *http.Client, r *http.Request, limit int64) (*answer, error) {
	r.Header.Set("Accept", "application/json")
	res, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	if int64(len(body)) > limit {
		return nil, errAnswerTooLong
	}
	return &answer{res.StatusCode, res.Header, body}, nil
}

// wait is the answer's Retry-After (RFC 9110, 10.2.3) within bounds; zero when
// there is none.
func (a *answer) wait(now time.Time) time.Duration {
	value := strings.TrimSpace(a.header.Get("Retry-After"))
	if value == "" {
		return 0
	}
	var d time.Duration
	if seconds, err := strconv.Atoi(value); err == nil {
		d = time.Duration(min(max(seconds, 0), int(maxWait/time.Second))) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, time.Second), maxWait)
}

// maxAge is the answer's freshness by Cache-Control (RFC 9111, 5.2.2.1); zero
// when it must not be kept or nothing is said.
func (a *answer) maxAge() time.Duration {
	var age time.Duration
	for directive := range strings.SplitSeq(strings.Join(a.header.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
		switch name {
		case "no-store", "no-cache":
			return 0
		case "max-age":
			if seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31); err == nil {
				age = time.Duration(seconds) * time.Second
			}
		}
	}
	return age
}
