package ical

import (
	"errors"
	"time"
)

// errTooMany is about a rule whose occurrences are beyond counting.
var errTooMany = errors.New("the recurrence rule gives more occurrences than are looked at")

// horizons are how far after an occurrence the next one is looked for, in
// years: nearly always it is near, and looking far costs.
var horizons = []int{2, 30, 500}

// Next is the first start after id that rule, RDATE and EXDATE give to the
// master; false when the series ends with id. passed is how many starts of the
// rule lie before it, those that EXDATE drops included, as COUNT counts them.
func (s *Series) Next(id DateTime, elsewhere *time.Location) (next DateTime, passed int, ok bool, err error) {
	moment := id.Instant(elsewhere)
	for _, years := range horizons {
		end := moment.AddDate(years, 0, 0)
		dates, err := s.Dates(end, elsewhere, false)
		if err != nil {
			return DateTime{}, 0, false, err
		}
		for _, d := range dates {
			if !d.Instant(elsewhere).After(moment) {
				continue
			}
			raw, err := s.Dates(d.Instant(elsewhere), elsewhere, true)
			return d, len(raw), true, err
		}
		if len(dates) >= maxOccurrences {
			return DateTime{}, 0, false, errTooMany
		}
	}
	return DateTime{}, 0, false, nil
}
