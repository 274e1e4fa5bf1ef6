package sharing

import (
	"fmt"
	"strings"
	"time"
)

// End is when a share shall end. Nextcloud knows dates only: a share ends with
// its last day in the person's time zone. The zero value says nothing.
type End struct {
	Date  string // YYYY-MM-DD
	Never bool
	// Rounded says that a time was given and the whole day is meant.
	Rounded bool
}

// ParseEnd reads a date, a time (whose day is meant) or "none".
func ParseEnd(op, text string) (End, error) {
	clean := strings.TrimSpace(text)
	switch strings.ToLower(clean) {
	case "", "none", "never":
		return End{Never: true}, nil
	}
	if t, err := time.Parse(time.DateOnly, clean); err == nil {
		return End{Date: t.Format(time.DateOnly)}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateTime, "2006-01-02 15:04"} {
		if t, err := time.Parse(layout, clean); err == nil {
			return End{Date: t.Format(time.DateOnly), Rounded: true}, nil
		}
	}
	return End{}, invalid(op, fmt.Sprintf("%.40q is no end date: give it as 2027-01-31, or none", text))
}

// past reports whether the date is over everywhere on earth.
func (e End) past(now time.Time) bool {
	return e.Date != "" && e.Date < now.UTC().Add(-12*time.Hour).Format(time.DateOnly)
}

func (e End) check(op string, now time.Time) error {
	if e.past(now) {
		return invalid(op, fmt.Sprintf("the end date %s is in the past; today is %s", e.Date, now.UTC().Format(time.DateOnly)))
	}
	return nil
}
