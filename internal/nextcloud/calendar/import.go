package calendar

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Duplicate says what an import does with an event whose UID the calendar has.
type Duplicate string

// The ways. The zero value is Skip.
const (
	Skip    Duplicate = "skip"
	Replace Duplicate = "replace"
	NewUID  Duplicate = "new_uid"
)

// Import is an ICS text to be put into a calendar.
type Import struct {
	Calendar  string
	ICS       string
	Duplicate Duplicate
	DryRun    bool
	// Invite lets Nextcloud send invitations for events that the person
	// organizes. Without it their attendees are marked as told already.
	Invite bool
}

// Imported is what became of one event.
type Imported struct {
	UID     string `json:"uid"`
	Title   string `json:"summary,omitempty"`
	Start   string `json:"start,omitempty"`
	Outcome string `json:"outcome"`           // imported, replaced, skipped, failed, unknown, not_attempted, or would_import and so on
	OldUID  string `json:"old_uid,omitempty"` // when it got a new one
	Reason  string `json:"reason,omitempty"`
}

// ImportResult is what an import came to.
type ImportResult struct {
	CalendarName string         `json:"calendar_name"`
	DryRun       bool           `json:"dry_run"`
	Counts       map[string]int `json:"counts"`
	Results      []Imported     `json:"results"`
	Note         string         `json:"note,omitempty"`
}

const (
	importOp = "import events"
	// MaxImport is the most events of one import, maxImportText its size.
	MaxImport     = 500
	maxImportText = 4 << 20
)

// parcel is one event with all its occurrences, or why there is none.
type parcel struct {
	root *ical.Component
	Imported
}

// Import puts the events of an ICS text into a calendar, one by one. An event
// that cannot be read, or that Nextcloud refuses, stops nothing.
func (c *Client) Import(ctx context.Context, in Import) (*ImportResult, error) {
	cal, err := c.Resolve(ctx, importOp, in.Calendar)
	if err != nil {
		return nil, err
	}
	if err := mayWrite(importOp, cal, "VEVENT"); err != nil {
		return nil, err
	}
	p, err := c.person(ctx)
	if err != nil {
		return nil, err
	}
	parcels, other, err := unpack(in.ICS)
	if err != nil {
		return nil, err
	}
	x, err := c.index(ctx, importOp, cal)
	if err != nil {
		return nil, err
	}
	out := &ImportResult{CalendarName: cal.Name, DryRun: in.DryRun, Counts: map[string]int{}, Results: []Imported{}}
	if other > 0 {
		out.Note = fmt.Sprintf("%d entries that are no events (tasks, journals) were left out.", other)
	}
	own := c.addresses(ctx, p)
	stop := ""
	deadline, limited := ctx.Deadline()
	seen := map[string]bool{}
	for i := range parcels {
		pc := &parcels[i]
		if pc.Outcome == "" && seen[pc.UID] {
			pc.Outcome, pc.Reason = "failed", "it is there twice in this text"
		}
		seen[pc.UID] = true
		if limited && time.Until(deadline) < bulkReserve && stop == "" {
			stop = "the time for one call was over; import the rest with on_duplicate=skip"
		}
		switch {
		case pc.Outcome != "":
		case stop != "":
			pc.Outcome, pc.Reason = "not_attempted", stop
		default:
			stop = c.importOne(ctx, cal, x, pc, in, own)
		}
		out.Counts[pc.Outcome]++
		out.Results = append(out.Results, pc.Imported)
	}
	return out, nil
}

// unpack splits an ICS text into events. Several VCALENDARs one after the
// other are taken, as some programs write them.
func unpack(text string) (parcels []parcel, other int, err error) {
	if len(text) > maxImportText {
		return nil, 0, invalidf(importOp, "the text is larger than %d MB; import it in parts", maxImportText>>20)
	}
	calendars, err := ical.ParseAll([]byte(text))
	if err != nil {
		return nil, 0, invalidf(importOp, "this is no iCalendar text: %s", err)
	}
	for _, root := range calendars {
		groups, rest := ical.Split(root, "VEVENT")
		other += rest
		for _, g := range groups {
			if len(parcels) >= MaxImport {
				return nil, 0, invalidf(importOp, "there are more than %d events; import them in parts", MaxImport)
			}
			parcels = append(parcels, newParcel(g))
		}
	}
	if len(parcels) == 0 {
		return nil, 0, invalidf(importOp, "there is no event in this text")
	}
	return parcels, other, nil
}

