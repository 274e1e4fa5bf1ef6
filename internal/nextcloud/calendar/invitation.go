package calendar

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Invitation is an event that somebody else has invited the person to.
type Invitation struct {
	ID        string    `json:"invitation_id,omitempty"` // of the message in the scheduling inbox
	UID       string    `json:"uid"`
	Title     string    `json:"summary"`
	Start     string    `json:"start"` // of the next occurrence
	End       string    `json:"end,omitempty"`
	StartTZ   string    `json:"start_tz,omitempty"`
	Location  string    `json:"location,omitempty"`
	Recurring bool      `json:"recurring,omitempty"`
	Organizer *Attendee `json:"organizer,omitempty"`
	// Answer is the person's own: NEEDS-ACTION, ACCEPTED, TENTATIVE, DECLINED;
	// CANCELLED when the organizer has called it off.
	Answer       string `json:"your_answer"`
	CalendarName string `json:"calendar_name,omitempty"` // empty: it is only in the inbox
	at           time.Time
}

// Invitations is a list of them by their start.
type Invitations struct {
	Items      []Invitation `json:"items"`
	TotalFound int          `json:"total_found"`
	Skipped    []string     `json:"skipped,omitempty"`
	Note       string       `json:"note,omitempty"`
}

// The bounds of Invitations.
const (
	invitationsAhead = 400 * 24 * time.Hour
	maxInvitations   = 100
)

// inboxID is the name of a message in the scheduling inbox.
var inboxID = regexp.MustCompile(`^[A-Za-z0-9._@-]{1,250}$`)

