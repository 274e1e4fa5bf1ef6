package ical

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/teambition/rrule-go"
)

// TestAgainstLibrary compares rules of all shapes with a library's reading of
// them, where that reading ends.
func TestAgainstLibrary(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	one := func(list ...string) string { return list[random.IntN(len(list))] }
	for range 200 {
		freq := one("YEARLY", "MONTHLY", "WEEKLY", "DAILY")
		parts := []string{"FREQ=" + freq}
		if random.IntN(2) == 0 {
			parts = append(parts, fmt.Sprintf("INTERVAL=%d", 1+random.IntN(4)))
		}
		if random.IntN(3) == 0 {
			parts = append(parts, "WKST="+one("SU", "MO", "WE"))
		}
		if random.IntN(3) == 0 {
			parts = append(parts, "BYMONTH="+one("1", "2,3", "1,6,12", "5,6,7,8"))
		}
		switch random.IntN(6) {
		case 0:
			parts = append(parts, "BYMONTHDAY="+one("1", "13", "-1", "1,15,-2", "28,29,30,31"))
		case 1, 2:
			day := one("MO", "FR", "TU,TH", "MO,TU,WE,TH,FR", "SU")
			if freq == "MONTHLY" || freq == "YEARLY" {
				day = one(day, "1MO", "-1FR", "2TU,-2TH", "5WE")
			}
			parts = append(parts, "BYDAY="+day)
		case 3:
			if freq == "YEARLY" {
				parts = append(parts, one("BYYEARDAY=1,100,-1", "BYYEARDAY=60", "BYWEEKNO=20;BYDAY=MO", "BYWEEKNO=1,-1;BYDAY=TU,SU", "BYDAY=10SU,-3MO"))
			}
		}
		if random.IntN(4) == 0 {
			parts = append(parts, "BYHOUR="+one("9", "8,17"), "BYMINUTE="+one("0", "15,45"))
		}
		// The library takes the first week from the start on only, so that its
		// positions in it differ.
		if random.IntN(4) == 0 && freq != "DAILY" && freq != "WEEKLY" {
			parts = append(parts, "BYSETPOS="+one("1", "-1", "2,-2"))
		}
		text := strings.Join(parts, ";")
		start := time.Date(2024+random.IntN(4), time.Month(1+random.IntN(12)), 1+random.IntN(31), 9, 30, 0, 0, time.UTC)
		end := start.AddDate(9, 0, 0)

		opt, err := rrule.StrToROption(text)
		if err != nil {
			t.Fatal(err)
		}
		opt.Dtstart = start
		lib, err := rrule.NewRRule(*opt)
		if err != nil {
			t.Fatal(err)
		}
		want := []time.Time{start}
		for _, w := range lib.Between(start, end, false) {
			if len(want) < 500 {
				want = append(want, w)
			}
		}
		rule, err := ParseRule(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		got := rule.walls(start, end, func(w time.Time) time.Time { return w }, 500)
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%s from %s (-library +ours):\n%s", text, start, d)
		}
	}
}
