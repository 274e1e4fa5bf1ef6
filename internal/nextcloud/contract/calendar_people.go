package contract

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/calendar"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// guest is the second person.
type guest struct {
	*calendar.Client
	nc   *nextcloud.Client
	user *nextcloud.User
}

func (d *diary) guest(t *testing.T) *guest {
	t.Helper()
	if d.env.Other == nil {
		t.Skip("there is no second person")
	}
	nc := d.env.Other(t)
	u, err := nc.CurrentUser(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	me, err := d.nc.CurrentUser(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if u.Email == "" || me.Email == "" {
		t.Skip("both people need an e-mail address in Nextcloud")
	}
	return &guest{calendar.New(nc), nc, u}
}

// forget deletes a guest's copy of an event, and what the inbox says of it.
func (g *guest) forget(t *testing.T, uid string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	def, err := g.Default(ctx, "x")
	if err != nil {
		t.Error(err)
		return
	}
	if _, err := g.Delete(ctx, calendar.Target{Calendar: def.Name, UID: uid, Scope: calendar.All}); err != nil && !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("clean up: %v", err)
	}
	purge(t, g.Client, g.nc, uid)
	list, err := g.Invitations(ctx, true)
	if err != nil {
		t.Error(err)
		return
	}
	for _, i := range list.Items {
		if i.UID == uid && i.ID != "" {
			root, _ := nextcloud.Path(dav.Root+"/calendars", string(g.user.ID))
			_ = dav.New(g.nc).Delete(ctx, dav.Query{Op: "x", Path: root + "/inbox/" + i.ID}, dav.Condition{})
		}
	}
}

// purge deletes an event for good that lies in the trash.
func purge(t *testing.T, c *calendar.Client, nc *nextcloud.Client, uid string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	page, err := c.Trash(ctx, 500, "")
	if err != nil {
		t.Errorf("clean up: %v", err)
		return
	}
	user, err := nc.UserID(ctx)
	if err != nil {
		t.Errorf("clean up: %v", err)
		return
	}
	root, err := nextcloud.Path(dav.Root+"/calendars", string(user), "trashbin", "objects")
	if err != nil {
		t.Errorf("clean up: %v", err)
		return
	}
	for _, item := range page.Items {
		if item.UID == uid {
			if err := dav.New(nc).Delete(ctx, dav.Query{Op: "purge", Path: root + "/" + item.ID}, dav.Condition{}); err != nil {
				t.Errorf("clean up: %v", err)
			}
		}
	}
}

func (g *guest) invitation(t *testing.T, uid string, all bool) *calendar.Invitation {
	t.Helper()
	list, err := g.Invitations(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(list.Items, func(i calendar.Invitation) bool { return i.UID == uid }); i >= 0 {
		return &list.Items[i]
	}
	return nil
}

// soon is a day next week, since invitations to old events are not listed.
func soon(days int) string { return time.Now().UTC().AddDate(0, 0, 7+days).Format(time.DateOnly) }

func calendarInvitations(t *testing.T, d *diary) {
	g := d.guest(t)
	w := d.create(t, calendar.Fields{
		Title: new("Besprechung"), Start: new(soon(0) + "T09:00:00Z"), End: new(soon(0) + "T10:00:00Z"),
		Attendees: new(g.user.DisplayName + " <" + g.user.Email + ">, nobody@invalid.example"),
	})
	t.Cleanup(func() { g.forget(t, w.UID) })
	if w.ETag == "" || len(w.Invited) != 2 || w.Invited[0].Delivery == "" {
		t.Errorf("written = %+v", w)
	}
	inv := g.invitation(t, w.UID, false)
	if inv == nil || inv.ID == "" || inv.Answer != "NEEDS-ACTION" || inv.CalendarName == "" || inv.Organizer == nil || inv.Title != "Besprechung" {
		t.Fatalf("invitation = %+v", inv)
	}
	got, err := g.Respond(t.Context(), calendar.Answer{InvitationID: inv.ID, Status: "ACCEPTED"})
	if err != nil {
		t.Fatal(err)
	}
	if got.CalendarName != inv.CalendarName || got.UID != w.UID {
		t.Errorf("answered = %+v", got)
	}
	d.answers(t, w.UID, "", g.user.Email, "ACCEPTED")
	if again := g.invitation(t, w.UID, false); again != nil {
		t.Errorf("still asked: %+v", again)
	}
	if inv = g.invitation(t, w.UID, true); inv == nil || inv.Answer != "ACCEPTED" {
		t.Errorf("answered = %+v", inv)
	}
	// By the UID alone, changing one's mind.
	if _, err := g.Respond(t.Context(), calendar.Answer{Target: calendar.Target{UID: w.UID}, Status: "DECLINED"}); err != nil {
		t.Fatal(err)
	}
	d.answers(t, w.UID, "", g.user.Email, "DECLINED")
	// The organizer cannot answer, nor can who was not asked.
	if _, err := d.Respond(t.Context(), calendar.Answer{Target: calendar.Target{Calendar: d.name, UID: w.UID}, Status: "ACCEPTED"}); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("the organizer: %v", err)
	}
	if _, err := g.Respond(t.Context(), calendar.Answer{Target: calendar.Target{UID: "no-such-uid"}, Status: "ACCEPTED"}); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("an unknown uid: %v", err)
	}
	// Called off.
	if _, err := d.Delete(t.Context(), calendar.Target{Calendar: d.name, UID: w.UID}); err != nil {
		t.Fatal(err)
	}
	if inv = g.invitation(t, w.UID, true); inv != nil && inv.Answer != "CANCELLED" {
		t.Errorf("after it was called off: %+v", inv)
	}
}

