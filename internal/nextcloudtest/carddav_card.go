package nextcloudtest

import (
	"net/http"
	"strconv"
	"strings"
)

// serveCard answers requests to one .vcf.
func (c *cardServer) serveCard(r *cardRequest, v *bookView, uri string) {
	o := v.cards[uri]
	if o == nil && r.Method != http.MethodPut {
		if f := checkConditions(r.Request, ""); f != nil && r.Method != "PROPFIND" {
			r.fail(f)
			return
		}
		r.fail(davNotFound("Card not found"))
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		if r.URL.Query().Has("photo") {
			r.photo(o)
			return
		}
		r.content(o)
	case "PROPFIND":
		r.propfind([]*davResource{c.cardResource(v.cardHref(uri), o, r.uid, v.owner)})
	case "REPORT":
		c.reportOn(r, []reportCard{{o, c.cardResource(v.cardHref(uri), o, r.uid, v.owner)}}, 1)
	case http.MethodPut:
		c.putCard(r, v, uri, o)
	case http.MethodDelete:
		c.deleteCard(r, v, o)
	case "MOVE", "COPY":
		c.transferCard(r, v, o)
	default:
		r.fail(davNotImplemented(r.Method))
	}
}

// content answers GET, in the version that the client accepts: 3.0 unless it says otherwise.
func (r *cardRequest) content(o *card) {
	data, failure := convertVCard(o.data, wantsV4(r.Header.Get("Accept")), nil)
	if failure != nil {
		r.fail(failure)
		return
	}
	contentType := "text/vcard; charset=utf-8"
	if wantsV4(r.Header.Get("Accept")) {
		contentType = "text/vcard; version=4.0; charset=utf-8"
	}
	serveDAVContent(r.w, r.Request, o.uri, contentType, o.etag(), o.modified.UTC().Format(http.TimeFormat), []byte(data))
}

func wantsV4(mediaType string) bool {
	return strings.Contains(strings.ReplaceAll(mediaType, " ", ""), "text/vcard;version=4.0")
}

// photo answers GET ?photo.
func (r *cardRequest) photo(o *card) {
	var data []byte
	media := ""
	if v, err := parseVCard(o.data); err == nil {
		data, media = v.photo()
	}
	h := r.w.Header()
	h.Set("Cache-Control", "private, max-age=3600, must-revalidate")
	h.Set("ETag", o.etag())
	h.Set("OC-ETag", o.etag())
	if len(data) == 0 {
		// Nextcloud: no picture is 204 since 29; before it was 404.
		writeDAVEmpty(r.w, http.StatusNoContent)
		return
	}
	h.Set("Content-Disposition", "attachment; filename="+o.uri+"."+strings.TrimPrefix(media, "image/"))
	h.Set("X-Accel-Buffering", "no")
	h.Set("Content-Type", media)
	_, _ = r.w.Write(data)
}

// putCard creates or replaces a card, with every refusal that Nextcloud knows.
func (c *cardServer) putCard(r *cardRequest, v *bookView, uri string, o *card) {
	etag := ""
	if o != nil {
		etag = o.etag()
	}
	if len(r.body) > maxCardSize {
		r.fail(davForbidden("VCard object exceeds " + strconv.Itoa(maxCardSize) + " bytes"))
		return
	}
	if f := checkConditions(r.Request, etag); f != nil {
		r.fail(f)
		return
	}
	if !v.write {
		if v.kind != bookOwn && o == nil {
			// Nextcloud: what the server made is not looked for when something is added.
			r.fail(davNotFound("Node with name '%s' could not be found", v.name))
			return
		}
		if o == nil {
			r.fail(davNeedPrivilege(strings.TrimSuffix(v.href(), "/"), "bind"))
		} else {
			r.fail(davNeedPrivilege(v.cardHref(uri), "write-content"))
		}
		return
	}
	parsed, warning, failure := validateVCard(string(r.body))
	if failure != nil {
		r.fail(failure)
		return
	}
	uid := parsed.value("UID")
	if other := v.byUID(uid); o == nil && other != nil {
		r.fail(davBadRequest("VCard object with uid already exists in this addressbook collection."))
		return
	}
	if o == nil && len(v.cards) >= maxCards {
		r.fail(davForbidden("AddressBook object limit reached"))
		return
	}
	data := string(r.body)
	if warning != "" {
		r.w.Header().Set("X-Sabre-Ew-Gross", "vCard validation warning: "+warning)
		data = parsed.String()
	}
	status := http.StatusCreated
	if o != nil {
		status = http.StatusNoContent
	}
	o = c.people.cards(r.uid).store(v.addressBook, uri, data, uid)
	// Nextcloud: an ETag is only sent when what was stored is what was sent.
	if data == string(r.body) {
		r.w.Header().Set("ETag", o.etag())
		r.w.Header().Set("OC-ETag", o.etag())
	}
	writeDAVEmpty(r.w, status)
}

