package nextcloudtest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// maxTold bounds the notifications and the activities of one account.
const maxTold = 1000

// told is what Nextcloud tells one user; the zero value is ready.
type told struct {
	mu            sync.Mutex // guards the fields below
	notifications []notification
	activities    []activityEntry
	lastID        int
}

// notification is one line of the Notifications app.
type notification struct {
	id               int
	app, object      string
	subject, message string
	link             string
	at               time.Time
}

// activityEntry is one line of the Activity app.
type activityEntry struct {
	id                 int
	app, kind, user    string
	subject, message   string
	objectType, object string
	objectID           int
	at                 time.Time
}

// AddNotification tells a user something and returns its id, 0 when there is no such user.
func (s *Server) AddNotification(userID, app, subject, message string) int {
	a := s.account(userID)
	if a == nil {
		return 0
	}
	a.told.mu.Lock()
	defer a.told.mu.Unlock()
	a.told.lastID++
	a.told.notifications = append(a.told.notifications, notification{
		id: a.told.lastID, app: app, object: fmt.Sprintf("%08x", a.told.lastID), subject: subject, message: message, at: s.now(),
	})
	if n := len(a.told.notifications); n > maxTold {
		a.told.notifications = a.told.notifications[n-maxTold:]
	}
	return a.told.lastID
}

// AddActivity notes that something happened to a file of a user.
func (s *Server) AddActivity(userID, who, kind, subject string, fileID int, path string) int {
	a := s.account(userID)
	if a == nil {
		return 0
	}
	a.told.mu.Lock()
	defer a.told.mu.Unlock()
	a.told.lastID++
	a.told.activities = append(a.told.activities, activityEntry{
		id: a.told.lastID, app: "files", kind: kind, user: who, subject: subject, objectType: "files", object: path, objectID: fileID, at: s.now(),
	})
	if n := len(a.told.activities); n > maxTold {
		a.told.activities = a.told.activities[n-maxTold:]
	}
	return a.told.lastID
}

func (s *Server) routesNotifications() {
	const root = "/ocs/v2.php/apps/notifications/api/v2/"
	s.handle("GET "+root+"notifications", familyOCS, s.listNotifications)
	s.handle("DELETE "+root+"notifications", familyOCS, func(w http.ResponseWriter, r *http.Request, a *account) {
		a.told.mu.Lock()
		a.told.notifications = nil
		a.told.mu.Unlock()
		writeOCS(w, r, noData)
	})
	s.handle("GET "+root+"notifications/{id}", familyOCS, s.oneNotification)
	s.handle("DELETE "+root+"notifications/{id}", familyOCS, func(w http.ResponseWriter, r *http.Request, a *account) {
		// Nextcloud: one that is not there is deleted all the same.
		id, _ := strconv.Atoi(r.PathValue("id"))
		a.told.mu.Lock()
		a.told.notifications = slices.DeleteFunc(a.told.notifications, func(n notification) bool { return n.id == id })
		a.told.mu.Unlock()
		writeOCS(w, r, noData)
	})
	s.handle("POST "+root+"admin_notifications/{user}", familyOCS, func(w http.ResponseWriter, r *http.Request, a *account) {
		if !a.profile().Admin {
			writeOCSFailure(w, r, http.StatusForbidden, "Logged in account must be an admin")
			return
		}
		if s.AddNotification(r.PathValue("user"), "admin_notifications", r.FormValue("shortMessage"), r.FormValue("longMessage")) == 0 {
			writeOCSFailure(w, r, http.StatusNotFound, "")
			return
		}
		writeOCS(w, r, noData)
	})
	s.handle("GET /ocs/v2.php/apps/activity/api/v2/activity", familyOCS, s.activities)
	s.handle("GET /ocs/v2.php/apps/activity/api/v2/activity/{filter}", familyOCS, s.activities)
}

func (n notification) answer(base, uid string) map[string]any {
	return map[string]any{
		"notification_id": n.id, "app": n.app, "user": uid, "datetime": n.at.UTC().Format("2006-01-02T15:04:05+00:00"),
		"object_type": n.app, "object_id": n.object, "subject": n.subject, "message": n.message, "link": n.link,
		"subjectRich": n.subject, "subjectRichParameters": noData, "messageRich": n.message, "messageRichParameters": noData,
		"icon": base + "/apps/notifications/img/notifications-dark.svg", "shouldNotify": true, "actions": noData,
	}
}