// newParcel checks one event.
func newParcel(root *ical.Component) parcel {
	pc := parcel{root: root}
	events := root.Children("VEVENT")
	pc.UID, pc.Title = events[0].Text("UID"), events[0].Text("SUMMARY")
	series, err := ical.NewSeries(root, "VEVENT")
	if err != nil {
		pc.Outcome, pc.Reason = "failed", "it is there twice in this text"
		return pc
	}
	start, _, err := series.Times(series.First())
	switch {
	case err != nil:
		pc.Outcome, pc.Reason = "failed", "its times cannot be read: "+err.Error()
		return pc
	case start.IsZero():
		pc.Outcome, pc.Reason = "failed", "it has no start"
		return pc
	}
	pc.Start = start.String()
	root.Remove("METHOD") // RFC 4791, 4.1: no stored object has one
	if pc.UID == "" {
		pc.setUID(uuid.NewString())
	}
	for _, e := range events {
		if e.Prop("DTSTAMP") == nil {
			e.Add(ical.NewLine("DTSTAMP", ical.UTCOf(time.Now()).Value()))
		}
	}
	ical.Define(root)
	return pc
}

// setUID gives the event another UID.
func (pc *parcel) setUID(uid string) {
	pc.OldUID, pc.UID = pc.UID, uid
	for _, e := range pc.root.Children("VEVENT") {
		setLine(e, "UID", uid)
	}
}

// importOne puts one event into the calendar. The answer is why the rest need
// not be tried, if so.
func (c *Client) importOne(ctx context.Context, cal *Calendar, x *index, pc *parcel, in Import, own []string) (stop string) {
	path, exists := x.paths[pc.UID]
	verb, done := "import", "imported"
	switch {
	case !exists:
	case in.Duplicate == Replace:
		verb, done = "replace", "replaced"
	case in.Duplicate == NewUID:
		pc.setUID(uuid.NewString())
		exists = false
	default:
		pc.Outcome, pc.Reason = "skipped", "an event with this uid is there already"
		return ""
	}
	if in.DryRun {
		pc.Outcome = "would_" + verb
		return ""
	}
	if !in.Invite {
		quiet(pc.root, own)
	}
	condition := dav.Condition{Absent: true}
	if exists {
		etag, err := c.dav.ETag(ctx, dav.Query{Op: importOp, Path: path})
		if err != nil {
			return pc.failed(c.explain(ctx, err))
		}
		condition = dav.Condition{ETag: etag}
	} else {
		var err error
		// The UID of another program may be anything, a file name may not.
		if path, err = nextcloud.Path(strings.TrimSuffix(cal.path, "/"), uuid.NewString()+".ics"); err != nil {
			return pc.failed(err)
		}
	}
	if _, err := c.dav.Put(ctx, dav.Query{Op: importOp, Path: path}, calendarType, pc.root.Encode(), condition); err != nil {
		return pc.failed(c.explain(ctx, err))
	}
	pc.Outcome = done
	c.remember(ctx, cal, pc.UID, path)
	return ""
}

// failed notes why an event was not imported.
func (pc *parcel) failed(err error) (stop string) {
	pc.Outcome, pc.Reason = "failed", reason(err)
	switch {
	case errors.Is(err, nextcloud.ErrUnauthenticated), errors.Is(err, nextcloud.ErrRateLimited), errors.Is(err, nextcloud.ErrMaintenance),
		errors.Is(err, nextcloud.ErrQuota):
		return reason(err)
	case errors.Is(err, nextcloud.ErrUnavailable):
		pc.Outcome = "unknown" // the answer was lost, or the event was
	}
	return ""
}

// quiet keeps Nextcloud from inviting the attendees of events that the person
// organizes (RFC 6638, 7.1).
func quiet(root *ical.Component, own []string) {
	for _, e := range root.Children("VEVENT") {
		if !isOrganizer(e, own) {
			continue
		}
		for _, l := range e.PropAll("ATTENDEE") {
			if l.Param("SCHEDULE-AGENT") == "" {
				l.SetParam("SCHEDULE-AGENT", "CLIENT")
			}
		}
	}
}
