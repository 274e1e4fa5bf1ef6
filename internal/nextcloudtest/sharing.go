package nextcloudtest

import (
	"cmp"
	"encoding/json"
	"path"
	"slices"
	"strings"
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

// The bits of permissions.
const (
	mayRead   = 1
	mayUpdate = 2
	mayCreate = 4
	mayDelete = 8
	mayShare  = 16
	mayAll    = 31
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
	owner       string // user id of the owner of the file
	by          string // user id of who shared it
	path        string // in the owner's files
	with        string // user, group, address, team or room; empty for links
	permissions int
	created     time.Time
	expires     time.Time // zero: never
	token       string
	password    string
	byTalk      bool
	note, label string
	target      string // where it appears for a recipient
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

// AddTeam makes a team of users that files can be shared with, and returns its id.
func (s *Server) AddTeam(name string, members ...string) string {
	d := &s.sharing
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.teams == nil {
		d.teams = map[string]*shareCircle{}
	}
	c := &shareCircle{id: randomText(31), name: name, members: members}
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
	return sh.owner != a.id && sh.by != a.id && slices.Contains(s.recipients(sh), a.id)
}

// mounted reports whether a recipient has the share among their files.
func (s *Server) mounted(sh *share, a *account) bool {
	return s.reaches(sh, a) && sh.accepted[a.id] && !sh.left[a.id] && sh.permissions != 0
}

// live lists the shares that have not ended, in the order of their kinds and ids, which is the order of lists.
func (s *Server) live() []*share {
	var found []*share
	for _, sh := range s.sharing.shares {
		if sh.expires.IsZero() || sh.expires.After(s.now()) {
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

// seenFile is a file as one user sees it.
type seenFile struct {
	*sharedFile
	path        string // in that user's files
	permissions int
	owner       string // user id
	ownerPath   string
	mount       *share // the share it came through; nil for own files
	mountRoot   bool
}

// see finds a path in a user's files, those that others shared included.
func (s *Server) see(a *account, name string) *seenFile {
	name = path.Join("/", name)
	if f := s.ownFile(a, name); f != nil {
		permissions := mayAll
		if !f.folder {
			permissions &^= mayCreate
		}
		return &seenFile{sharedFile: f, path: name, permissions: permissions, owner: a.id, ownerPath: name}
	}
	for _, sh := range s.live() {
		rest, below := strings.CutPrefix(name, sh.target)
		if !s.mounted(sh, a) || !below || (rest != "" && rest[0] != '/') {
			continue
		}
		if f := s.ownFile(s.account(sh.owner), sh.path+rest); f != nil {
			return &seenFile{
				sharedFile: f, path: name, permissions: s.mountPermissions(a, sh), owner: sh.owner, ownerPath: path.Join(sh.path, rest),
				mount: sh, mountRoot: rest == "",
			}
		}
	}
	return nil
}

// seeNode finds where a user has a file of another user: the path of the first share that reaches it.
func (s *Server) seeNode(a *account, owner, ownerPath string) *seenFile {
	if a.id == owner {
		return s.see(a, ownerPath)
	}
	for _, sh := range s.live() {
		rest, below := strings.CutPrefix(ownerPath, sh.path)
		if sh.owner == owner && below && (rest == "" || rest[0] == '/') && s.mounted(sh, a) {
			return s.see(a, sh.target+rest)
		}
	}
	return nil
}

// mountPermissions adds up what all shares of the same file give to a user.
func (s *Server) mountPermissions(a *account, mount *share) int {
	permissions := 0
	for _, sh := range s.live() {
		if sh.owner == mount.owner && sh.path == mount.path && s.mounted(sh, a) {
			permissions |= sh.permissions
		}
	}
	if s.opts.Sharing.NoResharing {
		permissions &^= mayShare
	}
	return permissions
}

// mayReshare is what decides whether somebody sees the shares that others made of a file.
func (s *Server) mayReshare(a *account, sh *share, f *seenFile) bool {
	return sh.owner == a.id || (f != nil && f.permissions&mayShare != 0) ||
		(sh.permissions&mayShare != 0 && (sh.kind == shareUser || sh.kind == shareGroup) && slices.Contains(s.recipients(sh), a.id))
}

func (s *Server) canAccess(sh *share, a *account, groups bool) bool {
	switch {
	case sh.permissions == 0:
		return false
	case sh.owner == a.id, sh.by == a.id, sh.kind == shareUser && sh.with == a.id:
		return true
	case sh.kind == shareGroup && !groups:
	case sh.kind == shareGroup, sh.kind == shareRoom:
		if slices.Contains(s.recipients(sh), a.id) {
			return true
		}
	case sh.kind == shareTeam:
		return true
	}
	f := s.seeNode(a, sh.owner, sh.path)
	return f != nil && s.mayReshare(a, sh, f)
}

func (sh *share) canEdit(a *account) bool {
	return sh.permissions != 0 && (sh.owner == a.id || sh.by == a.id)
}

func (sh *share) canDelete(a *account) bool {
	return sh.canEdit(a) || (sh.permissions != 0 && sh.kind == shareUser && sh.with == a.id)
}

// canLeave reports whether removing the share only takes it away from this user.
func (s *Server) canLeave(sh *share, a *account) bool {
	return (sh.kind == shareGroup || sh.kind == shareRoom) && sh.owner != a.id && sh.by != a.id && slices.Contains(s.recipients(sh), a.id)
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
