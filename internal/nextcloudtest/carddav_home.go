package nextcloudtest

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Names of the address books that the server makes itself.
const (
	systemBook = "z-server-generated--system"
	recentBook = "z-app-generated--contactsinteraction--recent"
)

// Bounds of one account. Nextcloud lets a person have ten address books.
const (
	maxAddressBooks = 10
	maxCards        = 20_000
	maxCardSize     = 5 << 20
)

// bookKind tells what may be done with an address book.
type bookKind int

const (
	bookOwn    bookKind = iota
	bookSystem          // the accounts of the server: read-only
	bookRecent          // made by an app: read-only, without a sync token
)

// cardHome is the address books of one user.
type cardHome struct {
	// lock is one for all homes of a server, because shares reach from one account into another. It guards the fields
	// below.
	lock   *sync.Mutex
	uid    string
	now    func() time.Time
	books  []*addressBook
	recent *addressBook
	system *addressBook // one for all homes
	shared []*sharedBook
}

// newCardHome makes what a new Nextcloud account has: one address book, the accounts of the server, and the people that
// were contacted lately.
func newCardHome(s *Server, u User) *cardHome {
	h := &cardHome{lock: &sync.Mutex{}, uid: u.ID, now: s.now}
	for _, other := range s.accounts {
		h.lock, h.system = other.cards.lock, other.cards.system
	}
	if h.system == nil {
		h.system = newAddressBook("system", systemBook, leaf(nsDAV, "displayname", "Accounts"),
			leaf(nsCardDAV, "addressbook-description", "System address book which holds all accounts"))
		h.system.kind = bookSystem
	}
	h.create("contacts", leaf(nsDAV, "displayname", "Contacts"))
	h.recent = newAddressBook(u.ID, recentBook, leaf(nsDAV, "displayname", "Recently contacted"))
	h.recent.kind = bookRecent
	h.recent.token = int(s.now().Unix())
	h.introduce(u)
	return h
}

// introduce puts the account of a user into the system address book.
func (h *cardHome) introduce(u User) {
	lines := []string{
		"BEGIN:VCARD", "VERSION:3.0", "PRODID:-//Sabre//Sabre VObject 4.5.6//EN", "UID:" + u.ID,
		"FN;X-NC-SCOPE=v2-federated:" + u.DisplayName, "N;X-NC-SCOPE=v2-federated:" + u.DisplayName + ";;;;",
	}
	if u.Email != "" {
		lines = append(lines, "EMAIL;TYPE=OTHER;X-NC-SCOPE=v2-federated:"+u.Email)
	}
	lines = append(lines, "CLOUD:"+u.ID+"@nextcloud.example", "END:VCARD", "")
	h.store(h.system, "Database:"+u.ID+".vcf", strings.Join(lines, "\r\n"), u.ID)
}

// addressBook is one collection.
type addressBook struct {
	owner   string
	uri     string
	kind    bookKind
	props   map[xml.Name]*xmlNode
	cards   map[string]*card
	token   int
	changes []calendarChange
	invites []calendarInvite
}

// sharedBook is another user's address book in a home.
type sharedBook struct {
	*addressBook
	readWrite bool
}

// card is one .vcf; data is what the client sent unless the server had to repair it.
type card struct {
	uri      string
	data     string
	uid      string
	modified time.Time
}

func (o *card) etag() string { return `"` + md5Hex(o.data) + `"` }

func newAddressBook(owner, uri string, props ...*xmlNode) *addressBook {
	b := &addressBook{owner: owner, uri: uri, token: 1, props: map[xml.Name]*xmlNode{}, cards: map[string]*card{}}
	for _, p := range props {
		b.props[p.name] = p
	}
	return b
}

// create adds an own address book.
func (h *cardHome) create(uri string, props ...*xmlNode) *addressBook {
	b := newAddressBook(h.uid, uri, props...)
	h.books = append(h.books, b)
	return b
}

