package nextcloud

import (
	"strconv"
	"sync"
	"testing"
)

// cacheClients are clients of two people of one host.
func cacheClients(tb testing.TB, cache *Cache) (alice, bob *Client) {
	tb.Helper()
	host := NewHost(mustURL(tb, "https://cloud.example"), &HostOptions{Cache: cache})
	return New(host, Anonymous{}, &ClientOptions{UserID: "alice"}), New(host, Anonymous{}, &ClientOptions{UserID: "bob"})
}

func TestCacheBelongsToOnePerson(t *testing.T) {
	alice, bob := cacheClients(t, nil)
	ctx := t.Context()
	alice.Store(ctx, "key", "alice's", 10)
	if v, ok := bob.Cached(ctx, "key"); ok {
		t.Errorf("bob sees %v", v)
	}
	bob.Store(ctx, "key", "bob's", 10)
	bob.Forget(ctx, "key")
	if v, _ := alice.Cached(ctx, "key"); v != "alice's" {
		t.Errorf("alice sees %v", v)
	}
	again := New(alice.Host(), Anonymous{}, &ClientOptions{UserID: "alice"})
	if v, _ := again.Cached(ctx, "key"); v != "alice's" {
		t.Errorf("alice's other client sees %v", v)
	}
}

func TestCacheBounds(t *testing.T) {
	cache := NewCache(100)
	alice, bob := cacheClients(t, cache)
	ctx := t.Context()
	alice.Store(ctx, "a", 1, 60)
	bob.Store(ctx, "b", 2, 40)
	if _, ok := alice.Cached(ctx, "a"); !ok {
		t.Error("dropped although there was room")
	}
	alice.Store(ctx, "c", 3, 30) // b is the oldest now
	if _, ok := bob.Cached(ctx, "b"); ok || cache.size != 90 {
		t.Errorf("b is there: %v, size %d, want 90", ok, cache.size)
	}
	alice.Store(ctx, "a", 4, 10) // replaced, not added
	if v, _ := alice.Cached(ctx, "a"); v != 4 || cache.size != 40 {
		t.Errorf("a = %v, size %d, want 40", v, cache.size)
	}
	alice.Store(ctx, "a", 5, 101) // the old value must not survive a new one that has no room
	if v, ok := alice.Cached(ctx, "a"); ok || cache.size != 30 {
		t.Errorf("a = %v, size %d, want 30", v, cache.size)
	}
	for i := range 1<<16 + 10 {
		alice.Store(ctx, strconv.Itoa(i), i, 0)
	}
	if n := cache.entries.Len(); n > 1<<16 {
		t.Errorf("%d entries", n)
	}
}

func TestCacheWithTwoPeopleAtOnce(t *testing.T) {
	cache := NewCache(1000)
	alice, bob := cacheClients(t, cache)
	ctx := t.Context()
	var wg sync.WaitGroup
	for _, c := range []*Client{alice, bob, alice, bob} {
		wg.Go(func() {
			user, _ := c.UserID(ctx)
			for i := range 2000 {
				key := strconv.Itoa(i % 50)
				c.Store(ctx, key, user, 7)
				if v, ok := c.Cached(ctx, key); ok && v != user {
					t.Errorf("%s sees %v", user, v)
				}
				if i%10 == 0 {
					c.Forget(ctx, key)
				}
			}
		})
	}
	wg.Wait()
	if cache.size < 0 || cache.size > 1000 || cache.size != 7*cache.entries.Len() {
		t.Errorf("size %d of %d entries", cache.size, cache.entries.Len())
	}
}
