package vcard

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
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// corpus are cards as programs write them, by file name.
func corpus(tb testing.TB) map[string][]byte {
	tb.Helper()
	files, err := filepath.Glob("testdata/cards/*.vcf")
	if err != nil || len(files) < 25 {
		tb.Fatalf("%d cards: %v", len(files), err)
	}
	out := map[string][]byte{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		out[filepath.Base(f)] = b
	}
	return out
}

func parse(tb testing.TB, data []byte) *Card {
	tb.Helper()
	c, err := Parse(data)
	if err != nil {
		tb.Fatalf("%v in\n%s", err, data)
	}
	return c
}

func TestRoundTrip(t *testing.T) {
	for name, data := range corpus(t) {
		if d := cmp.Diff(string(data), string(parse(t, data).Encode())); d != "" {
			t.Errorf("%s (-before +after):\n%s", name, d)
		}
	}
}

// edit is one change, and the lines that it may touch.
type edit struct {
	name  string
	do    func(c *Card, r *rand.Rand)
	mine  func(l *Line) bool
	check func(c *Card) string // what is wrong afterwards
}

func named(names ...string) func(*Line) bool {
	return func(l *Line) bool { return slices.ContainsFunc(names, l.Is) }
}

func one[T any](r *rand.Rand, list []T) (v T) {
	if len(list) > 0 {
		v = list[r.IntN(len(list))]
	}
	return v
}

const awkwardText = "new, with; \\ and\nlines — Grüße 🦷 that are long enough to be folded once or twice"

var edits = []edit{
	{
		"note", func(c *Card, _ *rand.Rand) { c.SetText("NOTE", awkwardText) }, named("NOTE"),
		func(c *Card) string {
			if got := c.Text("NOTE"); got != awkwardText {
				return got
			}
			return ""
		},
	},
	{
		"no title", func(c *Card, _ *rand.Rand) { c.SetText("TITLE", "") }, named("TITLE"),
		func(c *Card) string { return c.Text("TITLE") },
	},
	{
		"family name", func(c *Card, _ *rand.Rand) {
			if c.Prop("N") == nil {
				c.Add(NewLine("N", ";;;;"))
			}
			c.Prop("N").SetPart(0, 5, "O'Neill; the, \\ 2nd")
		}, named("N"),
		func(c *Card) string {
			if got := c.Prop("N").Part(0); got != "O'Neill; the, \\ 2nd" {
				return got
			}
			return ""
		},
	},
	{
		"categories", func(c *Card, _ *rand.Rand) {
			c.Remove("CATEGORIES")
			l := NewLine("CATEGORIES", "")
			l.SetTexts([]string{"a,b", "c"})
			c.Add(l)
		}, named("CATEGORIES"),
		func(c *Card) string { return cmp.Diff([]string{"a,b", "c"}, c.Prop("CATEGORIES").Texts()) },
	},
	{
		"birthday", func(c *Card, _ *rand.Rand) { c.SetDate("BDAY", "--02-29") }, named("BDAY"),
		func(c *Card) string {
			if got := c.Prop("BDAY").Date(); got != "--02-29" {
				return got
			}
			return ""
		},
	},
	{
		"anniversary", func(c *Card, _ *rand.Rand) { c.SetAnniversary("2001-02-03") },
		named("ANNIVERSARY", "X-ANNIVERSARY", "X-EVOLUTION-ANNIVERSARY", "X-ABDATE"),
		func(c *Card) string {
			if got := c.Anniversary().Date(); got != "2001-02-03" {
				return got
			}
			return ""
		},
	},
	{
		"photo", func(c *Card, _ *rand.Rand) { c.SetPhoto([]byte("\x89PNG\r\n\x1a\npicture"), "image/png") }, named("PHOTO"),
		func(c *Card) string {
			if p := c.Photo(); p == nil || p.Type != "image/png" || !strings.HasSuffix(string(p.Data), "picture") {
				return fmt.Sprintf("%+v", p)
			}
			return ""
		},
	},
	{
		"one more mail", func(c *Card, _ *rand.Rand) {
			l := NewText("EMAIL", "one-more@example.org", Param{Name: "TYPE", Values: []string{"WORK"}})
			c.Add(l)
			c.SetLabel(l, "Büro")
		}, func(l *Line) bool { return l.Value() == "one-more@example.org" || l.Text() == "Büro" },
		func(c *Card) string {
			for _, l := range c.PropAll("EMAIL") {
				if l.Text() == "one-more@example.org" && c.Label(l) == "Büro" && slices.Equal(l.Types(), []string{"work"}) {
					return ""
				}
			}
			return "not there"
		},
	},
}

