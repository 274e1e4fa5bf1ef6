package ical

import (
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // containers without a system zone database
)

//go:generate go run ./internal/genwindows

// loaded are the IANA zones asked for so far; there are some 600 at most.
var loaded sync.Map

// LoadZone is the zone of an IANA name such as Europe/Berlin, or of a Windows
// name such as W. Europe Standard Time.
func LoadZone(name string) (*time.Location, bool) {
	if loc, ok := loadIANA(name); ok {
		return loc, true
	}
	if iana, ok := windowsZones[name]; ok {
		return loadIANA(iana)
	}
	return nil, false
}

func loadIANA(name string) (*time.Location, bool) {
	switch name {
	case "", "Local":
		return nil, false
	case "UTC", "Etc/UTC", "Z":
		return time.UTC, true
	}
	if loc, ok := loaded.Load(name); ok {
		l, ok := loc.(*time.Location)
		return l, ok
	}
	if len(name) > 64 || name[0] == '.' {
		return nil, false
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, false
	}
	loaded.Store(name, loc)
	return loc, true
}

// Zones resolves the TZIDs of one object: IANA names first, then Windows
// names, then the object's own VTIMEZONE.
type Zones struct {
	object *Component
	known  map[string]*time.Location
}

// NewZones resolves the TZIDs of object, which may be nil.
func NewZones(object *Component) *Zones {
	return &Zones{object, map[string]*time.Location{}}
}

// Location is the zone of a TZID.
func (z *Zones) Location(tzid string) (*time.Location, bool) {
	if loc, ok := z.known[tzid]; ok {
		return loc, loc != nil
	}
	loc := z.find(tzid)
	z.known[tzid] = loc
	return loc, loc != nil
}

func (z *Zones) find(tzid string) *time.Location {
	if loc, ok := LoadZone(tzid); ok {
		return loc
	}
	// Globally unique TZIDs such as /citadel.org/20210210_1/Europe/Berlin end
	// in the IANA name.
	parts := strings.Split(strings.TrimPrefix(tzid, "/"), "/")
	for n := min(3, len(parts)-1); n >= 2; n-- {
		if loc, ok := loadIANA(strings.Join(parts[len(parts)-n:], "/")); ok {
			return loc
		}
	}
	def := z.Definition(tzid)
	if def == nil {
		return nil
	}
	if loc, ok := loadIANA(def.Text("X-LIC-LOCATION")); ok {
		return loc
	}
	return customZone(tzid, def)
}

// Definition is the object's VTIMEZONE of a TZID, or nil.
func (z *Zones) Definition(tzid string) *Component {
	if z.object == nil {
		return nil
	}
	for _, c := range z.object.Children("VTIMEZONE") {
		if c.Prop("TZID").Value() == tzid {
			return c
		}
	}
	return nil
}
