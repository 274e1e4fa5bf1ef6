package calendar

import (
	"strings"

	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
)

// Reminder is one VALARM (RFC 5545, 3.6.6): a time before the event, or a
// moment.
type Reminder struct {
	Action        ReminderAction `json:"action,omitempty" jsonschema:"default DISPLAY"`
	MinutesBefore *int           `json:"minutes_before,omitempty" jsonschema:"before start"`
	Trigger       string         `json:"trigger,omitempty" jsonschema:"or duration, -P1DT2H"`
	TriggerAt     string         `json:"trigger_at,omitempty" jsonschema:"or moment"`
	Related       string         `json:"related,omitempty" jsonschema:"START or END"`
	Description   string         `json:"description,omitempty" jsonschema:"text"`
}

// ReminderAction is what a reminder does.
type ReminderAction string

// Values are the actions that can be set.
func (ReminderAction) Values() []string { return []string{"DISPLAY", "EMAIL", "AUDIO"} }

// settable reports whether an alarm is of a kind that callers can set; others
// are never touched.
func settable(alarm *ical.Component) bool {
	switch strings.ToUpper(alarm.Text("ACTION")) {
	case "DISPLAY", "EMAIL", "AUDIO":
		return true
	}
	return false
}

// readReminders are the alarms of an event as reminders.
func readReminders(event *ical.Component) []Reminder {
	var out []Reminder
	for _, a := range event.Children("VALARM") {
		r := Reminder{Action: ReminderAction(strings.ToUpper(a.Text("ACTION"))), Description: a.Text("DESCRIPTION")}
		t := a.Prop("TRIGGER")
		switch d, err := ical.ParseDuration(t.Value()); {
		case strings.EqualFold(t.Param("VALUE"), "DATE-TIME"):
			if at, err := ical.NewZones(nil).Read(t); err == nil {
				r.TriggerAt = at.String()
			}
		case err == nil && d.Exact() <= 0 && d.Exact()%60e9 == 0 && !strings.EqualFold(t.Param("RELATED"), "END"):
			n := int(-d.Exact() / 60e9)
			r.MinutesBefore = &n
		default:
			r.Trigger = t.Value()
		}
		if strings.EqualFold(t.Param("RELATED"), "END") {
			r.Related = "END"
		}
		if r.Description == event.Text("SUMMARY") {
			r.Description = ""
		}
		out = append(out, r)
	}
	return out
}

// buildAlarm is the alarm of a reminder.
func buildAlarm(op string, r Reminder, summary, email string, at clock) (*ical.Component, error) {
	given := 0
	var trigger *ical.Line
	if r.MinutesBefore != nil {
		given++
		if n := *r.MinutesBefore; n < 0 || n > 366*24*60 {
			return nil, invalidf(op, "a reminder's minutes_before has to be from 0 to 527040")
		}
		trigger = ical.NewLine("TRIGGER", ical.Minutes(-*r.MinutesBefore).String())
	}
	if r.Trigger != "" {
		given++
		d, err := ical.ParseDuration(r.Trigger)
		if err != nil {
			return nil, invalidf(op, "a reminder's trigger has to be a duration such as -PT30M or -P1D, not %.40q", r.Trigger)
		}
		trigger = ical.NewLine("TRIGGER", d.String())
	}
	if r.TriggerAt != "" {
		given++
		w, err := parseWhen(op, "a reminder's trigger_at", r.TriggerAt)
		if err != nil {
			return nil, err
		}
		trigger = ical.NewLine("TRIGGER", ical.UTCOf(at.instant(w)).Value(), ical.Param{Name: "VALUE", Values: []string{"DATE-TIME"}})
	}
	if given != 1 {
		return nil, invalidf(op, "a reminder needs exactly one of minutes_before, trigger and trigger_at")
	}
	switch strings.ToUpper(r.Related) {
	case "", "START":
	case "END":
		if r.TriggerAt != "" {
			return nil, invalidf(op, "a reminder at a moment is not related to the end")
		}
		trigger.SetParam("RELATED", "END")
	default:
		return nil, invalidf(op, "a reminder's related has to be START or END, not %.20q", r.Related)
	}
	action := strings.ToUpper(string(r.Action))
	if action == "" {
		action = "DISPLAY"
	}
	text := r.Description
	if text == "" {
		text = summary
	}
	a := ical.NewComponent("VALARM")
	a.Add(ical.NewLine("ACTION", action))
	a.Add(trigger)
	switch action {
	case "DISPLAY":
		a.Add(ical.NewText("DESCRIPTION", text))
	case "EMAIL":
		a.Add(ical.NewText("DESCRIPTION", text))
		a.Add(ical.NewText("SUMMARY", summary))
		if email != "" {
			a.Add(ical.NewLine("ATTENDEE", "mailto:"+email))
		}
	case "AUDIO":
	default:
		return nil, invalidf(op, "a reminder's action has to be DISPLAY, EMAIL or AUDIO, not %.20q", r.Action)
	}
	return a, nil
}

// shorthand are the reminders that reminder_minutes and reminder_email mean.
// No minutes mean what the event has, else 15.
func shorthand(minutes *int, email *bool, now []Reminder) []Reminder {
	n, mail := 15, false
	for _, r := range now {
		if r.MinutesBefore != nil {
			n = *r.MinutesBefore
			break
		}
	}
	if minutes != nil {
		n = *minutes
	}
	for _, r := range now {
		mail = mail || r.Action == "EMAIL"
	}
	if email != nil {
		mail = *email
	}
	if minutes != nil && n <= 0 {
		return nil
	}
	out := []Reminder{{Action: "DISPLAY", MinutesBefore: &n}}
	if mail {
		out = append(out, Reminder{Action: "EMAIL", MinutesBefore: &n})
	}
	return out
}

// setReminders puts the reminders in the place of the alarms that callers can
// set, and answers how many there were.
func setReminders(op string, event *ical.Component, list []Reminder, email string, at clock) (replaced int, err error) {
	if len(list) > 20 {
		return 0, invalidf(op, "at most 20 reminders are taken")
	}
	alarms := make([]*ical.Component, len(list))
	for i, r := range list {
		if alarms[i], err = buildAlarm(op, r, event.Text("SUMMARY"), email, at); err != nil {
			return 0, err
		}
	}
	for _, a := range event.Children("VALARM") {
		if settable(a) {
			event.RemoveChild(a)
			replaced++
		}
	}
	for _, a := range alarms {
		event.AddChild(a)
	}
	return replaced, nil
}