// TestEditsKeep makes random series of edits and looks that every other line
// has the same bytes, in the same order.
func TestEditsKeep(t *testing.T) {
	for name, data := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(40) {
				r := rand.New(rand.NewPCG(seed, 1))
				c := parse(t, data)
				before := c.Clone()
				var done []edit
				for range 1 + r.IntN(4) {
					e := one(r, edits)
					e.do(c, r)
					done = append(done, e)
				}
				again := parse(t, c.Encode())
				touched := func(l *Line) bool {
					return slices.ContainsFunc(done, func(e edit) bool { return e.mine(l) })
				}
				bytesOf := func(c *Card) []string {
					var out []string
					for _, l := range c.lines {
						if !touched(l) {
							out = append(out, l.raw)
						}
					}
					return out
				}
				// An edit leaves a line that has its name, if not more.
				if d := cmp.Diff(bytesOf(before), bytesOf(again)); d != "" {
					t.Fatalf("seed %d, %q (-before +after):\n%s", seed, names(done), d)
				}
				for _, e := range done {
					if wrong := e.check(again); wrong != "" {
						t.Fatalf("seed %d, %s: %s in\n%s", seed, e.name, wrong, c.Encode())
					}
				}
				if again.head != before.head || !strings.HasPrefix(again.tail, before.tail) && again.tail != before.tail {
					t.Fatalf("frame %q %q", again.head, again.tail)
				}
			}
		})
	}
}

func names(edits []edit) []string {
	var out []string
	for _, e := range edits {
		out = append(out, e.name)
	}
	return out
}

// TestFieldEditsKeep changes types, preference and label of random lines: what
// is not named of the line stays as well.
func TestFieldEditsKeep(t *testing.T) {
	for name, data := range corpus(t) {
		for seed := range uint64(20) {
			r := rand.New(rand.NewPCG(seed, 2))
			c := parse(t, data)
			l := one(r, c.PropAll("EMAIL", "TEL", "ADR", "URL"))
			if l == nil {
				break
			}
			value, label, other := l.Text(), c.Label(l), otherParams(l)
			pref := l.Preferred()
			types := []string{"other", "x-mine"}
			switch r.IntN(4) {
			case 0:
				l.SetTypes(types)
				again := at(t, c, l)
				if !slices.Equal(again.Types(), types) || again.Text() != value || again.Preferred() != pref {
					t.Errorf("%s: types %q, text %q in %s", name, again.Types(), again.Text(), again)
				}
				if d := cmp.Diff(other, otherParams(again)); d != "" {
					t.Errorf("%s: parameters %s", name, d)
				}
			case 1:
				c.SetPreferred(l, !pref)
				again := at(t, c, l)
				if again.Preferred() == pref || again.Text() != value {
					t.Errorf("%s: preferred %s", name, again)
				}
				c.SetPreferred(l, pref)
				if l.Preferred() != pref {
					t.Errorf("%s: not as before: %s", name, l)
				}
			case 2:
				l.SetText("changed; value, \\")
				again := at(t, c, l)
				if again.Text() != "changed; value, \\" || c.Label(l) != label {
					t.Errorf("%s: %s", name, again)
				}
			case 3:
				n := len(c.lines)
				c.RemoveLine(l)
				if len(c.lines) >= n || slices.Contains(c.lines, l) {
					t.Errorf("%s: still there", name)
				}
			}
		}
	}
}

