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
	// Delivery is what became of the last message to them: the code of
	// SCHEDULE-STATUS (RFC 6638, 7.3) in words.
	Delivery string `json:"delivery,omitempty"`
}

// deliveries are the codes of SCHEDULE-STATUS (RFC 5546, 3.6; RFC 6638, 3.2.9).
var deliveries = map[string]string{
	"1.0": "not sent yet",
	"1.1": "sent, outcome unknown",
	"1.2": "delivered",
	"2.0": "answered",
	"3.7": "not delivered: no such address",
	"3.8": "not delivered: not allowed",
	"5.0": "in Nextcloud only if they have an account there: no mail could be sent",
	"5.1": "not delivered: the mail could not be sent",
	"5.2": "not delivered: no way to reach them",
	"5.3": "not delivered: refused by their server",
}

// delivery is a SCHEDULE-STATUS in words.
func delivery(status string) string {
	status = strings.Trim(status, `" `)
	code, _, _ := strings.Cut(status, ";")
	if parts := strings.SplitN(code, ".", 3); len(parts) == 3 {
		code = parts[0] + "." + parts[1] // 2.0.4 is a kind of 2.0
	}
	if words, ok := deliveries[code]; ok {
		return words + " (" + status + ")"
	}
	return status
}

// scheduled are the attendees whom Nextcloud has sent a message.
func scheduled(root *ical.Component) []Attendee {
	var out []Attendee
	seen := map[string]bool{}
	for _, event := range root.Children("VEVENT") {
		for _, l := range event.PropAll("ATTENDEE") {
			if a := readAttendee(l); a.Delivery != "" && !seen[a.Email] {
				seen[a.Email] = true
				out = append(out, a)
			}
		}
	}
	return out
}

func readAttendee(l *ical.Line) Attendee {
	a := Attendee{Email: address(l), Name: l.Param("CN"), Status: strings.ToUpper(l.Param("PARTSTAT")), Role: strings.ToUpper(l.Param("ROLE")), Delivery: delivery(l.Param("SCHEDULE-STATUS"))}
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