// answers checks what the organizer sees.
func (d *diary) answers(t *testing.T, uid, occurrence, mail, want string) {
	t.Helper()
	e, err := d.Get(t.Context(), d.name, uid, occurrence)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range e.Attendees {
		if strings.EqualFold(a.Email, mail) {
			if a.Status != want {
				t.Errorf("the organizer sees %+v, want %s", a, want)
			}
			return
		}
	}
	t.Errorf("%s is not in %+v", mail, e.Attendees)
}

func calendarInvitedSeries(t *testing.T, d *diary) {
	g := d.guest(t)
	w := d.create(t, calendar.Fields{
		Title: new("Reihe"), Start: new(soon(0) + "T13:00:00Z"), End: new(soon(0) + "T14:00:00Z"), Rule: new("FREQ=DAILY;COUNT=4"), Attendees: &g.user.Email,
	})
	t.Cleanup(func() { g.forget(t, w.UID) })
	a := calendar.Answer{Target: calendar.Target{UID: w.UID}, Status: "ACCEPTED"}
	if _, err := g.Respond(t.Context(), a); !errors.Is(err, nextcloud.ErrInvalid) {
		t.Errorf("without a scope: %v", err)
	}
	a.Scope = calendar.All
	if _, err := g.Respond(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	d.answers(t, w.UID, "", g.user.Email, "ACCEPTED")
	a.Scope, a.RecurrenceID, a.Status = calendar.This, soon(1)+"T13:00:00Z", "DECLINED"
	if _, err := g.Respond(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	d.answers(t, w.UID, soon(1)+"T13:00:00Z", g.user.Email, "DECLINED")
	d.answers(t, w.UID, soon(2)+"T13:00:00Z", g.user.Email, "ACCEPTED")
	// The organizer takes one occurrence out, which the guest's copy follows.
	if _, err := d.Delete(t.Context(), calendar.Target{Calendar: d.name, UID: w.UID, Scope: calendar.This, RecurrenceID: soon(3) + "T13:00:00Z"}); err != nil {
		t.Fatal(err)
	}
	def, err := g.Default(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	page, err := g.List(t.Context(), calendar.Query{Calendar: def.Name, Start: soon(0), End: soon(5), TitleContains: "Reihe", TimeZone: "UTC"})
	if err != nil {
		t.Fatal(err)
	}
	live := 0
	for _, e := range page.Events {
		if e.UID == w.UID && e.Status != "CANCELLED" {
			live++
		}
	}
	if live != 3 {
		t.Errorf("the guest has %d occurrences: %+v", live, page.Events)
	}
}

func calendarFree(t *testing.T, d *diary) {
	day := time.Now().UTC().AddDate(0, 0, 21)
	for day.Weekday() != time.Wednesday {
		day = day.AddDate(0, 0, 1)
	}
	on := day.Format(time.DateOnly)
	for title, f := range map[string]calendar.Fields{
		"busy":      {Start: new(on + "T09:00:00Z"), End: new(on + "T12:00:00Z")},
		"free":      {Start: new(on + "T13:00:00Z"), End: new(on + "T14:00:00Z"), Transparent: new(true)},
		"cancelled": {Start: new(on + "T13:00:00Z"), End: new(on + "T14:00:00Z"), Status: new("CANCELLED")},
		"tentative": {Start: new(on + "T14:00:00Z"), End: new(on + "T17:00:00Z"), Status: new("TENTATIVE")},
	} {
		f.Title = &title
		d.create(t, f)
	}
	q := calendar.Search{DurationMinutes: 60, Start: on, End: on, TimeZone: "UTC", BusinessHours: true, ExcludeWeekends: true, WorkingHours: "09:00-17:00", Preferred: "15:00-17:00"}
	slots := func(q calendar.Search) []string {
		t.Helper()
		a, err := d.Available(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, s := range a.Slots {
			text := s.Start[11:16] + "-" + s.End[11:16]
			if len(s.Tentative) > 0 {
				text += " " + strings.Join(s.Tentative, ",")
			}
			out = append(out, text)
		}
		return out
	}
	wantList(t, slots(q), "12:00-13:00", "13:00-14:00", "15:00-16:00 tentative", "16:00-17:00 tentative", "14:00-15:00 tentative")
	q.BufferMinutes = 30
	wantList(t, slots(q), "12:30-13:30", "15:00-16:00 tentative", "16:00-17:00 tentative", "13:30-14:30 tentative")
	q.BufferMinutes, q.Limit = 0, 1
	wantList(t, slots(q), "12:00-13:00")
	d.workingHours(t, q)
	if d.env.Other == nil {
		return
	}
	g := d.guest(t)
	def, err := g.Default(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	w, err := g.Create(t.Context(), def.Name, calendar.Fields{Title: new("Geheim"), Start: new(on + "T12:00:00Z"), End: new(on + "T12:45:00Z")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.forget(t, w.UID) })
	q.Limit, q.Attendees, q.Preferred = 0, g.user.Email+", nobody@invalid.example", ""
	wantList(t, slots(q), "12:45-13:45", "13:45-14:45 tentative", "14:45-15:45 tentative", "15:45-16:45 tentative")
	a, err := d.Available(t.Context(), q)
	if err != nil || !slices.Equal(a.AttendeesChecked, []string{g.user.Email}) || len(a.NotChecked) != 1 {
		t.Errorf("availability = %+v, %v", a, err)
	}
	fb, err := d.FreeBusy(t.Context(), q.Attendees, on, on, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	if len(fb.People) != 2 || fb.People[0].Problem != "" || len(fb.People[0].Busy) != 1 || fb.People[0].Busy[0].Start != on+"T12:00:00Z" || fb.People[1].Problem == "" {
		t.Errorf("free-busy = %+v", fb)
	}
}

// workingHours: when the person has set in Nextcloud when they work, that is
// taken, unless the caller says other hours.
func (d *diary) workingHours(t *testing.T, q calendar.Search) {
	t.Helper()
	me, err := d.nc.CurrentUser(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if me.Email == "" {
		return
	}
	inbox := strings.Replace(d.path, d.name, "inbox", 1)
	name := dav.Name(dav.NSCalDAV, "calendar-availability")
	ms, err := d.dav.Propfind(t.Context(), dav.Query{Op: "x", Path: inbox}, name)
	if err != nil || (len(ms.Responses) > 0 && ms.Responses[0].Prop(name) != nil) {
		return // the person has some: they are left alone
	}
	hours := "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//EN\nBEGIN:VAVAILABILITY\nBEGIN:AVAILABLE\nUID:a\nDTSTART;TZID=UTC:20260107T100000\n" +
		"DTEND;TZID=UTC:20260107T130000\nRRULE:FREQ=WEEKLY;BYDAY=WE\nEND:AVAILABLE\nEND:VAVAILABILITY\nEND:VCALENDAR\n"
	if err := d.dav.Proppatch(t.Context(), dav.Query{Op: "x", Path: inbox}, []dav.Element{dav.Text(name, hours)}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.dav.Proppatch(context.WithoutCancel(t.Context()), dav.Query{Op: "x", Path: inbox}, nil, name); err != nil {
			t.Errorf("clean up: %v", err)
		}
	}()
	q.WorkingHours, q.Limit, q.Preferred = "", 0, ""
	a, err := d.Available(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Slots) != 1 || a.Slots[0].Start[11:16] != "12:00" || !strings.Contains(a.Hours, "Nextcloud") {
		t.Errorf("within the person's own hours: %+v", a)
	}
}

func calendarShare(t *testing.T, d *diary) {
	g := d.guest(t)
	t.Cleanup(func() {
		if _, err := d.ShareCalendar(context.WithoutCancel(t.Context()), d.name, "user", string(g.user.ID), ""); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	seen := func() *calendar.Calendar {
		t.Helper()
		list, err := g.Calendars(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(list, func(c calendar.Calendar) bool { return strings.HasPrefix(c.Name, d.name) })
		if i < 0 {
			return nil
		}
		return &list[i]
	}
	shares, err := d.ShareCalendar(t.Context(), d.name, "user", string(g.user.ID), "read")
	if err != nil || len(shares) != 1 || shares[0].With != string(g.user.ID) || shares[0].Access != "read" {
		t.Fatalf("shares = %+v, %v", shares, err)
	}
	theirs := seen()
	if theirs == nil || !theirs.Shared || !theirs.ReadOnly {
		t.Fatalf("the other sees %+v", theirs)
	}
	if _, err := g.Create(t.Context(), theirs.Name, calendar.Fields{Title: new("x"), Start: new("2027-04-08")}); !errors.Is(err, nextcloud.ErrForbidden) {
		t.Errorf("write into a read-only share: %v", err)
	}
	if own := d.named(t, d.name); len(own.SharedWith) != 1 {
		t.Errorf("listed as %+v", own)
	}
	if _, err := d.ShareCalendar(t.Context(), d.name, "user", string(g.user.ID), "read-write"); err != nil {
		t.Fatal(err)
	}
	if theirs = seen(); theirs == nil || theirs.ReadOnly {
		t.Fatalf("the other sees %+v", theirs)
	}
	w, err := g.Create(t.Context(), theirs.Name, calendar.Fields{Title: new("Von nebenan"), Start: new("2027-04-18")})
	if err != nil {
		t.Fatal(err)
	}
	if e, err := d.Get(t.Context(), d.name, w.UID, ""); err != nil || e.Title != "Von nebenan" {
		t.Errorf("event = %+v, %v", e, err)
	}
	if _, err := g.ShareCalendar(t.Context(), theirs.Name, "user", "admin", "read"); !errors.Is(err, nextcloud.ErrForbidden) {
		t.Errorf("sharing what is shared: %v", err)
	}
	if _, err := d.ShareCalendar(t.Context(), d.name, "user", "no-such-person", "read"); !errors.Is(err, nextcloud.ErrNotFound) {
		t.Errorf("an unknown person: %v", err)
	}
	if shares, err = d.ShareCalendar(t.Context(), d.name, "group", "admin", "read"); err != nil || len(shares) != 2 {
		t.Errorf("with a group: %+v, %v", shares, err)
	}
	if shares, err = d.ShareCalendar(t.Context(), d.name, "group", "admin", ""); err != nil || len(shares) != 1 {
		t.Errorf("without the group: %+v, %v", shares, err)
	}
	if shares, err = d.ShareCalendar(t.Context(), d.name, "user", string(g.user.ID), ""); err != nil || len(shares) != 0 || seen() != nil {
		t.Errorf("after the end: %+v, %v", shares, err)
	}
}

func calendarPublish(t *testing.T, d *diary) {
	public, err := d.PublishCalendar(t.Context(), d.name, true)
	if err != nil || public == nil || !strings.Contains(public.Download, "/public-calendars/") || !strings.HasPrefix(public.Subscribe, "webcal://") {
		t.Fatalf("public = %+v, %v", public, err)
	}
	if own := d.named(t, d.name); own.Public == nil || *own.Public != *public {
		t.Errorf("listed as %+v", own)
	}
	if public, err = d.PublishCalendar(t.Context(), d.name, false); err != nil || public != nil {
		t.Errorf("unpublished: %+v, %v", public, err)
	}
	if own := d.named(t, d.name); own.Public != nil {
		t.Errorf("listed as %+v", own)
	}
}
