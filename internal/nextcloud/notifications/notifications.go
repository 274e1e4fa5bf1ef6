// Package notifications is a typed client of what Nextcloud tells people: the
// notifications that wait for them (OCS API v2 of the app of that name) and
// what happened lately (OCS API v2 of the Activity app).
package notifications

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

// Client reads notifications and activities of one person.
type Client struct {
	nc *nextcloud.Client
}

// New is a client on nc.
func New(nc *nextcloud.Client) *Client { return &Client{nc} }

const base = "/ocs/v2.php/apps/notifications/api/v2/notifications"

// Notification is one thing that waits for the person.
type Notification struct {
	ID         int64    `json:"id"`
	App        string   `json:"app,omitempty"`
	Subject    string   `json:"subject,omitempty"`
	Message    string   `json:"message,omitempty"`
	Time       string   `json:"time,omitempty"` // RFC 3339
	ObjectType string   `json:"object_type,omitempty"`
	ObjectID   string   `json:"object_id,omitempty"`
	URL        string   `json:"url,omitempty"`
	Actions    []Action `json:"actions,omitempty"`
}

// Action is what a notification offers to do.
type Action struct {
	Label   string `json:"label"`
	Primary bool   `json:"primary,omitempty"`

	method, link string
}

type wireNotification struct {
	ID         lenient.Int              `json:"notification_id"`
	App        lenient.Text             `json:"app"`
	Subject    lenient.Text             `json:"subject"`
	Message    lenient.Text             `json:"message"`
	Time       lenient.Text             `json:"datetime"`
	ObjectType lenient.Text             `json:"object_type"`
	ObjectID   lenient.Text             `json:"object_id"`
	Link       lenient.Text             `json:"link"`
	Actions    lenient.List[wireAction] `json:"actions"`
}

type wireAction struct {
	Label   lenient.Text `json:"label"`
	Link    lenient.Text `json:"link"`
	Type    lenient.Text `json:"type"`
	Primary lenient.Bool `json:"primary"`
}

func (n *wireNotification) Check() error {
	if n.ID <= 0 {
		return lenient.NoID()
	}
	return nil
}

func (n *wireNotification) notification() Notification {
	out := Notification{
		ID: int64(n.ID), App: string(n.App), Subject: string(n.Subject), Message: string(n.Message), Time: string(n.Time),
		ObjectType: string(n.ObjectType), ObjectID: string(n.ObjectID), URL: string(n.Link),
	}
	for _, a := range n.Actions.Items {
		out.Actions = append(out.Actions, Action{Label: string(a.Label), Primary: bool(a.Primary), method: strings.ToUpper(string(a.Type)), link: string(a.Link)})
	}
	return out
}

// List are the notifications that wait, newest first.
func (c *Client) List(ctx context.Context) ([]Notification, []lenient.Skipped, error) {
	var list lenient.List[wireNotification]
	if err := c.nc.OCS(ctx, nextcloud.Request{Op: "list notifications", Path: base}, &list); err != nil {
		return nil, nil, missing(err, "notifications")
	}
	out := make([]Notification, 0, len(list.Items))
	for i := range list.Items {
		out = append(out, list.Items[i].notification())
	}
	return out, list.Skipped, nil
}

// Get is one notification.
func (c *Client) Get(ctx context.Context, id int64) (*Notification, error) {
	var w wireNotification
	if err := c.nc.OCS(ctx, nextcloud.Request{Op: "read notification " + strconv.FormatInt(id, 10), Path: path(id)}, &w); err != nil {
		return nil, missing(err, "notifications")
	}
	n := w.notification()
	n.ID = id
	return &n, nil
}

// Dismiss ends one notification. Nextcloud does not say whether it was there.
func (c *Client) Dismiss(ctx context.Context, id int64) error {
	err := c.nc.OCS(ctx, nextcloud.Request{Op: "dismiss notification " + strconv.FormatInt(id, 10), Method: http.MethodDelete, Path: path(id)}, nil)
	return missing(err, "notifications")
}

// DismissAll ends all notifications.
func (c *Client) DismissAll(ctx context.Context) error {
	return missing(c.nc.OCS(ctx, nextcloud.Request{Op: "dismiss all notifications", Method: http.MethodDelete, Path: base}, nil), "notifications")
}

func path(id int64) string { return base + "/" + strconv.FormatInt(id, 10) }