func (c *cardServer) deleteCard(r *cardRequest, v *bookView, o *card) {
	if f := checkConditions(r.Request, o.etag()); f != nil {
		r.fail(f)
		return
	}
	if !v.write && v.kind != bookRecent {
		r.fail(davNeedPrivilege(strings.TrimSuffix(v.href(), "/"), "unbind"))
		return
	}
	delete(v.cards, o.uri)
	v.changed(o.uri, true)
	writeDAVEmpty(r.w, http.StatusNoContent)
}

// transferCard answers MOVE and COPY to another place of the same home.
func (c *cardServer) transferCard(r *cardRequest, v *bookView, o *card) {
	target, failure := r.destination()
	if failure != nil {
		r.fail(failure)
		return
	}
	if f := checkConditions(r.Request, o.etag()); f != nil {
		r.fail(f)
		return
	}
	if len(target) != 2 {
		r.fail(davForbidden("Permission denied to move node"))
		return
	}
	to := r.home.find(target[0])
	moves := r.Method == "MOVE"
	switch {
	case to == nil:
		r.fail(davConflict("The destination node is not found"))
		return
	case to.kind != bookOwn:
		r.fail(davNotFound("Node with name '%s' could not be found", to.name))
		return
	case moves && !v.write:
		r.fail(davNeedPrivilege(strings.TrimSuffix(v.href(), "/"), "unbind"))
		return
	case !to.write:
		r.fail(davNeedPrivilege(strings.TrimSuffix(to.href(), "/"), "bind"))
		return
	}
	existing := to.cards[target[1]]
	if existing != nil && r.Header.Get("Overwrite") == "F" {
		r.fail(davPrecondition("Overwrite", "The destination node already exists, and the overwrite header is set to false", ""))
		return
	}
	// Nextcloud: a copy is created and so its UID is looked for; a move is not.
	if other := to.byUID(o.uid); !moves && other != nil && other != existing {
		r.fail(davBadRequest("VCard object with uid already exists in this addressbook collection."))
		return
	}
	status := http.StatusCreated
	if existing != nil {
		delete(to.cards, existing.uri)
		to.changed(existing.uri, true)
		status = http.StatusNoContent
	}
	if moves {
		delete(v.cards, o.uri)
		v.changed(o.uri, true)
	}
	r.home.store(to.addressBook, target[1], o.data, o.uid)
	writeDAVEmpty(r.w, status)
}

// cardResource describes one .vcf.
func (c *cardServer) cardResource(href string, o *card, viewer, owner string) *davResource {
	r := newDAVResource(href)
	c.commonProps(r, viewer)
	r.addListed(
		leaf(nsDAV, "getlastmodified", o.modified.UTC().Format(http.TimeFormat)),
		leaf(nsDAV, "getcontentlength", strconv.Itoa(len(o.data))),
		node(nsDAV, "resourcetype"),
		leaf(nsDAV, "getetag", o.etag()),
		leaf(nsDAV, "getcontenttype", "text/vcard; charset=utf-8"))
	// Sabre: as a property, the data is what is stored; only reports convert it.
	r.add(ownerNode(owner), leaf(nsCardDAV, "address-data", o.data))
	return r
}
