package ical

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Duration is a DURATION value (RFC 5545, 3.3.6): days count on the calendar,
// the rest on the clock.
type Duration struct {
	Negative bool
	Days     int
	Clock    time.Duration
}

var durationForm = regexp.MustCompile(`^([+-])?P(?:(\d{1,6})W|(?:(\d{1,6})D)?(?:T(?:(\d{1,7})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?)$`)

// ParseDuration reads a duration such as -PT15M or P1DT2H.
func ParseDuration(s string) (Duration, error) {
	s = strings.ToUpper(strings.TrimSpace(s))
	m := durationForm.FindStringSubmatch(s)
	if m == nil || strings.HasSuffix(s, "P") || strings.HasSuffix(s, "T") {
		return Duration{}, fmt.Errorf("%.40q is no duration", s)
	}
	n := func(i int) int {
		v, _ := strconv.Atoi(m[i]) // digits only, or empty for 0
		return v
	}
	return Duration{
		Negative: m[1] == "-",
		Days:     7*n(2) + n(3),
		Clock:    time.Duration(n(4))*time.Hour + time.Duration(n(5))*time.Minute + time.Duration(n(6))*time.Second,
	}, nil
}

// Minutes is a duration of that many minutes.
func Minutes(n int) Duration {
	d := Duration{Negative: n < 0, Clock: time.Duration(n) * time.Minute}
	d.Clock = d.Clock.Abs()
	return d
}

// Exact is the duration with days of 24 hours.
func (d Duration) Exact() time.Duration {
	t := time.Duration(d.Days)*24*time.Hour + d.Clock
	if d.Negative {
		return -t
	}
	return t
}

// String is the value as it is written.
func (d Duration) String() string {
	var b strings.Builder
	if d.Negative {
		b.WriteByte('-')
	}
	b.WriteByte('P')
	if d.Days > 0 {
		fmt.Fprintf(&b, "%dD", d.Days)
	}
	if d.Clock > 0 || d.Days == 0 {
		b.WriteByte('T')
		h, m, s := int(d.Clock/time.Hour), int(d.Clock/time.Minute)%60, int(d.Clock/time.Second)%60
		if h > 0 {
			fmt.Fprintf(&b, "%dH", h)
		}
		if m > 0 || (h == 0 && s == 0) {
			fmt.Fprintf(&b, "%dM", m)
		}
		if s > 0 {
			fmt.Fprintf(&b, "%dS", s)
		}
	}
	return b.String()
}
