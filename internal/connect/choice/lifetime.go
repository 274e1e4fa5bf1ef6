package choice

import "time"

// Unlimited is the lifetime that does not end.
const Unlimited = "unlimited"

// lifetimes are from the shortest to the longest; zero is for ever.
var lifetimes = []struct {
	value string
	life  time.Duration
}{
	{"1d", 24 * time.Hour},
	{"7d", 7 * 24 * time.Hour},
	{"30d", 30 * 24 * time.Hour},
	{"365d", 365 * 24 * time.Hour},
	{Unlimited, 0},
}

// Lifetimes are what people may choose from.
func Lifetimes() []string {
	out := make([]string, len(lifetimes))
	for i, l := range lifetimes {
		out[i] = l.value
	}
	return out
}

// Ends is when a connection of the chosen lifetime ends that begins now; the
// zero time is never.
func (c *Choice) Ends(now time.Time) time.Time {
	for _, l := range lifetimes {
		if l.value == c.Lifetime && l.life > 0 {
			return now.Add(l.life)
		}
	}
	return time.Time{}
}

// LifetimeOf is the shortest lifetime that, from now on, does not end before
// ends.
func LifetimeOf(ends, now time.Time) string {
	if ends.IsZero() {
		return Unlimited
	}
	for _, l := range lifetimes {
		if l.life > 0 && !now.Add(l.life).Before(ends) {
			return l.value
		}
	}
	return Unlimited
}
