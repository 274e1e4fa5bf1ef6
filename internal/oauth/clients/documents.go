package clients

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"nextcloud-mcp-server/internal/oauth/redirect"
	"nextcloud-mcp-server/internal/safehttp"
)

const (
	maxDocuments  = 512 // kept
	maxSilences   = 512 // remembered
	maxFetches    = 8   // at once
	fetchPatience = 15 * time.Second

	minFresh     = time.Minute
	defaultFresh = time.Hour
	maxFresh     = 24 * time.Hour
	// keepStale is how long a document serves beyond its time while its host
	// has trouble.
	keepStale = 24 * time.Hour
	// silenceFor is how long a host that did not answer is left alone. Answers
	// that are errors are not remembered (draft-ietf-oauth-client-id-metadata-
	// document, 5.2).
	silenceFor = 30 * time.Second
)

// documents fetches and keeps client id metadata documents.
type documents struct {
	from    Documents
	schemes redirect.Schemes
	log     *slog.Logger
	now     func() time.Time

	flights  singleflight.Group // by client id
	slots    chan struct{}
	kept     *lru.Cache[string, document]
	silences *lru.Cache[string, silence]
}

type document struct {
	client Client
	fresh  time.Time // until when it is served without a look
	stale  time.Time // until when it is served when there is trouble
}

type silence struct {
	problem *Problem
	until   time.Time
}

func newDocuments(from Documents, schemes redirect.Schemes, log *slog.Logger, now func() time.Time) *documents {
	d := &documents{from: from, schemes: schemes, log: log, now: now, slots: make(chan struct{}, maxFetches)}
	// The constructor fails for sizes below one only.
	d.kept, _ = lru.New[string, document](maxDocuments)
	d.silences, _ = lru.New[string, silence](maxSilences)
	return d
}

// find is the client that the document at id describes. The error is a
// *Problem, or the context's.
func (d *documents) find(ctx context.Context, id string) (Client, error) {
	if doc, ok := d.kept.Get(id); ok && d.now().Before(doc.fresh) {
		return doc.client, nil
	}
	if s, ok := d.silences.Get(id); ok && d.now().Before(s.until) {
		return Client{}, s.problem
	}
	// Whoever asks first must not end the fetch for the others.
	flight := d.flights.DoChan(id, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchPatience)
		defer cancel()
		return d.renew(ctx, id)
	})
	select {
	case result := <-flight:
		client, _ := result.Val.(Client)
		return client, result.Err
	case <-ctx.Done():
		return Client{}, ctx.Err()
	}
}

// renew fetches a document, or falls back on the one that is kept.
func (d *documents) renew(ctx context.Context, id string) (Client, error) {
	client, fresh, err := d.fetch(ctx, id)
	now := d.now()
	if err == nil {
		d.silences.Remove(id)
		d.kept.Add(id, document{client: client, fresh: now.Add(fresh), stale: now.Add(fresh + keepStale)})
		return client, nil
	}
	d.log.InfoContext(ctx, "no client id metadata document", "client_id", id, "error", err, "cause", errors.Unwrap(errors.Unwrap(err)))
	doc, ok := d.kept.Peek(id)
	switch {
	case !errors.Is(err, ErrUnavailable):
		d.kept.Remove(id) // its owner took it back
	case ok && now.Before(doc.stale):
		doc.fresh = now.Add(minFresh)
		d.kept.Add(id, doc)
		return doc.client, nil
	}
	return Client{}, err
}

// fetch is the client that the document describes now, and how long that is
// true.
func (d *documents) fetch(ctx context.Context, id string) (Client, time.Duration, error) {
	select {
	case d.slots <- struct{}{}:
		defer func() { <-d.slots }()
	case <-ctx.Done():
		return Client{}, 0, unavailable(ctx.Err())
	}
	answer, err := d.from.Get(ctx, id)
	switch {
	case errors.Is(err, safehttp.ErrTooLarge):
		return Client{}, 0, &Problem{Kind: ErrBadDocument, Detail: "The document is too large.", Err: err}
	case err != nil:
		problem := unavailable(err)
		d.silences.Add(id, silence{problem: problem, until: d.now().Add(silenceFor)})
		return Client{}, 0, problem
	case answer.Status >= http.StatusInternalServerError || answer.Status == http.StatusTooManyRequests || answer.Status == http.StatusRequestTimeout:
		return Client{}, 0, &Problem{
			Kind: ErrUnavailable, Detail: "The host of the application's description has trouble: try again later.",
			Err: errors.New("status " + strconv.Itoa(answer.Status)),
		}
	}
	client, err := read(id, answer, d.schemes)
	return client, freshness(answer.Header, d.now()), err
}

// unavailable says the same of all hosts that cannot be reached, so that
// nobody learns here which ones there are on the inside.
func unavailable(err error) *Problem {
	return &Problem{
		Kind: ErrUnavailable, Err: err,
		Detail: "This server cannot reach the host of the application's description: it does not answer, or is not on the public internet.",
	}
}

// freshness is how long an answer may be kept (RFC 9111, 4.2), within bounds.
func freshness(h http.Header, now time.Time) time.Duration {
	fresh, said := defaultFresh, false
	for directive := range strings.SplitSeq(strings.Join(h.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "no-store", "no-cache":
			return minFresh
		case "max-age":
			seconds, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 31)
			if err != nil {
				return minFresh
			}
			fresh, said = time.Duration(seconds)*time.Second, true
		}
	}
	if expires := h.Get("Expires"); expires != "" && !said {
		fresh = 0 // what cannot be read has expired (RFC 9111, 5.3)
		if end, err := http.ParseTime(expires); err == nil {
			if date, err := http.ParseTime(h.Get("Date")); err == nil {
				now = date
			}
			fresh = end.Sub(now)
		}
	}
	if age, err := strconv.ParseUint(h.Get("Age"), 10, 31); err == nil {
		fresh -= time.Duration(age) * time.Second
	}
	return min(max(fresh, minFresh), maxFresh)
}
