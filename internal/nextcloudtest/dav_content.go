package nextcloudtest

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// davContent is something stored, as GET and HEAD send it.
type davContent struct {
	name, contentType, etag, modified string
	content                           blob
	plainNameFirst                    bool
}

func httpTime(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(http.TimeFormat) }

// serve writes the head of the answer and returns what is to follow.
func (c davContent) serve(w http.ResponseWriter, r *http.Request) io.Reader {
	h := w.Header()
	if none := r.Header.Get("If-None-Match"); none != "" && (none == "*" || matchesETag(none, c.etag)) {
		h.Set("Etag", c.etag)
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if failure := checkConditions(r, c.etag); failure != nil {
		writeDAVFailure(w, failure)
		return nil
	}
	h.Set("Last-Modified", c.modified)
	h.Set("Etag", c.etag)
	first, last, ranged, failure := c.span(r)
	if failure != nil {
		writeDAVFailure(w, failure)
		return nil
	}
	h.Set("Oc-Etag", c.etag)
	encoded, plain := "filename*=UTF-8''"+davEscape(c.name), `filename="`+strings.ReplaceAll(c.name, `"`, `\"`)+`"`
	if c.plainNameFirst {
		encoded, plain = plain, encoded
	}
	h.Set("Content-Disposition", "attachment; "+encoded+"; "+plain)
	h.Set("X-Accel-Buffering", "no")
	h.Set("Content-Type", c.contentType)
	h.Set("Content-Length", strconv.FormatInt(last-first+1, 10))
	if ranged {
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, last, c.content.size()))
		w.WriteHeader(http.StatusPartialContent)
	} else {
		w.WriteHeader(http.StatusOK)
	}
	if r.Method == http.MethodHead {
		return nil
	}
	return io.LimitReader(c.content.open(first), last-first+1)
}

// span is the range of bytes that was asked for. Sabre: one range only; If-Range holds an ETag or a date.
func (c davContent) span(r *http.Request) (first, last int64, ranged bool, failure *davFailure) {
	size := c.content.size()
	begin, end, found := strings.Cut(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-")
	if condition := r.Header.Get("If-Range"); condition != "" && condition != c.etag && condition != c.modified {
		found = false
	}
	from, beginErr := strconv.ParseInt(begin, 10, 64)
	to, endErr := strconv.ParseInt(end, 10, 64)
	switch {
	case !found || (beginErr != nil && endErr != nil):
		return 0, size - 1, false, nil
	case beginErr != nil: // the last bytes
		from, to = max(0, size-to), size-1
	case endErr != nil:
		to = size - 1
	}
	if from >= size {
		return 0, 0, false, davUnsatisfiable("The start offset (%d) exceeded the size of the entity (%d)", from, size)
	}
	if to < from {
		return 0, 0, false, davUnsatisfiable("The end offset (%d) is lower than the start offset (%d)", to, from)
	}
	return from, min(to, size-1), true, nil
}

func davUnsatisfiable(format string, args ...any) *davFailure {
	return &davFailure{
		status: http.StatusRequestedRangeNotSatisfiable, exception: `Sabre\DAV\Exception\RequestedRangeNotSatisfiable`,
		message: fmt.Sprintf(format, args...),
	}
}

// serveDAVContent answers GET and HEAD for something small.
func serveDAVContent(w http.ResponseWriter, r *http.Request, name, contentType, etag, modified string, content []byte) {
	c := davContent{name: name, contentType: contentType, etag: etag, modified: modified, content: blob{data: content}}
	if body := c.serve(w, r); body != nil {
		_, _ = io.Copy(w, body)
	}
}
