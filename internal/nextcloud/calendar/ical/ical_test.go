package ical

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// awkward are the lines of an object that are hard to keep.
var awkward = []string{
	"BEGIN:VCALENDAR", "VERSION:2.0", "METHOD:REQUEST", "PRODID:-//x//y//EN", "X-WR-CALNAME;VALUE=TEXT:My, own", "x-lower:case",
	"BEGIN:VTIMEZONE", "TZID:Custom", "BEGIN:STANDARD", "DTSTART:16010101T000000", "TZOFFSETFROM:+0130", "TZOFFSETTO:+0130", "END:STANDARD", "END:VTIMEZONE",
	"BEGIN:VEVENT", "UID:1", "DTSTART;TZID=Custom:20270501T090000",
	`ATTENDEE;CN="Doe, Jane; MD";X-Y=a,"b:c",d;PARTSTAT=ACCEPTED:mailto:jane@example.org`,
	`X-CARET;NAME=a^nb^'c^':v`, "X-DUP:one", "X-DUP:two", "COMMENT:1", "SUMMARY;LANGUAGE=de:" + strings.Repeat("Grüße 🦷 ", 30),
	"ATTACH;ENCODING=BASE64;VALUE=BINARY:" + strings.Repeat("QUJD", 400),
	"BEGIN:VALARM", "ACTION:X-UNKNOWN", "TRIGGER;VALUE=DATE-TIME:20270501T080000Z", "END:VALARM",
	"X-AFTER-ALARM:kept in place", "BEGIN:X-PART", "X-A:1", "END:X-PART",
	"this is no content line", "X-BAD;PARAM:x", "END:VEVENT",
	"BEGIN:X-COMPONENT", "FOO:bar", "END:X-COMPONENT", "END:VCALENDAR",
}

func TestRoundTrip(t *testing.T) {
	for name, sep := range map[string]string{"CRLF": "\r\n", "LF": "\n"} {
		t.Run(name, func(t *testing.T) {
			c, err := Parse([]byte(strings.Join(awkward, sep)))
			if err != nil {
				t.Fatal(err)
			}
			out := c.Encode()
			if d := cmp.Diff(awkward, unfold(string(out))); d != "" {
				t.Errorf("lines changed (-before +after):\n%s", d)
			}
			for l := range strings.SplitSeq(strings.TrimSuffix(string(out), "\r\n"), "\r\n") {
				if len(l) > 75 || !utf8.ValidString(l) {
					t.Errorf("folded badly: %d octets %q", len(l), l)
				}
			}
		})
	}
}

// TestEditKeeps changes one property and looks that nothing else changed.
func TestEditKeeps(t *testing.T) {
	edits := map[string]func(e *Component){
		"SUMMARY":     func(e *Component) { e.SetText("SUMMARY", "new, with; \\ and\nlines") },
		"DESCRIPTION": func(e *Component) { e.SetText("DESCRIPTION", "added") },
		"UID":         func(e *Component) { e.Prop("UID").SetValue("2") },
		"DTSTART":     func(e *Component) { In(utc("2027-06-01T10:00:00Z"), berlin(t)).Put(e, "DTSTART") },
		"COMMENT":     func(e *Component) { e.Remove("COMMENT") },
	}
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			c, err := Parse([]byte(strings.Join(awkward, "\n")))
			if err != nil {
				t.Fatal(err)
			}
			edit(c.Children("VEVENT")[0])
			mine := func(l string) bool { return strings.HasPrefix(l, name+":") || strings.HasPrefix(l, name+";") }
			after := unfold(string(c.Encode()))
			if d := cmp.Diff(slices.DeleteFunc(slices.Clone(awkward), mine), slices.DeleteFunc(slices.Clone(after), mine)); d != "" {
				t.Errorf("other lines changed (-before +after):\n%s", d)
			}
			if slices.Equal(after, awkward) {
				t.Error("the edit changed nothing")
			}
		})
	}
}

