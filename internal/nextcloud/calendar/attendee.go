package calendar

import (
	"net/mail"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
)

// Attendee is somebody who takes part (RFC 5545, 3.8.4.1).
type Attendee struct {
	Email  string `json:"email"`
	Name   string `json:"name,omitempty"`
	Status string `json:"status,omitempty"` // PARTSTAT: NEEDS-ACTION, ACCEPTED, DECLINED, TENTATIVE
	Role   string `json:"role,omitempty"`   // when not REQ-PARTICIPANT
}

func readAttendee(l *ical.Line) Attendee {
	a := Attendee{Email: address(l), Name: l.Param("CN"), Status: strings.ToUpper(l.Param("PARTSTAT")), Role: strings.ToUpper(l.Param("ROLE"))}
	if a.Role == "REQ-PARTICIPANT" {
		a.Role = ""
	}
	return a
}

// address is the e-mail address of an ATTENDEE or ORGANIZER, or what stands in
// its place.
func address(l *ical.Line) string {
	v := l.Value()
	if len(v) > 7 && strings.EqualFold(v[:7], "mailto:") {
		return v[7:]
	}
	return v
}

// parseAttendees reads a comma-separated list of addresses, each with or
// without a name.
func parseAttendees(op, list string) ([]Attendee, error) {
	list = strings.Trim(strings.ReplaceAll(list, ";", ","), ", \n\t")
	if list == "" {
		return nil, nil
	}
	parsed, err := mail.ParseAddressList(list)
	if err != nil {
		return nil, invalidf(op, "attendees have to be e-mail addresses separated by commas, such as ada@example.org, Bob <bob@example.org>")
	}
	if len(parsed) > 200 {
		return nil, invalidf(op, "at most 200 attendees are taken")
	}
	var out []Attendee
	seen := map[string]bool{}
	for _, p := range parsed {
		key := strings.ToLower(p.Address)
		if !seen[key] {
			seen[key] = true
			out = append(out, Attendee{Email: p.Address, Name: p.Name})
		}
	}
	return out, nil
}

// setAttendees makes the attendees be those of list. Who stays keeps all that
// is known of them, such as their answer; who is new is asked for one.
func setAttendees(event *ical.Component, list []Attendee, p *person) {
	want := map[string]Attendee{}
	for _, a := range list {
		want[strings.ToLower(a.Email)] = a
	}
	organizer := strings.ToLower(address(event.Prop("ORGANIZER")))
	for _, l := range event.PropAll("ATTENDEE") {
		key := strings.ToLower(address(l))
		if _, ok := want[key]; !ok && (key != organizer || len(list) == 0) {
			event.RemoveLine(l)
			continue
		}
		delete(want, key)
	}
	for _, a := range list {
		if _, ok := want[strings.ToLower(a.Email)]; !ok {
			continue
		}
		params := []ical.Param{
			{Name: "CUTYPE", Values: []string{"INDIVIDUAL"}},
			{Name: "ROLE", Values: []string{"REQ-PARTICIPANT"}},
			{Name: "PARTSTAT", Values: []string{"NEEDS-ACTION"}},
			{Name: "RSVP", Values: []string{"TRUE"}},
		}
		if a.Name != "" {
			params = append(params, ical.Param{Name: "CN", Values: []string{a.Name}})
		}
		event.Add(ical.NewLine("ATTENDEE", "mailto:"+a.Email, params...))
	}
	switch {
	case len(list) == 0 && len(event.PropAll("ATTENDEE")) == 0:
		event.Remove("ORGANIZER")
	case event.Prop("ORGANIZER") == nil && p.email != "":
		// Nextcloud sends invitations only for events whose organizer is the
		// person who writes them.
		var params []ical.Param
		if p.name != "" {
			params = []ical.Param{{Name: "CN", Values: []string{p.name}}}
		}
		event.Add(ical.NewLine("ORGANIZER", "mailto:"+p.email, params...))
	}
}
