package ical

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// ruleUpTo is how many starts the rule gives up to id, those that EXDATE drops
// included, as COUNT counts them. id has to be the last of them: an occurrence
// that RDATE adds does not tell how the rule goes on.
func ruleUpTo(rule *Rule, start, id DateTime, elsewhere *time.Location) (int, error) {
	moment := func(wall time.Time) time.Time { return start.At(wall).Instant(elsewhere) }
	walls := rule.walls(start.Wall, id.Instant(elsewhere).Add(time.Second), moment, maxOccurrences)
	if len(walls) == 0 || !walls[len(walls)-1].Equal(id.Wall) {
		return 0, errors.New("this occurrence was added to the series and is not one of its rule")
	}
	return len(walls), nil
}

// Shorten ends the series before the occurrence id, which must not be the
// first one. Changed and added occurrences from there on are dropped;
// exclusions are kept, since they do no harm and serve when the series is
// made longer again.
func (s *Series) Shorten(id DateTime, elsewhere *time.Location) error {
	start, err := s.Zones.Read(s.Master.Prop("DTSTART"))
	if err != nil {
		return err
	}
	id = id.Like(start)
	if l := s.Master.Prop("RRULE"); l != nil {
		rule, err := ParseRule(l.Value())
		if err != nil {
			return err
		}
		var last DateTime
		switch id.Kind {
		case Floating:
			last = id.At(id.Wall.Add(-time.Second))
		case UTC, Zoned:
			last = UTCOf(id.Instant(elsewhere).Add(-time.Second))
		default:
			last = id.At(id.Wall.AddDate(0, 0, -1))
		}
		rule.EndAt(last)
		l.SetValue(rule.String())
	}
	if err := s.keepDates("RDATE", func(d DateTime) bool { return d.Like(start).Wall.Before(id.Wall) }); err != nil {
		return err
	}
	return s.keepOverrides(func(d DateTime) bool { return d.Like(start).Wall.Before(id.Wall) })
}

// Tail is a new object with a series that starts with the occurrence id and
// has all that belongs to it and to what follows it. Its UID is uid. The
// series s is not changed.
func (s *Series) Tail(id DateTime, uid string, elsewhere *time.Location) (*Series, error) {
	for _, o := range s.Overrides {
		l := o.Prop("RECURRENCE-ID")
		d, err := s.Zones.Read(l)
		if err != nil {
			return nil, err
		}
		if l.Param("RANGE") == "THISANDFUTURE" && d.Instant(elsewhere).Before(id.Instant(elsewhere)) {
			return nil, errors.New("an earlier change of the series is for all that follows it")
		}
	}
	t, err := NewSeries(s.Object.Clone(), s.kind)
	if err != nil {
		return nil, err
	}
	start, end, err := t.Times(t.Master)
	if err != nil {
		return nil, err
	}
	id = id.Like(start)
	if l := t.Master.Prop("RRULE"); l != nil {
		rule, err := ParseRule(l.Value())
		if err != nil {
			return nil, err
		}
		before, err := ruleUpTo(rule, start, id, elsewhere)
		if err != nil {
			return nil, err
		}
		if n := rule.Count(); n > 0 {
			rule.Set("COUNT", strconv.Itoa(max(1, n-before+1)))
			l.SetValue(rule.String())
		}
	}
	id.Put(t.Master, "DTSTART")
	if t.Master.Prop("DTEND") != nil {
		shift(id, start, end).Put(t.Master, "DTEND")
	}
	later := func(d DateTime) bool { return !d.Like(start).Wall.Before(id.Wall) }
	for _, name := range []string{"EXDATE", "RDATE"} {
		if err := t.keepDates(name, later); err != nil {
			return nil, err
		}
	}
	if err := t.keepOverrides(later); err != nil {
		return nil, err
	}
	for _, c := range append([]*Component{t.Master}, t.Overrides...) {
		c.Remove("UID")
		c.Add(NewLine("UID", uid))
		c.Remove("SEQUENCE")
	}
	return t, nil
}

// keepDates drops from a list property of the master the values that keep
// does not want.
func (s *Series) keepDates(name string, keep func(DateTime) bool) error {
	for _, l := range s.Master.PropAll(name) {
		var kept []string
		values := strings.Split(l.Value(), ",")
		for _, v := range values {
			first, _, _ := strings.Cut(v, "/")
			d, err := s.Zones.read(l, first)
			if err != nil {
				return err
			}
			if keep(d) {
				kept = append(kept, v)
			}
		}
		switch len(kept) {
		case 0:
			s.Master.RemoveLine(l)
		case len(values):
		default:
			l.SetValue(strings.Join(kept, ","))
		}
	}
	return nil
}

func (s *Series) keepOverrides(keep func(DateTime) bool) error {
	var kept []*Component
	for _, o := range s.Overrides {
		d, err := s.Zones.Read(o.Prop("RECURRENCE-ID"))
		if err != nil {
			return err
		}
		if keep(d) {
			kept = append(kept, o)
		} else {
			s.Object.RemoveChild(o)
		}
	}
	s.Overrides = kept
	return nil
}

// Override is the component of the occurrence alone: the one it has, or a new
// one in the object that repeats what the occurrence is now.
func (s *Series) Override(occ Occurrence) *Component {
	if occ.Changed {
		return occ.Component
	}
	c := occ.Component.Clone()
	for _, name := range []string{"RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"} {
		c.Remove(name)
	}
	occ.Start.Put(c, "DTSTART")
	if c.Prop("DTEND") != nil {
		occ.End.Put(c, "DTEND")
	}
	c.Add(occ.ID.Line("RECURRENCE-ID"))
	s.Object.AddChild(c)
	s.Overrides = append(s.Overrides, c)
	return c
}

// Exclude drops one occurrence of the series (EXDATE), and its override.
func (s *Series) Exclude(occ Occurrence) {
	if occ.Changed {
		s.Object.RemoveChild(occ.Component)
		s.Overrides = deleteOne(s.Overrides, occ.Component)
	}
	if s.Master != nil {
		s.Master.Add(occ.ID.Line("EXDATE"))
	}
}

func deleteOne(list []*Component, c *Component) []*Component {
	var out []*Component
	for _, x := range list {
		if x != c {
			out = append(out, x)
		}
	}
	return out
}
