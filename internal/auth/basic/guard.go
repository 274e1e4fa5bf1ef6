package basic

import (
	"net/netip"
	"strings"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// How many refused credentials reach Nextcloud.
const (
	// Nextcloud shuts an address out that sent ten or twelve of them within
	// half an hour, and this server is one address. Clocks differ a little.
	window = 31 * time.Minute
	maxNew = 6 // of credentials that were never good
	maxAll = 8 // of any: people who signed in before are not locked out by strangers

	shortWindow   = 10 * time.Minute
	maxPerLogin   = 3
	maxPerAddress = 4 // so that no one address uses up what all share
)

// guard counts refusals, and the checks under way that may become some.
type guard struct {
	all       *tally
	logins    *simplelru.LRU[string, *tally]
	addresses *simplelru.LRU[netip.Prefix, *tally]
}

// maxTallies bounds what is counted apart. There can be no more refusals than
// maxAll in a window, so it only has to hold what is under way.
const maxTallies = 1024

func newGuard() *guard {
	g := &guard{all: &tally{window: window}}
	// An error says only that the size is no size.
	g.logins, _ = simplelru.NewLRU[string, *tally](maxTallies, nil)
	g.addresses, _ = simplelru.NewLRU[netip.Prefix, *tally](maxTallies, nil)
	return g
}

// tally counts for one login name, one address or all.
type tally struct {
	window  time.Duration
	refused []time.Time // within the window, the oldest first
	pending int         // checks under way
}

func (t *tally) note(now time.Time) {
	t.forgetOld(now)
	t.refused = append(t.refused, now)
}

func (t *tally) forgetOld(now time.Time) {
	for len(t.refused) > 0 && now.Sub(t.refused[0]) >= t.window {
		t.refused = t.refused[1:]
	}
}

// place is a tally with the limit that holds for one attempt.
type place struct {
	*tally
	limit int
}

// places are all that an attempt needs a place in.
type places []place

// places are what an attempt counts for. provenBefore says that the
// credentials were good once: those need no more than the last places of all.
func (g *guard) places(loginName string, client netip.Addr, provenBefore bool, now time.Time) places {
	g.all.forgetOld(now)
	switch {
	case provenBefore:
		return places{{g.all, maxAll}}
	case len(g.all.refused) >= maxNew:
		return places{{g.all, maxNew}} // nothing more to count for strangers
	}
	// Nextcloud's login names are the same in any case.
	login := of(g.logins, strings.ToLower(loginName))
	address := of(g.addresses, network(client))
	return places{{g.all, maxNew}, {login, maxPerLogin}, {address, maxPerAddress}}
}

func of[K comparable](tallies *simplelru.LRU[K, *tally], key K) *tally {
	t, ok := tallies.Get(key)
	if !ok {
		t = &tally{window: shortWindow}
		tallies.Add(key, t)
	}
	return t
}

// network is what one person has of addresses: one of IPv4, a /64 of IPv6.
func network(client netip.Addr) netip.Prefix {
	client = client.Unmap()
	bits := 64
	if client.Is4() {
		bits = 32
	}
	p, err := client.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// free reports whether an attempt may begin. When it may not, wait says for how
// long; zero means until a check under way ends.
func (p places) free(now time.Time) (free bool, wait time.Duration) {
	free = true
	for _, in := range p {
		in.forgetOld(now)
		if n := len(in.refused); n >= in.limit {
			wait = max(wait, in.refused[n-in.limit].Add(in.window).Sub(now))
		}
		if len(in.refused)+in.pending >= in.limit {
			free = false
		}
	}
	return free, wait
}

func (p places) enter() {
	for _, in := range p {
		in.pending++
	}
}

func (p places) leave(refused bool, now time.Time) {
	for _, in := range p {
		in.pending--
		if refused {
			in.note(now)
		}
	}
}
