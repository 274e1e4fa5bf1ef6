package nextcloudtest

import (
	"cmp"
	"encoding/json"
	"slices"
	"sync"
	"time"
)

// sharingRoot is where the app files_sharing answers.
const sharingRoot = "/ocs/v2.php/apps/files_sharing/api/v1/"

// maxShares bounds one server.
const maxShares = 20_000

// The kinds of shares.
const (
	shareUser      = 0
	shareGroup     = 1
	shareLink      = 3
	shareMail      = 4
	shareFederated = 6
	shareTeam      = 7
	shareRoom      = 10
	shareDeck      = 12
)

// SharingPolicy are an administrator's settings of sharing; the zero value is a stock Nextcloud.
type SharingPolicy struct {
	Disabled           bool // nobody may share
	NoLinks            bool // neither links nor shares by mail
	NoPublicUpload     bool // links never let people upload
	NoGroups           bool
	NoResharing        bool
	NoFederation       bool
	OnlyGroupMembers   bool // people share with members of their own groups only
	CustomTokens       bool // links may get an address of one's own
	MustAccept         bool // what comes from others waits until it is accepted
	DefaultPermissions int  // of shares that say none; 31 when zero

	EnforceLinkPassword   bool
	LinkExpireDays        int // links end after that many days by default; zero: never
	EnforceLinkExpiry     bool
	InternalExpireDays    int // the same for users and groups
	EnforceInternalExpiry bool
	RemoteExpireDays      int // the same for people of other servers
	EnforceRemoteExpiry   bool

	// RateLimit refuses the 21st share of a person within ten minutes, as Nextcloud does where its rate limits are on.
	RateLimit bool
}

// shareDesk is the sharing of all people; its zero value is ready.
type shareDesk struct {
	mu      sync.Mutex // guards the fields below
	shares  []*share
	remotes []*remoteShare
	teams   map[string]*shareCircle
	rooms   map[string]*shareCircle
	lastID  int
	created map[string][]time.Time // per user, for the rate limit
}

// share is one row of the table of shares.
type share struct {
	id          int
	kind        int
	node        *fileNode
	by          string // user id of who shared it
	with        string // user, group, address, team or room; empty for links
	permissions rights
	created     time.Time
	expires     time.Time // zero: never
	token       string
	password    string
	byTalk      bool
	note, label string
	target      string // of a kind that Nextcloud does not mount; empty for others
	mail        bool
	hide        bool
	attributes  []shareAttribute
	extra       map[string]any // what another app adds to the answer

	accepted map[string]bool // per recipient; missing: waits
	left     map[string]bool // recipients of a group who removed it for themselves
}

// shareAttribute is one entry of a share's attributes.
type shareAttribute struct {
	Scope string `json:"scope"`
	Key   string `json:"key"`
	Value any    `json:"value"`
}

// shareCircle is a team or a conversation that files can be shared with.
type shareCircle struct {
	id, name string
	members  []string
}

// AddTeam makes a team of users that files can be shared with, and returns its id. The first one owns it.
func (s *Server) AddTeam(name, owner string, members ...string) string {
	d := &s.sharing
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.teams == nil {
		d.teams = map[string]*shareCircle{}
	}
	c := &shareCircle{id: randomText(31), name: name, members: append([]string{owner}, members...)}
	d.teams[c.id] = c
	return c.id
}

// AddShareRoom makes a Talk conversation of users known to the sharing API under its token.
func (s *Server) AddShareRoom(token, name string, members ...string) {
	d := &s.sharing
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.rooms == nil {
		d.rooms = map[string]*shareCircle{}
	}
	d.rooms[token] = &shareCircle{id: token, name: name, members: members}
}

// recipients lists the users whom a share reaches.
func (s *Server) recipients(sh *share) []string {
	switch sh.kind {
	case shareUser:
		return []string{sh.with}
	case shareGroup:
		return s.membersOf(sh.with)
	case shareTeam:
		if c := s.sharing.teams[sh.with]; c != nil {
			return c.members
		}
	case shareRoom:
		if c := s.sharing.rooms[sh.with]; c != nil {
			return c.members
		}
	}
	return nil
}

