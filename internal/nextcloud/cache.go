package nextcloud

import (
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Cache is one bounded memory for all people's clients of a process. A client
// sees only the entries of its own person.
type Cache struct {
	limit int

	mu      sync.Mutex // guards the fields below
	entries *simplelru.LRU[cacheKey, cacheEntry]
	size    int
}

type cacheKey struct {
	user UserID
	key  string
}

type cacheEntry struct {
	value any
	size  int
}

// NewCache is a cache that holds at most limit bytes, as its users count them.
func NewCache(limit int) *Cache {
	c := &Cache{limit: limit}
	// The count of entries is bounded too, so that tiny entries cannot pile up.
	entries, err := simplelru.NewLRU(1<<16, func(_ cacheKey, e cacheEntry) { c.size -= e.size })
	if err != nil {
		panic(err) // only for a size below one
	}
	c.entries = entries
	return c
}

func (c *Cache) get(k cacheKey) (any, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries.Get(k)
	return e.value, ok
}

func (c *Cache) put(k cacheKey, value any, size int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries.Remove(k)
	if size > c.limit {
		return
	}
	for c.size+size > c.limit {
		c.entries.RemoveOldest()
	}
	c.entries.Add(k, cacheEntry{value, size})
	c.size += size
}

func (c *Cache) remove(k cacheKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries.Remove(k)
}