// at is the line as it is read again after writing.
func at(t *testing.T, c *Card, l *Line) *Line {
	t.Helper()
	i := slices.Index(c.lines, l)
	again := parse(t, c.Encode())
	if i < 0 || len(again.lines) != len(c.lines) {
		t.Fatalf("%d lines became %d:\n%s", len(c.lines), len(again.lines), c.Encode())
	}
	return again.lines[i]
}

func otherParams(l *Line) []string {
	var out []string
	for _, p := range l.param {
		if p.Name != "" && !strings.EqualFold(p.Name, "TYPE") && !strings.EqualFold(p.Name, "PREF") {
			out = append(out, p.text())
		}
	}
	return out
}

func TestFolding(t *testing.T) {
	c := New("3.0")
	c.SetText("NOTE", strings.Repeat("Grüße 🦷 ", 40))
	for l := range strings.SplitSeq(strings.TrimSuffix(string(c.Encode()), "\r\n"), "\r\n") {
		if len(l) > 75 || !utf8.ValidString(l) {
			t.Errorf("folded badly: %d octets %q", len(l), l)
		}
	}
	lf := parse(t, []byte("BEGIN:VCARD\nVERSION:3.0\nFN:x\nEND:VCARD\n"))
	lf.SetText("NOTE", strings.Repeat("y", 100))
	if strings.Contains(string(lf.Encode()), "\r") {
		t.Error("another line break than the card has")
	}
}

func TestReading(t *testing.T) {
	cards := corpus(t)
	for _, c := range []struct {
		file, want string
		got        func(c *Card) any
	}{
		{"android-old.vcf", "Zoë André", func(c *Card) any { return c.Text("FN") }},
		{"android-old.vcf", "Erste Zeile\nzweite Zeile; mit Semikolon\n dritte", func(c *Card) any { return c.Text("NOTE") }},
		{"android-old.vcf", "[cell] true", func(c *Card) any { l := c.Prop("TEL"); return fmt.Sprint(l.Types(), l.Preferred()) }},
		{"outlook-21.vcf", "Jörg Schröder", func(c *Card) any { return c.Text("FN") }},
		{"outlook-21.vcf", "Große Straße 1\nHinterhaus", func(c *Card) any { return c.Prop("ADR").Part(2) }},
		{"outlook-21.vcf", "913 image/jpeg", func(c *Card) any { p := c.Photo(); return fmt.Sprint(len(p.Data), " ", p.Type) }},
		{"ios-full.vcf", "--03-14", func(c *Card) any { return c.Prop("BDAY").Date() }},
		{"ios-full.vcf", "2009-06-20", func(c *Card) any { return c.Anniversary().Date() }},
		{"ios-full.vcf", "Farm", func(c *Card) any { return c.Label(c.Prop("EMAIL")) }},
		{"ios-full.vcf", "HomePage", func(c *Card) any { return c.Label(c.Prop("URL")) }},
		{"ios-full.vcf", "1 Infinite Loop\nUnit 3", func(c *Card) any { return c.Prop("ADR").Part(2) }},
		{"ios-full.vcf", "https://orchard.example/", func(c *Card) any { return c.Text("URL") }},
		{"nextcloud-app.vcf", "image/png", func(c *Card) any { return c.Photo().Type }},
		{"ios-photo.vcf", "image/jpeg", func(c *Card) any { return c.Photo().Type }},
		{"google-export.vcf", "https://lh3.example.com/contacts/AAAA=s96", func(c *Card) any { return c.Photo().URI }},
		{"params.vcf", "[voice home] true", func(c *Card) any { l := c.Prop("TEL"); return fmt.Sprint(l.Types(), l.Preferred()) }},
		{"params.vcf", "a\nb'c'", func(c *Card) any {
			return strings.NewReplacer(`"`, "'", "^", "").Replace(c.Prop("EMAIL").Param("X-NAME"))
		}},
		{"escapes.vcf", "Back\\slash, comma; semi", func(c *Card) any { return c.Text("FN") }},
		{"escapes.vcf", "[one,still one two]", func(c *Card) any { return fmt.Sprint(c.Prop("CATEGORIES").Texts()) }},
		{"escapes.vcf", "A;B", func(c *Card) any { return c.Prop("ORG").Part(0) }},
		{"macos-group.vcf", "true", func(c *Card) any { return c.IsGroup() }},
		{"agent.vcf", "Big Boss", func(c *Card) any { return c.Text("FN") }},
		{"agent.vcf", "1", func(c *Card) any { return len(c.PropAll("TEL")) }},
		{"groups-many.vcf", "Lower case label", func(c *Card) any { return c.Label(c.Prop("TEL")) }},
		{"lower-case.vcf", "lower case", func(c *Card) any { return c.Text("FN") }},
		{"bom.vcf", "Byte Order", func(c *Card) any { return c.Text("FN") }},
		{"google-export.vcf", "item1", func(c *Card) any { return c.PropAll("EMAIL")[1].Group() }},
	} {
		if got := fmt.Sprint(c.got(parse(t, cards[c.file]))); got != c.want {
			t.Errorf("%s: %q, want %q", c.file, got, c.want)
		}
	}
}

