package ical

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The bounds of a zone that an object defines itself.
const (
	maxObservances = 256
	maxTransitions = 4096
	lastZoneYear   = 2100
)

// observance is one STANDARD or DAYLIGHT part of a VTIMEZONE.
type observance struct {
	from, to int // offsets in seconds
	name     string
	daylight bool
}

// transition is a change of a zone's offset.
type transition struct {
	at int64 // Unix seconds
	to observance
}

// customZone is the zone that a VTIMEZONE defines, or nil when it defines
// none. The definition is turned into the TZif form (RFC 9636) that package
// time reads.
func customZone(tzid string, def *Component) *time.Location {
	var changes []transition
	for _, kind := range []string{"STANDARD", "DAYLIGHT"} {
		for i, c := range def.Children(kind) {
			if i >= maxObservances {
				break
			}
			changes = append(changes, observe(c)...)
			if len(changes) > maxTransitions {
				return nil
			}
		}
	}
	if len(changes) == 0 {
		return nil
	}
	slices.SortFunc(changes, func(a, b transition) int { return int(max(-1, min(1, a.at-b.at))) })
	changes = slices.CompactFunc(changes, func(a, b transition) bool { return a.at == b.at })
	loc, err := time.LoadLocationFromTZData(tzid, tzif(changes))
	if err != nil {
		return nil
	}
	return loc
}

// observe are the changes of one observance up to the last year.
func observe(c *Component) []transition {
	from, ok1 := offset(c.Prop("TZOFFSETFROM").Value())
	to, ok2 := offset(c.Prop("TZOFFSETTO").Value())
	start, err := NewZones(nil).Read(c.Prop("DTSTART"))
	if !ok1 || !ok2 || err != nil || start.IsZero() {
		return nil
	}
	o := observance{from: from, to: to, name: zoneAbbreviation(c.Text("TZNAME")), daylight: c.Is("DAYLIGHT")}
	walls := []time.Time{start.Wall}
	if l := c.Prop("RRULE"); l != nil {
		if rule, err := ParseRule(l.Value()); err == nil && rule.yearlyOrMonthly() {
			walls = rule.walls(start.Wall, time.Date(lastZoneYear, 1, 1, 0, 0, 0, 0, time.UTC), func(wall time.Time) time.Time {
				return wall.Add(-time.Duration(from) * time.Second)
			}, 1024)
		}
	}
	if dates, err := NewZones(nil).ReadAll(c.PropAll("RDATE")); err == nil {
		for _, d := range dates[:min(len(dates), 1024)] {
			walls = append(walls, d.Wall)
		}
	}
	out := make([]transition, len(walls))
	for i, w := range walls {
		out[i] = transition{w.Unix() - int64(from), o}
	}
	return out
}

// offset reads a UTC-OFFSET value such as +0100 in seconds.
func offset(s string) (int, bool) {
	s = strings.TrimSpace(s)
	if (len(s) != 5 && len(s) != 7) || (s[0] != '+' && s[0] != '-') {
		return 0, false
	}
	n, err := strconv.Atoi(s[1:] + "00"[:7-len(s)])
	if err != nil || n < 0 {
		return 0, false
	}
	sec := n/10000*3600 + n/100%100*60 + n%100
	if sec > 26*3600 {
		return 0, false
	}
	if s[0] == '-' {
		sec = -sec
	}
	return sec, true
}

func zoneAbbreviation(name string) string {
	name = strings.Map(func(r rune) rune {
		if r > 0x20 && r < 0x7f {
			return r
		}
		return -1
	}, name)
	return name[:min(len(name), 16)]
}

// tzif is the zone of the sorted changes; before the first one the clock reads
// what that one changes from.
func tzif(changes []transition) []byte {
	type kind struct {
		off      int
		daylight bool
		name     string
	}
	kinds := []kind{{off: changes[0].to.from, name: "LMT"}}
	index := make([]byte, len(changes))
	for i, c := range changes {
		k := kind{c.to.to, c.to.daylight, c.to.name}
		n := slices.Index(kinds[1:], k) + 1
		if n == 0 {
			if len(kinds) > 250 {
				n = len(kinds) - 1
			} else {
				kinds = append(kinds, k)
				n = len(kinds) - 1
			}
		}
		index[i] = byte(n) //nolint:gosec // at most 250
	}
	var names bytes.Buffer
	var types bytes.Buffer
	for _, k := range kinds {
		at := names.Len()
		if at > 200 {
			at = 0 // abbreviations are only shown, and their index is one byte
		} else {
			names.WriteString(k.name + "\x00")
		}
		_ = binary.Write(&types, binary.BigEndian, int32(k.off)) //nolint:gosec // within 26 hours; to memory it cannot fail
		dst := byte(0)
		if k.daylight {
			dst = 1
		}
		types.WriteByte(dst)
		types.WriteByte(byte(at))
	}
	var b bytes.Buffer
	header := func(transitions, kinds, chars int) {
		b.WriteString("TZif2" + strings.Repeat("\x00", 15))
		for _, n := range []int{0, 0, 0, transitions, kinds, chars} {
			_ = binary.Write(&b, binary.BigEndian, int32(n)) //nolint:gosec // lengths, far below 2^31
		}
	}
	header(0, 0, 0) // the block of version 1, which readers of version 2 skip
	header(len(changes), len(kinds), names.Len())
	for _, c := range changes {
		_ = binary.Write(&b, binary.BigEndian, c.at)
	}
	b.Write(index)
	b.Write(types.Bytes())
	b.Write(names.Bytes())
	b.WriteString("\n\n")
	return b.Bytes()
}