func (b *addressBook) displayName() string {
	if p, ok := b.props[xml.Name{Space: nsDAV, Local: "displayname"}]; ok {
		return p.text
	}
	return ""
}

func (b *addressBook) syncToken() string { return syncPrefix + strconv.Itoa(b.token) }

// changed writes the change log and moves the sync token.
func (b *addressBook) changed(uri string, deleted bool) {
	b.token++
	b.changes = append(b.changes, calendarChange{token: b.token, uri: uri, deleted: deleted})
}

// sorted returns the cards in the order of their names, as the database index yields them.
func (b *addressBook) sorted() []*card {
	cards := make([]*card, 0, len(b.cards))
	for _, o := range b.cards {
		cards = append(cards, o)
	}
	slices.SortFunc(cards, func(a, b *card) int { return strings.Compare(a.uri, b.uri) })
	return cards
}

func (b *addressBook) byUID(uid string) *card {
	for _, o := range b.cards {
		if o.uid == uid {
			return o
		}
	}
	return nil
}

// store creates or replaces a card without asking anything.
func (h *cardHome) store(b *addressBook, uri, data, uid string) *card {
	o, ok := b.cards[uri]
	if !ok {
		o = &card{uri: uri}
		b.cards[uri] = o
	}
	o.data, o.uid, o.modified = data, uid, h.now()
	b.changed(uri, false)
	return o
}

// bookView is an address book as one user sees it.
type bookView struct {
	*addressBook
	home   *cardHome
	name   string // last segment of its path
	shared bool
	write  bool
}

func (v *bookView) href() string { return davHref("addressbooks", "users", v.home.uid, v.name) + "/" }

func (v *bookView) cardHref(uri string) string {
	return davHref("addressbooks", "users", v.home.uid, v.name, uri)
}

// views lists the address books of a home in Nextcloud's order.
func (h *cardHome) views() []*bookView {
	var views []*bookView
	for _, b := range h.books {
		views = append(views, &bookView{addressBook: b, home: h, name: b.uri, write: true})
	}
	for _, s := range h.shared {
		views = append(views, &bookView{addressBook: s.addressBook, home: h, name: s.uri + "_shared_by_" + s.owner, shared: true, write: s.readWrite})
	}
	return append(views,
		&bookView{addressBook: h.system, home: h, name: systemBook},
		&bookView{addressBook: h.recent, home: h, name: recentBook})
}

func (h *cardHome) find(name string) *bookView {
	for _, v := range h.views() {
		if v.name == name {
			return v
		}
	}
	return nil
}

// AddCard stores a vCard of a user as another program would have left it there, without looking whether the server would
// take it, and makes the address book when it is missing.
func (s *Server) AddCard(userID, book, file, vcard string) {
	a := s.account(userID)
	if a == nil {
		return
	}
	a.cards.lock.Lock()
	defer a.cards.lock.Unlock()
	view := a.cards.find(book)
	if view == nil {
		a.cards.create(book, leaf(nsDAV, "displayname", book))
		view = a.cards.find(book)
	}
	uid := ""
	if v, err := parseVCard(vcard); err == nil {
		uid = v.value("UID")
	}
	a.cards.store(view.addressBook, file, vcard, uid)
}

// ShareAddressBook gives a user's address book to another one.
func (s *Server) ShareAddressBook(owner, book, with string, readWrite bool) error {
	a, other := s.account(owner), s.account(with)
	if a == nil || other == nil {
		return fmt.Errorf("no user %s or %s", owner, with)
	}
	a.cards.lock.Lock()
	defer a.cards.lock.Unlock()
	view := a.cards.find(book)
	if view == nil || view.shared || view.kind != bookOwn {
		return fmt.Errorf("no address book %s", book)
	}
	(&cardServer{people: accountDirectory{s}}).share(view.addressBook, with, readWrite)
	return nil
}