func TestParamsSurviveValueChange(t *testing.T) {
	for _, raw := range []string{
		`ATTENDEE;CN="Doe, Jane; MD";X-Y=a,"b:c",d:mailto:a@b`, `X;A=1^n2^^3^'4^':v`, `x-low;b="":v`,
	} {
		l := parseLine(raw)
		l.SetValue("other")
		again := parseLine(l.String())
		if d := cmp.Diff(parseLine(raw).param, again.param); d != "" || again.Value() != "other" {
			t.Errorf("%s became %s\n%s", raw, l, d)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for name, s := range map[string]string{
		"nothing": "", "text": "hello", "cut": "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VEVENT", "vcard": "BEGIN:VCARD\nEND:VCARD",
		"crossed": "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\nEND:VEVENT", "two": "BEGIN:VCALENDAR\nEND:VCALENDAR\nBEGIN:VCALENDAR\nEND:VCALENDAR",
		"deep": strings.Repeat("BEGIN:VCALENDAR\n", 40) + strings.Repeat("END:VCALENDAR\n", 40),
	} {
		if c, err := Parse([]byte(s)); err == nil {
			t.Errorf("%s: parsed as %v", name, c.Lines())
		}
	}
}

func TestText(t *testing.T) {
	for _, s := range []string{"", "plain", "a,b;c\\d", "two\nlines", `\n is no line`, "tab\tstays", "Grüße 🦷"} {
		if got := UnescapeText(EscapeText(s)); got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
	if got := EscapeText("a\r\nb\rc\x00d"); got != `a\nb\ncd` {
		t.Errorf("line breaks and controls: %q", got)
	}
	if d := cmp.Diff([]string{"a,b", "c", ""}, parseLine(`CATEGORIES:a\,b,c,`).Texts()); d != "" {
		t.Error(d)
	}
}

func TestInjection(t *testing.T) {
	c := NewComponent("VEVENT")
	c.SetText("SUMMARY", "x\r\nATTENDEE:mailto:evil@example.org")
	c.Add(NewLine("URL", "https://a\r\nX-EVIL:1", Param{"X", []string{"a\nb\";:c"}}))
	if n := len(unfold(string(c.Encode()))); n != 4 {
		t.Errorf("%d lines: %q", n, c.Encode())
	}
}

func TestDuration(t *testing.T) {
	for in, want := range map[string]string{
		"PT15M": "15m0s", "-PT15M": "-15m0s", "P1DT2H": "26h0m0s", "P2W": "336h0m0s", "+PT0S": "0s", "-P1D": "-24h0m0s", "pt1h30m15s": "1h30m15s",
	} {
		d, err := ParseDuration(in)
		if err != nil || d.Exact().String() != want {
			t.Errorf("%s = %v, %v, want %s", in, d.Exact(), err, want)
		}
		again, err := ParseDuration(d.String())
		if err != nil || again != d && d.Exact() != 0 {
			t.Errorf("%s written as %s, read as %v", in, d, again)
		}
	}
	for _, in := range []string{"", "P", "PT", "P1H", "15M", "P1DT", "PT-5M", "P99999999999D"} {
		if d, err := ParseDuration(in); err == nil {
			t.Errorf("%q = %v", in, d)
		}
	}
}

func FuzzICalendarRoundTrip(f *testing.F) {
	f.Add(strings.Join(awkward, "\r\n"))
	f.Add("BEGIN:VCALENDAR\nX:1\n\n 2\n\t3\nEND:VCALENDAR")
	f.Add("BEGIN:VCALENDAR\n;:\nA;B=\"\"\"\":c\nEND:VCALENDAR\r")
	f.Add("\ufeffBEGIN:VCALENDAR\r\n " + strings.Repeat("\x80", 200) + "\r\nEND:VCALENDAR")
	f.Add("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;TZID=X:20270101T000000\nRRULE:FREQ=DAILY\nRECURRENCE-ID;RANGE=THISANDFUTURE:20270102\nEND:VEVENT\nBEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=YEARLY\nEND:STANDARD\nEND:VTIMEZONE\nEND:VCALENDAR")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := Parse([]byte(s))
		if err != nil {
			return
		}
		before := c.Lines()
		again, err := Parse(c.Encode())
		if err != nil {
			t.Fatalf("written so that it cannot be read: %v", err)
		}
		if d := cmp.Diff(before, again.Lines()); d != "" {
			t.Fatalf("not the same after writing (-before +after):\n%s", d)
		}
		if series, err := NewSeries(c.Clone(), "VEVENT"); err == nil {
			_, _ = series.Expand(utc("2027-01-01T00:00:00Z"), utc("2027-02-01T00:00:00Z"), berlin(t))
			Define(series.Object)
		}
		if d := cmp.Diff(before, c.Lines()); d != "" {
			t.Fatalf("the clone shares something:\n%s", d)
		}
	})
}
