package mail

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

// MaxLimit is the longest page of messages.
const MaxLimit = 100

// Query says which messages to list.
type Query struct {
	MailboxID int64
	Filter    string // see Filter; already in the app's own form
	Limit     int    // 1 to MaxLimit
	Cursor    string // Page.Next of the page before; empty for the first page
	Threads   bool   // only the newest message of each thread
}

// Page is a part of a mailbox, newest first.
type Page struct {
	Messages []Message
	Next     string // empty at the end
	Skipped  []lenient.Skipped
}

// place is where a list goes on: at a second, without the messages of that
// second that were listed already. The app itself knows only the second, and
// would leave out what arrived within it.
type place struct {
	second int64
	seen   []int64
}

// maxSeen bounds the messages of one second.
const maxSeen = MaxLimit - 1

func (p place) String() string {
	ids := make([]string, 0, len(p.seen))
	for _, id := range p.seen {
		ids = append(ids, number(id))
	}
	return number(p.second) + ":" + strings.Join(ids, ",")
}

func parsePlace(text string) (place, error) {
	bad := invalid("list messages", strconv.Quote(text)+" is no cursor of this list")
	second, ids, ok := strings.Cut(text, ":")
	p := place{}
	var err error
	if p.second, err = strconv.ParseInt(second, 10, 64); err != nil || !ok || p.second < 0 || len(text) > 4000 {
		return place{}, bad
	}
	for id := range strings.SplitSeq(ids, ",") {
		if id == "" {
			continue
		}
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil || n <= 0 || len(p.seen) >= maxSeen {
			return place{}, bad
		}
		p.seen = append(p.seen, n)
	}
	return p, nil
}

// List is a page of a mailbox.
func (c *Client) List(ctx context.Context, q Query) (*Page, error) {
	if q.Limit < 1 || q.Limit > MaxLimit {
		return nil, invalid("list messages", "limit has to be between 1 and "+strconv.Itoa(MaxLimit))
	}
	var from place
	ask := q.Limit
	// Nextcloud: without a limit, the app answers one message.
	v := url.Values{"view": {"singleton"}}
	if q.Threads {
		v.Set("view", "threaded")
	}
	if q.Filter != "" {
		v.Set("filter", q.Filter)
	}
	if q.Cursor != "" {
		var err error
		if from, err = parsePlace(q.Cursor); err != nil {
			return nil, err
		}
		ask = min(MaxLimit, q.Limit+len(from.seen))
		v.Set("cursor", number(from.second+1))
	}
	v.Set("limit", strconv.Itoa(ask))
	list, err := c.messages(ctx, q.MailboxID, v)
	if err != nil {
		return nil, err
	}
	page := &Page{Messages: []Message{}, Skipped: list.Skipped}
	for i := range list.Items {
		if m := list.Items[i].message(); len(page.Messages) < q.Limit && !slices.Contains(from.seen, m.ID) {
			page.Messages = append(page.Messages, m)
		}
	}
	if len(list.Items)+len(list.Skipped) >= ask {
		page.Next = from.after(page)
	}
	return page, nil
}

// after is the place behind a page.
func (p place) after(page *Page) string {
	if len(page.Messages) == 0 {
		if len(p.seen) == 0 {
			return "" // nothing but what cannot be read: there is no place behind it
		}
		// More messages within one second than a page can hold.
		page.Skipped = append(page.Skipped, lenient.Skipped{Why: "there are too many messages of the same second to list them all"})
		return place{second: p.second - 1}.String()
	}
	next := place{second: page.Messages[len(page.Messages)-1].Date}
	if next.second == p.second {
		next.seen = slices.Clone(p.seen)
	}
	for _, m := range page.Messages {
		if m.Date == next.second {
			next.seen = append(next.seen, m.ID)
		}
	}
	if len(next.seen) > maxSeen {
		next = place{second: next.second - 1}
		page.Skipped = append(page.Skipped, lenient.Skipped{Why: "there may be more messages of the same second than could be listed"})
	}
	return next.String()
}

func (c *Client) messages(ctx context.Context, mailboxID int64, v url.Values) (*lenient.List[wireMessage], error) {
	op := "list the messages of mailbox " + number(mailboxID)
	own := url.Values{"mailboxId": {number(mailboxID)}}
	maps.Copy(own, v)
	var list lenient.List[wireMessage]
	err := c.either(ctx, op,
		nextcloud.Request{Path: path(ocsBase+"/ocs/mailboxes", number(mailboxID), "messages"), Query: v},
		nextcloud.Request{Path: ownBase + "/messages", Query: own}, &list, &list)
	if e, ok := errors.AsType[*nextcloud.Error](err); ok && e.Status == http.StatusInternalServerError {
		// Nextcloud: what the app's own API says in a name, OCS says in no word.
		e.Message = "the Mail app could not list it. If " + notCached
	}
	return &list, err
}

// Refresh has the app fetch what is new from the mail server. A mailbox that
// was never opened is fetched as a whole, which can take several calls.
func (c *Client) Refresh(ctx context.Context, mailboxID int64) (complete bool, err error) {
	op := "fetch new messages"
	res, err := c.nc.Do(ctx, nextcloud.Request{
		Op: op, Method: http.MethodPost, Path: path(ownBase+"/mailboxes", number(mailboxID), "sync"), Type: "application/json",
		// Without known ids the answer names no messages; they are listed next.
		Body: nextcloud.JSONBody(map[string]any{"ids": []int{}, "lastMessageTimestamp": time.Now().Unix(), "init": true, "sortOrder": "newest"}),
	})
	if err != nil {
		return false, explain(err)
	}
	return res.Status != http.StatusAccepted, nil
}
