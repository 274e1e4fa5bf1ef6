package nextcloud

import (
	"context"
	"sync"
	"time"
)

// appsAge is how long a list of apps is taken for true.
const appsAge = time.Minute

const appsKey = "apps"

// Apps are the apps that one person can use, by id ("spreed" is Talk).
type Apps struct {
	ids  map[string]bool
	read time.Time
}

// Has reports whether the person can use the app.
func (a *Apps) Has(id string) bool { return a.ids[id] }

// Apps asks which apps the person can use, at most once a minute. It works for
// people who are no administrators.
func (c *Client) Apps(ctx context.Context) (*Apps, error) {
	if known := c.KnownApps(); known != nil {
		return known, nil
	}
	apps, err := c.shownApps(ctx)
	if err != nil {
		return nil, err
	}
	apps.read = time.Now()
	c.Store(ctx, appsKey, apps, 64*(1+len(apps.ids)))
	return apps, nil
}

// KnownApps is what Apps found out within the last minute; nil when it has to
// ask.
func (c *Client) KnownApps() *Apps {
	c.mu.Lock()
	user := c.user
	c.mu.Unlock()
	if user == "" {
		return nil
	}
	v, ok := c.host.cache.get(cacheKey{user, appsKey})
	if !ok {
		return nil
	}
	apps, ok := v.(*Apps)
	if !ok || time.Since(apps.read) > appsAge {
		return nil
	}
	return apps
}

// shownApps are the apps of the person's menu and those that announce
// capabilities; the apps that tools need do one or the other.
//
// Nextcloud: cloud/user/apps would be the list itself, but 34 still answers it
// to administrators of groups only.
func (c *Client) shownApps(ctx context.Context) (*Apps, error) {
	var menu []struct {
		ID  string `json:"id"`
		App string `json:"app"`
	}
	var data struct {
		Capabilities map[string]any `json:"capabilities"`
	}
	var wg sync.WaitGroup
	var noMenu, noCapabilities error
	wg.Go(func() {
		noMenu = c.OCS(ctx, Request{Op: "ask for the menu", Path: "/ocs/v2.php/core/navigation/apps"}, &menu)
	})
	wg.Go(func() {
		noCapabilities = c.OCS(ctx, Request{Op: "ask for the capabilities", Path: "/ocs/v2.php/cloud/capabilities"}, &data)
	})
	wg.Wait()
	switch {
	case noMenu != nil:
		return nil, noMenu
	case noCapabilities != nil:
		return nil, noCapabilities
	case len(menu) == 0:
		return nil, &Error{Op: "ask for the menu", Kind: ErrBadAnswer, Status: 200, Message: "the menu is empty"}
	}
	apps := &Apps{ids: map[string]bool{}}
	for _, entry := range menu {
		apps.ids[entry.ID], apps.ids[entry.App] = true, true
	}
	for id := range data.Capabilities {
		apps.ids[id] = true
	}
	return apps, nil
}