// membersOf lists the users of a group; nil when there is no such group.
func (s *Server) membersOf(group string) []string {
	var ids []string
	for id, a := range s.accounts {
		if slices.Contains(a.profile().Groups, group) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (s *Server) groupExists(name string) bool {
	return name == "admin" || len(s.membersOf(name)) > 0
}

// reaches reports whether a share is for this user, accepted or not.
func (s *Server) reaches(sh *share, a *account) bool {
	return sh.owner() != a.id && sh.by != a.id && slices.Contains(s.recipients(sh), a.id)
}

// wanted reports whether a recipient shall have the share among their files.
func (s *Server) wanted(sh *share, a *account) bool {
	return s.reaches(sh, a) && sh.accepted[a.id] && !sh.left[a.id] && sh.permissions != 0
}

// mounted reports whether a recipient has the share among their files: they may have removed it there.
func (s *Server) mounted(sh *share, a *account) bool {
	return s.wanted(sh, a) && a.files.mountOf(sh.node) != nil
}

// owner is the user id of the owner of the file.
func (sh *share) owner() string { return sh.node.home.owner.id }

// settleShares makes the files of everybody fit the shares of one file.
func (s *Server) settleShares(n *fileNode) {
	n.shareTypes = nil
	given := map[string]rights{}
	for _, sh := range s.live() {
		if sh.node != n {
			continue
		}
		if !slices.Contains(n.shareTypes, sh.kind) {
			n.shareTypes = append(n.shareTypes, sh.kind)
		}
		for _, uid := range s.recipients(sh) {
			if a := s.account(uid); a != nil && s.wanted(sh, a) {
				given[uid] |= sh.permissions
			}
		}
	}
	for uid, a := range s.accounts {
		place := a.files.mountOf(n)
		switch r := given[uid]; {
		case r != 0:
			if s.opts.Sharing.NoResharing {
				r &^= mayShare
			}
			a.files.mountNode(n, r)
		case place != nil && n.home != a.files:
			s.files.detach(place)
		}
	}
}

// live lists the shares that have not ended, in the order of their kinds and ids, which is the order of lists.
func (s *Server) live() []*share {
	var found []*share
	for _, sh := range s.sharing.shares {
		if (sh.expires.IsZero() || sh.expires.After(s.now())) && sh.node.living() {
			found = append(found, sh)
		}
	}
	slices.SortStableFunc(found, func(a, b *share) int {
		return cmp.Or(cmp.Compare(listRank(a.kind), listRank(b.kind)), cmp.Compare(a.id, b.id))
	})
	return found
}

// listRank: federated shares come last in lists, the others in the order of their numbers.
func listRank(kind int) int {
	if kind == shareFederated {
		return 100
	}
	return kind
}

func (s *Server) shareByID(id string) *share {
	for _, sh := range s.live() {
		if itoaID(sh.id) == id {
			return sh
		}
	}
	return nil
}

// living reports whether a node lies among the files of its owner, and not in the trash.
func (n *fileNode) living() bool { return n.below(n.home.root) }

// seen is where a user has a file, or nil.
func seen(p spot, found bool) *spot {
	if !found {
		return nil
	}
	if !p.node.isFolder() {
		p.rights &^= mayCreate
	}
	return &p
}

// mayReshare is what decides whether somebody sees the shares that others made of a file.
func (s *Server) mayReshare(a *account, sh *share, f *spot) bool {
	return sh.owner() == a.id || (f != nil && f.rights&mayShare != 0) ||
		(sh.permissions&mayShare != 0 && (sh.kind == shareUser || sh.kind == shareGroup) && slices.Contains(s.recipients(sh), a.id))
}

func (s *Server) canAccess(sh *share, a *account, groups bool) bool {
	switch {
	case sh.permissions == 0:
		return false
	case sh.owner() == a.id, sh.by == a.id, sh.kind == shareUser && sh.with == a.id:
		return true
	case sh.kind == shareGroup && !groups:
	case sh.kind == shareGroup, sh.kind == shareRoom:
		if slices.Contains(s.recipients(sh), a.id) {
			return true
		}
	case sh.kind == shareTeam:
		return true
	}
	f := seen(a.files.byID(sh.node.id))
	return f != nil && s.mayReshare(a, sh, f)
}

func (sh *share) canEdit(a *account) bool {
	return sh.permissions != 0 && (sh.owner() == a.id || sh.by == a.id)
}

func (sh *share) canDelete(a *account) bool {
	return sh.canEdit(a) || (sh.permissions != 0 && sh.kind == shareUser && sh.with == a.id)
}

// canLeave reports whether removing the share only takes it away from this user.
func (s *Server) canLeave(sh *share, a *account) bool {
	return (sh.kind == shareGroup || sh.kind == shareRoom) && sh.owner() != a.id && sh.by != a.id && slices.Contains(s.recipients(sh), a.id)
}

// zoneOf is the time zone that a user's dates are meant in.
func zoneOf(a *account) *time.Location {
	if zone, err := time.LoadLocation(a.profile().TimeZone); err == nil {
		return zone
	}
	return time.UTC
}

// shareAttributesText is how attributes are stored and told: JSON inside of a string.
func shareAttributesText(list []shareAttribute) any {
	if list == nil {
		return nil
	}
	text, err := json.Marshal(list)
	if err != nil {
		return nil
	}
	return string(text)
}