func (s *Server) listNotifications(w http.ResponseWriter, r *http.Request, a *account) {
	a.told.mu.Lock()
	list := []any{}
	for _, n := range slices.Backward(a.told.notifications) {
		list = append(list, n.answer(s.base(r), a.id))
	}
	a.told.mu.Unlock()
	etag := `"` + md5Hex(string(phpJSON(list))) + `"`
	w.Header().Set("ETag", etag)
	w.Header().Set("X-Nextcloud-User-Status", "away")
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	writeOCS(w, r, list)
}

func (s *Server) oneNotification(w http.ResponseWriter, r *http.Request, a *account) {
	id, _ := strconv.Atoi(r.PathValue("id"))
	a.told.mu.Lock()
	i := slices.IndexFunc(a.told.notifications, func(n notification) bool { return n.id == id })
	var answer any
	if i >= 0 {
		answer = a.told.notifications[i].answer(s.base(r), a.id)
	}
	a.told.mu.Unlock()
	if answer == nil {
		writeEnvelope(w, r, http.StatusNotFound, "", nil)
		return
	}
	writeOCS(w, r, answer)
}

// activities answers the newest first, by pages that begin behind an id that has to be known.
func (s *Server) activities(w http.ResponseWriter, r *http.Request, a *account) {
	q := r.URL.Query()
	filter := r.PathValue("filter")
	if !slices.Contains([]string{"", "all", "self", "by", "filter", "files", "calendar", "comments"}, filter) {
		writeOCSFailure(w, r, http.StatusNotFound, "")
		return
	}
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil || limit <= 0 {
		limit = 50
	}
	since, _ := strconv.Atoi(q.Get("since"))
	objectID, _ := strconv.Atoi(q.Get("object_id"))
	base := s.base(r)
	a.told.mu.Lock()
	defer a.told.mu.Unlock()
	if since > 0 && !slices.ContainsFunc(a.told.activities, func(e activityEntry) bool { return e.id == since }) {
		writeOCSFailure(w, r, http.StatusForbidden, "")
		return
	}
	list := []any{}
	first, last := 0, 0
	for _, e := range slices.Backward(a.told.activities) {
		mine := e.user == a.id
		switch {
		case since > 0 && e.id >= since, filter == "self" && !mine, filter == "by" && mine,
			filter == "filter" && (q.Get("object_type") != e.objectType || objectID != e.objectID),
			(filter == "files" || filter == "calendar" || filter == "comments") && filter != e.app, len(list) == limit:
			continue
		}
		list = append(list, e.answer(base))
		if first == 0 {
			first = e.id
		}
		last = e.id
	}
	if len(list) == 0 && since > 0 {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if last > 0 {
		w.Header().Set("X-Activity-First-Known", strconv.Itoa(first))
		w.Header().Set("X-Activity-Last-Given", strconv.Itoa(last))
		path := "/ocs/v2.php/apps/activity/api/v2/activity"
		if filter != "" {
			path += "/" + filter
		}
		if len(list) == limit {
			w.Header().Set("Link", fmt.Sprintf(`<%s%s?since=%d&limit=%d&sort=desc&format=json>; rel="next"`, base, path, last, limit))
		}
		w.Header().Set("ETag", md5Hex(string(phpJSON(list))))
	}
	writeOCS(w, r, list)
}

func (e activityEntry) answer(base string) map[string]any {
	name := e.object
	return map[string]any{
		"activity_id": e.id, "app": e.app, "type": e.kind, "user": e.user, "subject": e.subject,
		"subject_rich": []any{e.subject, map[string]any{"file": map[string]any{
			"type": "file", "id": strconv.Itoa(e.objectID), "name": name, "path": name, "link": fmt.Sprintf("%s/f/%d", base, e.objectID),
		}}},
		"message": e.message, "message_rich": []any{e.message, noData},
		"object_type": e.objectType, "object_id": e.objectID, "object_name": e.object, "objects": map[string]any{strconv.Itoa(e.objectID): e.object},
		"link": base + "/apps/files/?dir=/", "icon": base + "/apps/files/img/add-color.svg", "datetime": e.at.UTC().Format("2006-01-02T15:04:05+00:00"),
	}
}
