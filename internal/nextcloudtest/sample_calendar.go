package nextcloudtest

import (
	"fmt"
	"strings"
	"time"
)

// berlinZone is the VTIMEZONE that calendar clients put into their events.
const berlinZone = `BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
`

// loadSampleCalendars fills the calendars of one user with events around now, and adds a task list.
func (s *Server) loadSampleCalendars(uid string) {
	home := s.account(uid).calendars
	home.lock.Lock()
	defer home.lock.Unlock()
	berlin := icalZones{}.location("Europe/Berlin")
	now := s.now().In(berlin)
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, berlin)
	monday := today.AddDate(0, 0, -(int(today.Weekday())+6)%7)
	at := func(days, hour, minute int) string {
		return time.Date(today.Year(), today.Month(), today.Day()+days, hour, minute, 0, 0, berlin).Format(icalLocalLayout)
	}
	week := func(weeks, hour int) string {
		return time.Date(monday.Year(), monday.Month(), monday.Day()+7*weeks, hour, 0, 0, 0, berlin).Format(icalLocalLayout)
	}
	date := func(days int) string { return today.AddDate(0, 0, days).Format(icalDateLayout) }
	stamp := now.UTC().Format(icalUTCLayout)
	name, mail := accountDirectory{s}.person(uid)
	if mail == "" {
		mail = uid + "@example.org"
	}

	personal := home.find("personal", false).calendar
	work := home.create("work", []string{"VEVENT"}, leaf(nsDAV, "displayname", "Work"), leaf(nsApple, "calendar-color", "#0082c9"))
	tasks := home.create("tasks", []string{"VTODO"}, leaf(nsDAV, "displayname", "Tasks"), leaf(nsApple, "calendar-color", "#31CC7C"))

	put := func(c *calendar, id, zone, kind string, bodies ...string) {
		var b strings.Builder
		b.WriteString("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Example//Sample data//EN\n" + zone)
		for _, body := range bodies {
			fmt.Fprintf(&b, "BEGIN:%s\nUID:%s-%s\nDTSTAMP:%s\nCREATED:%s\n%s\nEND:%s\n", kind, id, uid, stamp, stamp, strings.TrimSpace(body), kind)
		}
		b.WriteString("END:VCALENDAR\n")
		home.store(c, id+".ics", strings.ReplaceAll(b.String(), "\n", "\r\n"), kind, id+"-"+uid)
	}
	local := func(start, end string) string {
		return "DTSTART;TZID=Europe/Berlin:" + start + "\nDTEND;TZID=Europe/Berlin:" + end + "\n"
	}

	put(work, "weekly", berlinZone, "VEVENT",
		local(week(-4, 9), week(-4, 10))+"RRULE:FREQ=WEEKLY;BYDAY=MO\nEXDATE;TZID=Europe/Berlin:"+week(2, 9)+
			"\nSUMMARY:Team meeting\nLOCATION:Room 1\nCATEGORIES:team",
		"RECURRENCE-ID;TZID=Europe/Berlin:"+week(1, 9)+"\n"+local(week(1, 14), week(1, 15))+"SUMMARY:Team meeting (moved)\nLOCATION:Room 2\nCATEGORIES:team")
	put(work, "review", berlinZone, "VEVENT",
		local(at(1, 13, 0), at(1, 14, 30))+"SUMMARY:Review of the quarterly report\nDESCRIPTION:Numbers\\, open questions\\, next steps.\n"+
			"ORGANIZER;CN="+name+":mailto:"+mail+
			"\nATTENDEE;CN="+name+";PARTSTAT=ACCEPTED;ROLE=CHAIR:mailto:"+mail+
			"\nATTENDEE;CN=Carol Example;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:carol@example.net"+
			"\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nDESCRIPTION:Review\nEND:VALARM")
	put(work, "call", "", "VEVENT",
		"DTSTART:"+today.AddDate(0, 0, 2).Add(10*time.Hour).UTC().Format(icalUTCLayout)+"\nDURATION:PT45M\nSUMMARY:Call with the hosting company\nSTATUS:TENTATIVE")
	put(personal, "dentist", berlinZone, "VEVENT", local(at(3, 8, 15), at(3, 9, 0))+"SUMMARY:Dentist\nLOCATION:Marktstraße 4")
	put(personal, "dinner", berlinZone, "VEVENT", local(at(0, 19, 0), at(0, 22, 0))+"SUMMARY:Dinner with friends\nTRANSP:OPAQUE")
	put(personal, "holiday", "", "VEVENT",
		"DTSTART;VALUE=DATE:"+date(10)+"\nDTEND;VALUE=DATE:"+date(15)+"\nSUMMARY:Holiday in Lisbon\nTRANSP:TRANSPARENT")
	put(personal, "birthday", "", "VEVENT",
		"DTSTART;VALUE=DATE:"+date(5)+"\nDTEND;VALUE=DATE:"+date(6)+"\nRRULE:FREQ=YEARLY\nSUMMARY:Birthday of Dora")

	put(tasks, "announcement", "", "VTODO", "DUE:"+today.AddDate(0, 0, 2).Add(17*time.Hour).UTC().Format(icalUTCLayout)+
		"\nSUMMARY:Write the announcement\nPRIORITY:1\nSTATUS:IN-PROCESS\nPERCENT-COMPLETE:40\nCATEGORIES:work")
	put(tasks, "proofread", "", "VTODO", "SUMMARY:Proofread the announcement\nRELATED-TO;RELTYPE=PARENT:announcement-"+uid+"\nSTATUS:NEEDS-ACTION")
	put(tasks, "plants", "", "VTODO", "DUE;VALUE=DATE:"+date(0)+"\nSUMMARY:Water the plants\nSTATUS:NEEDS-ACTION")
	put(tasks, "bins", "", "VTODO", "DTSTART;VALUE=DATE:"+date(-1)+"\nDUE;VALUE=DATE:"+date(-1)+"\nRRULE:FREQ=WEEKLY\nSUMMARY:Put out the bins\nCATEGORIES:home\nPRIORITY:5\nSTATUS:NEEDS-ACTION")
	put(tasks, "insurance", berlinZone, "VTODO", "DTSTART;TZID=Europe/Berlin:"+at(4, 9, 0)+"\nDUE;TZID=Europe/Berlin:"+at(6, 18, 0)+
		"\nSUMMARY:Compare insurances\nDESCRIPTION:Liability and household.\nURL:https://example.org/insurances\nPRIORITY:9\nSTATUS:NEEDS-ACTION"+
		"\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER;RELATED=END:-P1D\nDESCRIPTION:Compare insurances\nEND:VALARM")
	put(tasks, "taxes", "", "VTODO", "SUMMARY:File the tax return\nSTATUS:COMPLETED\nPERCENT-COMPLETE:100\nCOMPLETED:"+
		today.AddDate(0, 0, -3).UTC().Format(icalUTCLayout))

	shopping := home.create("shopping", []string{"VTODO"}, leaf(nsDAV, "displayname", "Shopping"), leaf(nsApple, "calendar-color", "#F1DB50"))
	for i, item := range []string{"Oat milk", "Bread", "Light bulbs"} {
		put(shopping, fmt.Sprintf("item-%d", i), "", "VTODO", fmt.Sprintf("SUMMARY:%s\nX-APPLE-SORT-ORDER:%d\nSTATUS:NEEDS-ACTION", item, i))
	}
}
