package calendar

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/calendar/ical"
)

// eventCorpus are objects as the programs of the world write them.
func eventCorpus(tb testing.TB) map[string][]byte {
	tb.Helper()
	files, err := filepath.Glob("testdata/events/*.ics")
	if err != nil || len(files) < 25 {
		tb.Fatalf("%d objects, %v", len(files), err)
	}
	out := map[string][]byte{}
	for _, f := range files {
		if out[strings.TrimSuffix(filepath.Base(f), ".ics")], err = os.ReadFile(f); err != nil {
			tb.Fatal(err)
		}
	}
	return out
}

// TestEventCorpusRoundTrip: what is read and written is the same, and writing
// it again changes not a byte.
func TestEventCorpusRoundTrip(t *testing.T) {
	for name, data := range eventCorpus(t) {
		root, err := ical.Parse(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again, err := ical.Parse(root.Encode())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(root.Lines(), again.Lines()); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if _, err := ical.NewSeries(root, "VEVENT"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// edit is a random change with the properties that it may touch.
type edit struct {
	f       Fields
	touches []string
	alarms  bool
}

func pickFrom(r *rand.Rand, list ...string) *string { return new(list[r.IntN(len(list))]) }

func randomEdit(r *rand.Rand) edit {
	e := edit{touches: []string{"DTSTAMP", "LAST-MODIFIED", "SEQUENCE"}}
	add := func(names ...string) { e.touches = append(e.touches, names...) }
	for range 1 + r.IntN(3) {
		switch r.IntN(11) {
		case 0:
			e.f.Title = pickFrom(r, "Neu, mit; Zeichen\\", "新しい", strings.Repeat("lang ", 60))
			add("SUMMARY")
		case 1:
			e.f.Description = pickFrom(r, "", "eins\nzwei", "x")
			add("DESCRIPTION", "X-ALT-DESC")
		case 2:
			e.f.Location = pickFrom(r, "", "Dort")
			add("LOCATION")
		case 3:
			e.f.Categories = pickFrom(r, "", "a,b", "groß")
			add("CATEGORIES")
		case 4:
			e.f.Status = pickFrom(r, "CONFIRMED", "TENTATIVE", "CANCELLED")
			add("STATUS")
		case 5:
			e.f.Priority = new(r.IntN(10))
			add("PRIORITY")
		case 6:
			e.f.Privacy = pickFrom(r, "PUBLIC", "PRIVATE")
			add("CLASS")
		case 7:
			e.f.URL = pickFrom(r, "", "https://example.org/x?y=1,2;3")
			add("URL")
		case 8:
			e.f.Color = pickFrom(r, "", "tomato")
			add("COLOR")
		case 9:
			e.f.Transparent = new(r.IntN(2) == 0)
			add("TRANSP")
		case 10:
			e.f.ReminderMinutes = new(r.IntN(3) * 10)
			e.alarms = true
		}
	}
	return e
}

// untouchedLines are the lines of a component but for those that an edit may
// touch.
func untouchedLines(c *ical.Component, e edit) []string {
	c = c.Clone()
	if e.alarms {
		for _, a := range c.Children("VALARM") {
			if settable(a) {
				c.RemoveChild(a)
			}
		}
	}
	for _, name := range e.touches {
		c.Remove(name)
	}
	return c.Lines()
}

// editing runs an edit on an object and answers it before and after; nil when
// the edit was refused, and then nothing was written.
func editing(t *testing.T, data []byte, do func(c *Client, o *object) error) (before, after *ical.Component) {
	t.Helper()
	fake, c := newFake(t, string(data))
	path := personal + "0.ics"
	before, err := ical.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	cal, err := c.Resolve(t.Context(), "test", "personal")
	if err != nil {
		t.Fatal(err)
	}
	o, err := c.fetch(t.Context(), "test", cal, "VEVENT", path)
	if err != nil {
		t.Fatal(err)
	}
	c.remember(t.Context(), cal, o.First().Text("UID"), path)
	if err := do(c, o); err != nil {
		if !errors.Is(err, nextcloud.ErrInvalid) {
			t.Errorf("edit: %v", err)
		}
		if fake.objects[path] != string(data) {
			t.Errorf("refused (%v), but written", err)
		}
		return before, nil
	}
	if fake.objects[path] == "" {
		return before, nil
	}
	after, err = ical.Parse([]byte(fake.objects[path]))
	if err != nil {
		t.Fatal(err)
	}
	return before, after
}

// TestLosslessAll: a change of whole events leaves all alone that was not to be
// changed.
func TestLosslessAll(t *testing.T) {
	changed := 0
	for name, data := range eventCorpus(t) {
		for i := range 10 {
			r := rand.New(rand.NewPCG(uint64(i), uint64(len(name))))
			e := randomEdit(r)
			before, after := editing(t, data, func(c *Client, o *object) error {
				_, err := c.Update(t.Context(), Target{Calendar: "personal", UID: o.First().Text("UID"), Scope: All}, e.f)
				return err
			})
			if after == nil {
				continue
			}
			changed++
			compareComponents(t, fmt.Sprintf("%s/%d", name, i), before, after, e)
			if t.Failed() {
				return
			}
		}
	}
	if changed < 250 {
		t.Errorf("only %d edits went through", changed)
	}
}

func compareComponents(t *testing.T, name string, before, after *ical.Component, e edit) {
	t.Helper()
	was, is := before.Children("VEVENT"), after.Children("VEVENT")
	if len(was) != len(is) {
		t.Errorf("%s: %d events, were %d", name, len(is), len(was))
		return
	}
	for i := range was {
		if d := cmp.Diff(untouchedLines(was[i], e), untouchedLines(is[i], e)); d != "" {
			t.Errorf("%s: %+v: event %d: %s", name, e.f, i, d)
		}
	}
	compareRest(t, name, before, after)
}

// compareRest compares what is no event; time zones may be added.
func compareRest(t *testing.T, name string, before, after *ical.Component) {
	t.Helper()
	rest := func(c *ical.Component) []string {
		c = c.Clone()
		for _, v := range c.Children("VEVENT") {
			c.RemoveChild(v)
		}
		return c.Lines()
	}
	was, is := rest(before), rest(after)
	for _, l := range was {
		if i := slices.Index(is, l); i >= 0 {
			is = slices.Delete(is, i, i+1)
		} else {
			t.Errorf("%s: lost %q", name, l)
		}
	}
	if slices.ContainsFunc(is, func(l string) bool { return strings.HasPrefix(l, "X-") || strings.HasPrefix(l, "PRODID") }) {
		t.Errorf("%s: new lines %q", name, is)
	}
}

// occurrencesOf are the occurrences of an object in the year of the corpus.
func occurrencesOf(t *testing.T, o *object) []ical.Occurrence {
	t.Helper()
	list, err := o.Expand(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC), mustZone(t, "Europe/Berlin"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestLosslessThis: a change of one occurrence leaves all others alone, and of
// that one what was not to be changed; a deletion takes only that one.
func TestLosslessThis(t *testing.T) {
	changed := 0
	for name, data := range eventCorpus(t) {
		root, err := ical.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		series, err := ical.NewSeries(root, "VEVENT")
		if err != nil || !series.Recurs() {
			continue
		}
		for i := range 8 {
			r := rand.New(rand.NewPCG(uint64(i), 7))
			e := randomEdit(r)
			remove := i%4 == 3
			var was, is []string
			id := ""
			describe := func(o *object) (out []string) {
				for _, occ := range occurrencesOf(t, o) {
					if occ.ID.String() != id {
						out = append(out, strings.Join(append([]string{occ.ID.String(), occ.Start.String(), occ.End.String()}, untouchedLines(occ.Component, edit{touches: []string{"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID", "DTSTAMP", "LAST-MODIFIED", "SEQUENCE"}})...), "\n"))
					}
				}
				return out
			}
			before, after := editing(t, data, func(c *Client, o *object) error {
				all := occurrencesOf(t, o)
				if len(all) < 2 {
					return invalidf("test", "one occurrence only")
				}
				occ := all[r.IntN(len(all))]
				id = occ.ID.String()
				was = describe(o)
				target := Target{Calendar: "personal", UID: o.First().Text("UID"), Scope: This, RecurrenceID: id}
				if remove {
					_, err := c.Delete(t.Context(), target)
					return err
				}
				_, err := c.Update(t.Context(), target, e.f)
				return err
			})
			if after == nil {
				continue
			}
			changed++
			o, err := readObject(&Calendar{Name: "personal"}, "x", "", after.Encode(), "VEVENT")
			if err != nil {
				t.Fatal(err)
			}
			is = describe(o)
			label := fmt.Sprintf("%s/%d %s remove=%v %+v", name, i, id, remove, e.f)
			if d := cmp.Diff(was, is); d != "" {
				t.Fatalf("%s: other occurrences: %s", label, d)
			}
			compareRest(t, label, before, after)
		}
	}
	if changed < 60 {
		t.Errorf("only %d edits went through", changed)
	}
}

// FuzzLossless: any change of any object leaves the rest alone.
func FuzzLossless(f *testing.F) {
	for _, data := range eventCorpus(f) {
		f.Add(data, uint64(1))
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		root, err := ical.Parse(data)
		if err != nil {
			return
		}
		s, err := ical.NewSeries(root, "VEVENT")
		if err != nil || s.Master == nil {
			return
		}
		before := root.Clone()
		e := randomEdit(rand.New(rand.NewPCG(seed, seed)))
		if _, _, _, err := e.f.apply("test", s, ical.DateTime{}, &person{zone: time.UTC}); err != nil {
			return
		}
		again, err := ical.Parse(root.Encode())
		if err != nil {
			t.Fatalf("written, but cannot be read: %v", err)
		}
		compareComponents(t, "fuzz", before, again, e)
	})
}
