package nextcloudtest

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"strconv"
	"time"
)

// directLife is how long a direct link works.
const directLife = 8 * time.Hour

// maxDirectLinks bounds a server.
const maxDirectLinks = 1000

// directLink is a download that needs no credentials.
type directLink struct {
	user    string
	file    int
	expires time.Time
}

func (s *Server) routesFiles() {
	s.handle("POST /ocs/v2.php/apps/dav/api/v1/direct", familyOCS, s.createDirect)
	s.handle("GET /remote.php/direct/{token}", familyOpen, s.serveDirect)
	s.handle("GET /core/preview", familyWeb, s.servePreview)
}

// filesCapability is what the Files app says about itself and about what is refused for names.
func filesCapability() map[string]any {
	return map[string]any{
		"comments": true, "blacklisted_files": []string{".htaccess"}, "forbidden_filenames": []string{".htaccess"}, "forbidden_filename_basenames": []string{},
		"forbidden_filename_characters": []string{`\`, "/"}, "forbidden_filename_extensions": []string{".filepart", ".part"},
		"bigfilechunking": true, "chunked_upload": map[string]any{"max_size": 100 << 20, "max_parallel_count": 5},
		"file_conversions": []string{}, "windows_compatible_filenames": false, "locking": "1.0", "api-feature-lock-type": true,
		"undelete": true, "delete_from_trash": true, "versioning": true, "version_labeling": true, "version_deletion": true,
	}
}

// createDirect makes a link to a file for somebody who has no account at hand.
func (s *Server) createDirect(w http.ResponseWriter, r *http.Request, a *account) {
	id, _ := strconv.Atoi(phpText(phpParams(r)["fileId"]))
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	p, found := a.files.byID(id)
	switch {
	case !found:
		writeOCSFailure(w, r, http.StatusNotFound, "")
		return
	case p.node.isFolder():
		writeOCSFailure(w, r, http.StatusBadRequest, "Direct download only works for files")
		return
	case len(s.files.direct) >= maxDirectLinks:
		clear(s.files.direct)
	}
	token := randomText(60)
	s.files.direct[token] = directLink{user: a.id, file: id, expires: s.now().Add(directLife)}
	writeOCS(w, r, map[string]string{"url": s.base(r) + "/remote.php/direct/" + token})
}

func (s *Server) serveDirect(w http.ResponseWriter, r *http.Request, _ *account) {
	s.files.answer(w, func(w http.ResponseWriter) io.Reader {
		link, ok := s.files.direct[r.PathValue("token")]
		a := s.account(link.user)
		if !ok || a == nil || s.now().After(link.expires) {
			writeDAVFailure(w, davNotFound(""))
			return nil
		}
		p, found := a.files.byID(link.file)
		if !found {
			writeDAVFailure(w, davNotFound(""))
			return nil
		}
		n := p.node
		c := davContent{name: n.name, contentType: withCharset(typeOfName(n.name)), etag: `"` + n.etag + `"`, modified: httpTime(n.mtime), content: n.content}
		return c.serve(w, r)
	})
}

// servePreview answers with a picture of a file: a plain square, whatever the file holds.
func (s *Server) servePreview(w http.ResponseWriter, r *http.Request, a *account) {
	id, _ := strconv.Atoi(r.URL.Query().Get("fileId"))
	s.files.answer(w, func(w http.ResponseWriter) io.Reader {
		p, found := a.files.byID(id)
		if !found || p.node.isFolder() || !previewed(p.node.name) {
			writeJSON(w, http.StatusNotFound, []int{})
			return nil
		}
		h := w.Header()
		h.Set("Cache-Control", "private, max-age=86400, immutable")
		h.Set("Last-Modified", httpTime(p.node.mtime))
		h.Set("Etag", `"`+md5Hex(p.node.etag)+`"`)
		kind := "crop"
		if r.URL.Query().Get("a") == "1" {
			kind = "max"
		}
		h.Set("Content-Disposition", `inline; filename="64-64-`+kind+`.png"`)
		h.Set("Content-Type", "image/png")
		w.WriteHeader(http.StatusOK)
		return bytes.NewReader(square(64, color.RGBA{0, 0x67, 0x9e, 0xff}))
	})
}

// square is a PNG of one colour with a darker diagonal, so that turning it shows.
func square(side int, c color.RGBA) []byte {
	picture := image.NewRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			shade := c
			if x == y {
				shade = color.RGBA{c.R / 2, c.G / 2, c.B / 2, 0xff}
			}
			picture.SetRGBA(x, y, shade)
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		return nil
	}
	return out.Bytes()
}
