package vcard

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	fullDate = regexp.MustCompile(`^(\d{4})-?(\d{2})-?(\d{2})(T.*)?$`)
	noYear   = regexp.MustCompile(`^--(\d{2})-?(\d{2})(T.*)?$`)
)

// Date is a date of a card as people read it: 1980-01-02, or --01-02 without
// a year. What is no date is the text of the line.
func (l *Line) Date() string {
	text := strings.TrimSpace(l.Text())
	if m := fullDate.FindStringSubmatch(text); m != nil {
		// Apple: a year that stands for none.
		if omit := l.Param("X-APPLE-OMIT-YEAR"); omit != "" && omit == m[1] {
			return "--" + m[2] + "-" + m[3]
		}
		return m[1] + "-" + m[2] + "-" + m[3]
	}
	if m := noYear.FindStringSubmatch(text); m != nil {
		return "--" + m[1] + "-" + m[2]
	}
	return text
}

// CheckDate reports whether text is a date that a card can hold: YYYY-MM-DD,
// or --MM-DD without a year.
func CheckDate(text string) error {
	layout, value := time.DateOnly, text
	if rest, ok := strings.CutPrefix(text, "--"); ok {
		layout, value = time.DateOnly, "2000-"+rest // a leap year
	}
	if _, err := time.Parse(layout, value); err != nil {
		return fmt.Errorf("%.40q is no date: use YYYY-MM-DD, or --MM-DD without a year", text)
	}
	return nil
}

// omitted is the year that Apple's programs write for none.
const omitted = "1604"

// SetDate sets a date (see CheckDate) in the way of the card's version; an
// empty one removes the property.
func (c *Card) SetDate(name, date string) {
	l := c.Prop(name)
	switch {
	case date == "":
		c.Remove(name)
		return
	case l != nil && l.Date() == date:
		return
	case l == nil:
		l = NewLine(name, "")
		c.Add(l)
	}
	for _, p := range []string{"VALUE", "X-APPLE-OMIT-YEAR"} {
		if l.Param(p) != "" {
			l.SetParam(p)
		}
	}
	rest, yearless := strings.CutPrefix(date, "--")
	switch {
	case c.V4():
		l.SetValue(strings.ReplaceAll(date, "-", ""))
		if yearless {
			l.SetValue("--" + strings.ReplaceAll(rest, "-", ""))
		}
	case yearless:
		l.SetParam("X-APPLE-OMIT-YEAR", omitted)
		l.SetValue(omitted + "-" + rest)
	default:
		l.SetValue(date)
	}
}

// Anniversary is the line that holds the anniversary, under the names that
// programs use; nil when there is none.
func (c *Card) Anniversary() *Line {
	for _, name := range []string{"ANNIVERSARY", "X-ANNIVERSARY", "X-EVOLUTION-ANNIVERSARY"} {
		if l := c.Prop(name); l != nil {
			return l
		}
	}
	for _, l := range c.PropAll("X-ABDATE") {
		if strings.EqualFold(c.Label(l), "Anniversary") {
			return l
		}
	}
	return nil
}

// SetAnniversary changes the anniversary where it is; "" removes it
// everywhere.
func (c *Card) SetAnniversary(date string) {
	lines := c.PropAll("ANNIVERSARY", "X-ANNIVERSARY", "X-EVOLUTION-ANNIVERSARY")
	for _, l := range c.PropAll("X-ABDATE") {
		if strings.EqualFold(c.Label(l), "Anniversary") {
			lines = append(lines, l)
		}
	}
	switch {
	case date == "":
		for _, l := range lines {
			c.RemoveLine(l)
		}
	case len(lines) == 0:
		c.SetDate("ANNIVERSARY", date)
	default:
		// Several programs' ways to say the same thing stay in agreement.
		for _, l := range lines {
			if l.Date() == date {
				continue
			}
			one := &Card{lines: []*Line{NewLine("VERSION", c.Version()), l}}
			one.SetDate(l.name, date)
		}
	}
}

// Year is the year of a date as Date gives it; 0 without one.
func Year(date string) int {
	if len(date) < 4 {
		return 0
	}
	y, err := strconv.Atoi(date[:4])
	if err != nil {
		return 0
	}
	return max(y, 0)
}