// Invitations are the events of the next year that the person is invited to
// and has not answered yet, or with all, whatever the answer.
func (c *Client) Invitations(ctx context.Context, all bool) (*Invitations, error) {
	const op = "list invitations"
	p, err := c.person(ctx)
	if err != nil {
		return nil, err
	}
	h, _, err := c.home(ctx)
	if err != nil {
		return nil, err
	}
	own := c.addresses(ctx, p)
	if len(own) == 0 {
		return &Invitations{Items: []Invitation{}, Note: "The person has no e-mail address in Nextcloud, so nobody can invite them."}, nil
	}
	var (
		mu    sync.Mutex // guards the fields below
		out   = &Invitations{Items: []Invitation{}}
		found = map[string]Invitation{}
		inbox []message
	)
	now := c.now()
	filter := []dav.Element{timeRange(now.Add(-26*time.Hour), now.Add(invitationsAhead)), dav.El(dav.Name(dav.NSCalDAV, "prop-filter")).With("name", "ATTENDEE")}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	group.Go(func() (err error) {
		inbox, err = c.inbox(gctx, op)
		return err
	})
	for i := range h.calendars {
		cal := &h.calendars[i]
		if cal.Shared || cal.ReadOnly || !cal.Holds("VEVENT") {
			continue
		}
		group.Go(func() error {
			objects, broken, err := c.report(gctx, op, cal, "VEVENT", filter...)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				out.Skipped = append(out.Skipped, fmt.Sprintf("calendar %s: %s", cal.Name, reason(err)))
				return nil
			}
			if broken > 0 {
				out.Skipped = append(out.Skipped, fmt.Sprintf("calendar %s: %d unreadable", cal.Name, broken))
			}
			for i := range objects {
				if inv, ok := objects[i].invitation(own, now, p.zone); ok {
					found[inv.UID] = inv
					c.remember(ctx, cal, inv.UID, objects[i].path)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, m := range inbox {
		inv, ok := found[m.UID]
		if !ok {
			// It is in no calendar, or the person has deleted it.
			if inv, ok = m.invitation(own, now, p.zone); !ok || m.method != "REQUEST" {
				continue
			}
		}
		inv.ID = m.ID
		found[m.UID] = inv
	}
	for _, inv := range found {
		if all || inv.Answer == "NEEDS-ACTION" {
			out.Items = append(out.Items, inv)
		}
	}
	slices.SortFunc(out.Items, func(a, b Invitation) int { return cmp.Or(a.at.Compare(b.at), strings.Compare(a.UID, b.UID)) })
	out.TotalFound = len(out.Items)
	if len(out.Items) > maxInvitations {
		out.Items = out.Items[:maxInvitations]
		out.Note = fmt.Sprintf("Only the first %d are shown.", maxInvitations)
	}
	slices.Sort(out.Skipped)
	return out, nil
}

// invitation is the object as an invitation; false when nobody else has
// invited the person, or nothing of it is to come.
func (o *object) invitation(own []string, now time.Time, loc *time.Location) (Invitation, bool) {
	if isOrganizer(o.First(), own) {
		return Invitation{}, false
	}
	occurrences, err := o.Expand(now, now.Add(invitationsAhead), loc)
	if err != nil || len(occurrences) == 0 {
		return Invitation{}, false
	}
	occ := occurrences[0]
	me := attendeeLine(occ.Component, own)
	if me == nil {
		return Invitation{}, false
	}
	s := o.summarize(occ)
	inv := Invitation{
		UID: s.UID, Title: s.Title, Start: s.Start, End: s.End, StartTZ: s.StartTZ, Location: s.Location, Recurring: s.Recurring,
		Answer: cmp.Or(strings.ToUpper(me.Param("PARTSTAT")), "NEEDS-ACTION"), CalendarName: s.CalendarName, at: occ.Start.Instant(loc),
	}
	if s.Status == "CANCELLED" {
		inv.Answer = "CANCELLED"
	}
	if l := occ.Component.Prop("ORGANIZER"); l != nil {
		inv.Organizer = &Attendee{Email: address(l), Name: l.Param("CN")}
	}
	return inv, true
}

func isOrganizer(event *ical.Component, own []string) bool {
	l := event.Prop("ORGANIZER")
	return l != nil && slices.Contains(own, strings.ToLower(address(l)))
}

// attendeeLine is the line of the person among those who take part, or nil.
func attendeeLine(event *ical.Component, own []string) *ical.Line {
	for _, l := range event.PropAll("ATTENDEE") {
		if slices.Contains(own, strings.ToLower(address(l))) {
			return l
		}
	}
	return nil
}

// message is one in the scheduling inbox (RFC 6638, 2.2).
type message struct {
	object
	ID, UID, method string
}

// inbox reads the scheduling inbox, the oldest message first. Those that
// cannot be read are left out.
func (c *Client) inbox(ctx context.Context, op string) ([]message, error) {
	root, err := c.homePath(ctx)
	if err != nil {
		return nil, err
	}
	box := &Calendar{path: root + "/inbox/"}
	objects, _, err := c.report(ctx, op, box, "VEVENT")
	if err != nil {
		return nil, err
	}
	var out []message
	for _, o := range objects {
		out = append(out, newMessage(o))
	}
	slices.SortStableFunc(out, func(a, b message) int { return strings.Compare(a.First().Text("DTSTAMP"), b.First().Text("DTSTAMP")) })
	return out, nil
}

func newMessage(o object) message {
	return message{object: o, ID: dav.Base(o.path), UID: o.First().Text("UID"), method: strings.ToUpper(o.Object.Text("METHOD"))}
}

// Answer is an answer to an invitation (RFC 5545, 3.2.12).
type Answer struct {
	Target
	InvitationID string // of a message in the inbox, in the place of the UID
	Status       string // ACCEPTED, TENTATIVE or DECLINED
}

// Respond answers an invitation; Nextcloud tells the organizer.
func (c *Client) Respond(ctx context.Context, a Answer) (*Written, error) {
	const op = "answer invitation"
	p, err := c.person(ctx)
	if err != nil {
		return nil, err
	}
	own := c.addresses(ctx, p)
	var asked *message
	if a.InvitationID != "" {
		if asked, err = c.readMessage(ctx, op, a.InvitationID); err != nil {
			return nil, err
		}
		a.UID = asked.UID
	}
	o, err := c.invited(ctx, op, a)
	switch {
	case errors.Is(err, nextcloud.ErrNotFound) && asked != nil:
		if o, err = c.adopt(ctx, op, asked); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	}
	if a.ETag != "" && nextcloud.UnquoteETag(a.ETag) != o.etag {
		return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrPrecondition}
	}
	if isOrganizer(o.First(), own) {
		return nil, invalidf(op, "the person organizes this event; use status or delete to call it off")
	}
	w, err := c.answer(ctx, op, o, a, own, p)
	if err != nil {
		return nil, err
	}
	if asked != nil {
		// What is answered need not be asked again. The answer is given, so
		// a failure here changes nothing.
		_ = c.dav.Delete(ctx, dav.Query{Op: op, Path: asked.path}, dav.Condition{ETag: asked.etag})
	}
	return w, nil
}

func (c *Client) answer(ctx context.Context, op string, o *object, a Answer, own []string, p *person) (*Written, error) {
	scope, err := o.choose(op, a.Scope, a.RecurrenceID)
	if err != nil {
		return nil, err
	}
	occ, err := o.master()
	if err != nil {
		return nil, unreadable(op, err)
	}
	before := o.snapshot()
	events := slices.Clone(o.Overrides)
	if o.Master != nil {
		events = append(events, o.Master)
	}
	if scope == ThisAndFuture {
		return nil, invalidf(op, "an answer is for one occurrence (this) or for all")
	}
	if scope == This {
		if occ, err = o.occurrence(op, a.RecurrenceID, p); err != nil {
			return nil, err
		}
		if err := single(op, occ); err != nil {
			return nil, err
		}
		occ.Component = o.Override(occ)
		events = []*ical.Component{occ.Component}
	}
	answered := 0
	for _, e := range events {
		if l := attendeeLine(e, own); l != nil {
			answered++
			if !strings.EqualFold(l.Param("PARTSTAT"), a.Status) {
				l.SetParam("PARTSTAT", a.Status)
			}
		}
	}
	if answered == 0 {
		return nil, invalidf(op, "the person is not among the attendees of this event (%s)", strings.Join(own, ", "))
	}
	condition, notes := dav.Condition{ETag: o.etag}, []string(nil)
	if o.etag == "" {
		condition = dav.Condition{Absent: true}
	} else if !before.finish(o, p, c.now) {
		notes = append(notes, "This was the answer already.")
	}
	etag := o.etag
	if len(notes) == 0 {
		if etag, err = c.put(ctx, op, o.path, o.Object, condition); err != nil {
			return nil, err
		}
		c.remember(ctx, o.cal, o.First().Text("UID"), o.path)
	}
	w := c.written(o, occ, etag, clock{}, notes)
	if o.Recurs() {
		w.Scope = scope
		if scope == This {
			w.RecurrenceID = occ.ID.String()
		}
	}
	return w, nil
}

// readMessage reads one message of the inbox.
func (c *Client) readMessage(ctx context.Context, op, id string) (*message, error) {
	if !inboxID.MatchString(id) {
		return nil, invalidf(op, "invitation_id %.60q is none; list the invitations", id)
	}
	root, err := c.homePath(ctx)
	if err != nil {
		return nil, err
	}
	path, err := nextcloud.Path(root+"/inbox", id)
	if err != nil {
		return nil, err
	}
	o, err := c.fetch(ctx, op, &Calendar{path: root + "/inbox/"}, "VEVENT", path)
	if err != nil {
		return nil, err
	}
	m := newMessage(*o)
	if m.method != "REQUEST" {
		return nil, invalidf(op, "this message asks for no answer (%s)", strings.ToLower(m.method))
	}
	return &m, nil
}

// invited finds the person's copy of an event in the calendar named, else in
// all own ones.
func (c *Client) invited(ctx context.Context, op string, a Answer) (*object, error) {
	if strings.TrimSpace(a.UID) == "" {
		return nil, invalidf(op, "event_uid or invitation_id is missing")
	}
	if a.Calendar != "" {
		cal, err := c.Resolve(ctx, op, a.Calendar)
		if err != nil {
			return nil, err
		}
		if err := mayWrite(op, cal, "VEVENT"); err != nil {
			return nil, err
		}
		return c.find(ctx, op, cal, "VEVENT", a.UID)
	}
	h, _, err := c.home(ctx)
	if err != nil {
		return nil, err
	}
	var mine []*Calendar
	for i := range h.calendars {
		if cal := &h.calendars[i]; !cal.Shared && !cal.ReadOnly && cal.Holds("VEVENT") {
			mine = append(mine, cal)
		}
	}
	// Where it is known to be first, then the default calendar, into which
	// Nextcloud delivers.
	rank := func(cal *Calendar) int {
		switch _, known := c.place(ctx, cal, a.UID); {
		case known:
			return 0
		case cal.IsDefault:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(mine, func(x, y *Calendar) int { return rank(x) - rank(y) })
	for _, cal := range mine {
		o, err := c.find(ctx, op, cal, "VEVENT", a.UID)
		if err == nil || !errors.Is(err, nextcloud.ErrNotFound) {
			return o, err
		}
	}
	return nil, notFoundf(op, "no own calendar has an event with the uid %.80q", a.UID)
}

// adopt is the event of a message as a new object of the default calendar.
func (c *Client) adopt(ctx context.Context, op string, m *message) (*object, error) {
	h, _, err := c.home(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(h.calendars, func(cal Calendar) bool { return cal.IsDefault })
	if i < 0 {
		return nil, notFoundf(op, "the person has no calendar to put it into")
	}
	root := m.Object.Clone()
	root.Remove("METHOD")
	return c.newObject(op, &h.calendars[i], root)
}