func TestGroups(t *testing.T) {
	c := parse(t, corpus(t)["ios-full.vcf"])
	mail := c.Prop("EMAIL")
	c.RemoveLine(mail)
	if strings.Contains(string(c.Encode()), "Farm") {
		t.Error("the label of a removed line stays")
	}
	tel := c.Prop("TEL")
	c.SetLabel(tel, "Orchard")
	if tel.Group() != "item1" || c.Label(tel) != "Orchard" {
		t.Errorf("labelled %s in %q", tel, tel.Group())
	}
	c.SetLabel(tel, "")
	if c.Label(tel) != "" {
		t.Error("the label stays")
	}
	g := parse(t, corpus(t)["groups-many.vcf"])
	g.RemoveLine(g.Prop("TEL"))
	if g.Label(g.Prop("NOTE")) != "Lower case label" {
		t.Error("the label that another line has too is gone")
	}
}

func TestUpgrade(t *testing.T) {
	for name, data := range corpus(t) {
		c := parse(t, data)
		fn, note, photo := c.Text("FN"), c.Text("NOTE"), c.Photo()
		if c.Upgrade() != !slices.Contains([]string{"3.0", "4.0"}, parse(t, data).Version()) {
			t.Errorf("%s: upgraded without need, or not", name)
		}
		again := parse(t, c.Encode())
		if v := again.Version(); v != "3.0" && v != "4.0" {
			t.Errorf("%s: version %q", name, v)
		}
		if again.Text("FN") != fn || again.Text("NOTE") != note {
			t.Errorf("%s: %q became %q, %q became %q", name, fn, again.Text("FN"), note, again.Text("NOTE"))
		}
		if d := cmp.Diff(photo, again.Photo()); d != "" {
			t.Errorf("%s: the picture is another one: %s", name, d)
		}
		if strings.Contains(strings.ToUpper(string(c.Encode())), "QUOTED-PRINTABLE") && again.Prop("AGENT") == nil {
			t.Errorf("%s: still quoted-printable:\n%s", name, c.Encode())
		}
	}
}

func TestParseAll(t *testing.T) {
	data, err := os.ReadFile("testdata/several.vcf")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range ParseAll(data) {
		if p.Err != nil {
			got = append(got, p.Err.Error())
		} else {
			got = append(got, p.Card.Text("FN"))
		}
	}
	want := []string{"Dr. John Q. Appleseed Jr.", "Line Feed", "Dora Example", ErrCut.Error(), "Ben Okri", ErrNone.Error(), "Konqi Drache", ErrCut.Error()}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]error{
		"": ErrNone, "hello": ErrNone, "BEGIN:VCARD\nFN:x": ErrCut, "BEGIN:VCALENDAR\nEND:VCALENDAR": ErrNone,
		"BEGIN:VCARD\nEND:VCARD\nBEGIN:VCARD\nEND:VCARD":                             ErrSeveral,
		"BEGIN:VCARD\nNOTE:" + strings.Repeat("x", maxCard) + "\nEND:VCARD":          ErrTooLarge,
		"BEGIN:VCARD\n" + strings.Repeat("A:\n", maxLines+1) + "END:VCARD":           ErrTooLarge,
		"BEGIN:VCARD\nAGENT:\n" + strings.Repeat("BEGIN:VCARD\n", 100) + "END:VCARD": ErrCut,
	} {
		if _, err := Parse([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%.40q: %v, want %v", text, err, want)
		}
	}
}