// Activity is one thing that happened.
type Activity struct {
	ID         int64  `json:"id"`
	App        string `json:"app,omitempty"`
	Type       string `json:"type,omitempty"`
	Who        string `json:"who,omitempty"`
	Subject    string `json:"subject,omitempty"`
	Message    string `json:"message,omitempty"`
	ObjectType string `json:"object_type,omitempty"`
	ObjectID   string `json:"object_id,omitempty"`
	Object     string `json:"object,omitempty"` // its name; of files the path
	Time       string `json:"time,omitempty"`   // RFC 3339
	URL        string `json:"url,omitempty"`
}

type wireActivity struct {
	ID         lenient.Int  `json:"activity_id"`
	App        lenient.Text `json:"app"`
	Type       lenient.Text `json:"type"`
	User       lenient.Text `json:"user"`
	Subject    lenient.Text `json:"subject"`
	Message    lenient.Text `json:"message"`
	ObjectType lenient.Text `json:"object_type"`
	ObjectID   lenient.Text `json:"object_id"`
	ObjectName lenient.Text `json:"object_name"`
	Time       lenient.Text `json:"datetime"`
	Link       lenient.Text `json:"link"`
}

func (a *wireActivity) Check() error {
	if a.ID <= 0 {
		return lenient.NoID()
	}
	return nil
}

// ActivityQuery says which activities to read. Its zero value is the newest.
type ActivityQuery struct {
	Filter     string // "self", "by", "files", "calendar" and others of the app's filters; empty for all
	ObjectType string // with ObjectID: only of this object, such as "files"
	ObjectID   int64
	Limit      int
	Cursor     int64 // the last id of the page before
}

// Activities are what happened, newest first. next is the cursor of the next
// page; 0 when there is none.
func (c *Client) Activities(ctx context.Context, q ActivityQuery) (list []Activity, skipped []lenient.Skipped, next int64, err error) {
	filter := q.Filter
	query := url.Values{"limit": {strconv.Itoa(q.Limit)}, "sort": {"desc"}}
	if q.ObjectType != "" {
		filter = "filter"
		query.Set("object_type", q.ObjectType)
		query.Set("object_id", strconv.FormatInt(q.ObjectID, 10))
	}
	if q.Cursor > 0 {
		query.Set("since", strconv.FormatInt(q.Cursor, 10))
	}
	p := "/ocs/v2.php/apps/activity/api/v2/activity"
	if filter != "" {
		if p, err = nextcloud.Path(p, filter); err != nil {
			return nil, nil, 0, err
		}
	}
	var found lenient.List[wireActivity]
	err = c.nc.OCS(ctx, nextcloud.Request{Op: "list activities", Path: p, Query: query}, &found)
	if e, ok := errors.AsType[*nextcloud.Error](err); ok {
		switch {
		case e.Status == http.StatusNotModified:
			// Nextcloud: what lies behind the last one has not changed.
			return nil, nil, 0, nil
		case e.Status == http.StatusNotFound && e.OCS == http.StatusNotFound:
			// Nextcloud: the same answer for a filter that it does not know.
			e.Kind, e.Message = nextcloud.ErrInvalid, "there is no such kind of activities"
		case e.Status == http.StatusForbidden && q.Cursor > 0:
			e.Kind, e.Message = nextcloud.ErrInvalid, "this cursor is not of the same list"
		}
	}
	if err != nil {
		return nil, nil, 0, missing(err, "activity")
	}
	for _, w := range found.Items {
		list = append(list, Activity{
			ID: int64(w.ID), App: string(w.App), Type: string(w.Type), Who: string(w.User), Subject: string(w.Subject), Message: string(w.Message),
			ObjectType: string(w.ObjectType), ObjectID: string(w.ObjectID), Object: string(w.ObjectName), Time: string(w.Time), URL: string(w.Link),
		})
	}
	if n := len(list); n > 0 && n+len(found.Skipped) >= q.Limit {
		next = list[n-1].ID
	}
	return list, found.Skipped, next, nil
}

// missing says which app an unknown route belongs to.
func missing(err error, app string) error {
	if e, ok := errors.AsType[*nextcloud.Error](err); ok && errors.Is(e, nextcloud.ErrAppMissing) {
		e.Message = "it needs the app " + strconv.Quote(app)
	}
	return err
}