func TestInjection(t *testing.T) {
	c := New("3.0")
	c.SetText("NOTE", "x\r\nTEL:1")
	c.Add(NewLine("URL", "https://a\r\nX-EVIL:1", Param{Name: "X", Values: []string{"a\nb\";:c"}}))
	c.Add(NewText("FN", "a\x00b"))
	again := parse(t, c.Encode())
	if len(again.lines) != 4 || again.Text("FN") != "ab" {
		t.Errorf("%q", c.Encode())
	}
}

func TestDates(t *testing.T) {
	for _, version := range []string{"3.0", "4.0"} {
		for _, date := range []string{"1980-01-02", "--02-29", ""} {
			c := New(version)
			c.SetDate("BDAY", date)
			if got := parse(t, c.Encode()).Prop("BDAY").Date(); got != date {
				t.Errorf("%s %q: %q in %s", version, date, got, c.Encode())
			}
		}
	}
	for text, ok := range map[string]bool{"1980-01-02": true, "--02-29": true, "--02-30": false, "1980-02-30": false, "02.01.1980": false, "": false, "--": false} {
		if err := CheckDate(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzVCardRoundTrip(f *testing.F) {
	for _, data := range corpus(f) {
		f.Add(data)
	}
	several, err := os.ReadFile("testdata/several.vcf")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(several)
	f.Add([]byte("BEGIN:VCARD\nX;ENCODING=QUOTED-PRINTABLE:=\n=\n\nEND:VCARD"))
	f.Add([]byte("BEGIN:VCARD\n\n 2\n\t3\n;:\nA;B=\"\"\"\":c\nEND:VCARD\r"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, p := range ParseAll(data) {
			if (p.Card == nil) != (p.Err != nil) {
				t.Fatalf("%+v", p)
			}
		}
		c, err := Parse(data)
		if err != nil {
			return
		}
		if got := c.Encode(); string(got) != string(data) {
			t.Fatalf("not the same bytes:\n%q\n%q", data, got)
		}
		clone := c.Clone()
		for _, e := range edits {
			e.do(clone, nil)
		}
		for _, l := range clone.PropAll("EMAIL", "TEL") {
			l.SetTypes([]string{"work"})
			clone.SetPreferred(l, true)
		}
		again, err := Parse(clone.Encode())
		if err != nil {
			t.Fatalf("written so that it cannot be read: %v\n%q", err, clone.Encode())
		}
		if got := again.Text("NOTE"); got != awkwardText {
			t.Fatalf("the note is %q in %q", got, clone.Encode())
		}
		again.Upgrade()
		if _, err := Parse(again.Encode()); err != nil {
			t.Fatalf("upgraded so that it cannot be read: %v\n%q", err, again.Encode())
		}
		if got := c.Encode(); string(got) != string(data) {
			t.Fatal("the clone shares something")
		}
	})
}

// TestParseTime: what is read takes time in proportion to its size.
func TestParseTime(t *testing.T) {
	start := time.Now()
	for _, part := range []string{"a=\n", "b\n c\n", "\n"} {
		text := "BEGIN:VCARD\nVERSION:2.1\nNOTE;ENCODING=QUOTED-PRINTABLE:" + strings.Repeat(part, 1<<20) + "x\nEND:VCARD\n"
		for _, p := range ParseAll([]byte(text)) {
			if p.Card != nil {
				_ = p.Card.Text("NOTE")
			}
		}
	}
	if spent := time.Since(start); spent > 30*time.Second {
		t.Errorf("it took %s", spent)
	}
}
