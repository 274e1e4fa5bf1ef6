package nextcloudtest

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Kinds of conversations, as Talk numbers them.
const (
	talkOneToOne   = 1
	talkGroup      = 2
	talkPublic     = 3
	talkChangelog  = 4
	talkNoteToSelf = 6
)

// Roles of participants, as Talk numbers them.
const (
	talkOwner     = 1
	talkModerator = 2
	talkMember    = 3
)

// talkHall holds all conversations; the zero value is ready.
type talkHall struct {
	mu           sync.Mutex // guards the fields below
	rooms        []*talkRoom
	settled      map[string]bool // users who have their first conversations
	lastRoom     int
	lastMessage  int
	lastAttendee int
	lastPoll     int
	traces       map[string]int // by user, see TalkTraces
}

type talkRoom struct {
	id, kind        int
	token           string
	name            string
	description     string
	objectType      string
	objectID        string
	readOnly, lobby bool
	lastActivity    int64
	people          []*talkPerson
	messages        []*talkMessage // oldest first
	lastShown       *talkMessage   // the newest that is no mere note of a change
}

type talkPerson struct {
	attendee int
	user     string
	role     int
	favorite bool
	lastRead int
}

type talkMessage struct {
	id                       int
	token                    string // of its conversation
	at                       int64
	actorType, actorID, name string
	text                     string
	params                   map[string]any
	system                   string
	parent                   *talkMessage
	reactions                map[string][]talkReaction
	reference                string
	deleted                  bool
	editor                   *account
	edited                   int64
}

type talkReaction struct {
	actor *account
	at    int64
}

// SampleConversation is a conversation of Talk to put into a Nextcloud before a test or demo runs.
type SampleConversation struct {
	Name        string
	Description string
	Users       []string // ids; the first one owns it
	OneToOne    bool
	Public      bool
	ReadOnly    bool // nobody can write any more
	Lobby       bool // only moderators come in
	Messages    []SampleMessage
}

// SampleMessage is one message of a SampleConversation.
type SampleMessage struct {
	User      string
	Text      string
	ReplyTo   int // number of an earlier message, from 1
	File      string
	Reactions map[string][]string // emoji -> users
	Age       time.Duration
}

// AddConversation makes a conversation and returns its token and the ids of its messages.
func (s *Server) AddConversation(in SampleConversation) (token string, messages []int) {
	s.talk.mu.Lock()
	defer s.talk.mu.Unlock()
	kind := talkGroup
	switch {
	case in.OneToOne:
		kind = talkOneToOne
	case in.Public:
		kind = talkPublic
	}
	room := s.newTalkRoom(kind, in.Name, s.account(in.Users[0]))
	room.description = in.Description
	for _, id := range in.Users[1:] {
		s.addTalkPerson(room, id)
	}
	for _, m := range in.Messages {
		sent := s.sayTalk(room, s.account(m.User), m.Text)
		sent.at -= int64(m.Age / time.Second)
		room.lastActivity = sent.at
		if m.ReplyTo > 0 {
			sent.parent = room.find(messages[m.ReplyTo-1])
		}
		if m.File != "" {
			sent.text, sent.params["file"] = "{file}", map[string]any{
				"type": "file", "id": strconv.Itoa(s.FileID(m.User, m.File)), "name": m.File[strings.LastIndex(m.File, "/")+1:],
				"path": strings.TrimPrefix(m.File, "/"), "link": "/f/" + strconv.Itoa(s.FileID(m.User, m.File)), "size": "12", "mimetype": "text/markdown",
			}
		}
		for emoji, users := range m.Reactions {
			for _, id := range users {
				sent.reactions[emoji] = append(sent.reactions[emoji], talkReaction{s.account(id), s.now().Unix()})
			}
		}
		messages = append(messages, sent.id)
	}
	room.readOnly, room.lobby = in.ReadOnly, in.Lobby
	return room.token, messages
}

// TalkTraces is how often a user's reading of Talk was seen by others or moved a mark: their status became online, a
// conversation was marked as read, or a notification about it was.
func (s *Server) TalkTraces(userID string) int {
	s.talk.mu.Lock()
	defer s.talk.mu.Unlock()
	return s.talk.traces[userID]
}

// traced counts a trace. The hall is locked.
func (h *talkHall) traced(userID string) {
	if h.traces == nil {
		h.traces = map[string]int{}
	}
	h.traces[userID]++
}

// newTalkRoom makes a conversation that its owner has just created. The hall is locked.
func (s *Server) newTalkRoom(kind int, name string, owner *account) *talkRoom {
	h := &s.talk
	h.lastRoom++
	room := &talkRoom{id: h.lastRoom, kind: kind, token: strings.ToLower(randomText(8)), name: name, lastActivity: s.now().Unix()}
	h.rooms = append(h.rooms, room)
	h.lastAttendee++
	role := talkOwner
	if kind == talkChangelog {
		role = talkMember
	}
	room.people = append(room.people, &talkPerson{attendee: h.lastAttendee, user: owner.id, role: role})
	if kind != talkChangelog {
		s.noteTalk(room, owner, "conversation_created", "{actor} created the conversation", nil)
		room.people[0].lastRead = h.lastMessage
	}
	return room
}

// addTalkPerson adds a user, who has read everything so far. The hall is locked.
func (s *Server) addTalkPerson(room *talkRoom, userID string) {
	if room.person(userID) != nil {
		return
	}
	s.talk.lastAttendee++
	p := &talkPerson{attendee: s.talk.lastAttendee, user: userID, role: talkMember, lastRead: s.talk.lastMessage}
	if room.kind == talkOneToOne {
		p.role = talkOwner
	}
	room.people = append(room.people, p)
}

// settleTalk gives a user the two conversations that everybody has, as Talk does when it is first opened. The hall is
// locked.
func (s *Server) settleTalk(a *account) {
	if s.talk.settled[a.id] {
		return
	}
	if s.talk.settled == nil {
		s.talk.settled = map[string]bool{}
	}
	s.talk.settled[a.id] = true
	news := s.newTalkRoom(talkChangelog, a.id, a)
	news.readOnly = true
	s.talk.lastMessage++
	news.add(&talkMessage{
		id: s.talk.lastMessage, at: s.now().Unix(), actorType: "bots", actorID: "changelog", name: talkNews,
		text: "## New in Talk\n- Search for messages of the current conversation in the right sidebar", params: map[string]any{}, reactions: map[string][]talkReaction{},
	})
	own := s.newTalkRoom(talkNoteToSelf, "Note to self", a)
	own.objectType, own.objectID, own.description = "note_to_self", a.id, "A place for your private notes, thoughts and ideas"
	own.people[0].favorite = true
}

// talkNews is the name of the changelog.
const talkNews = "Talk updates ✅"

// noteTalk adds a message of the system. The hall is locked.
func (s *Server) noteTalk(room *talkRoom, a *account, system, text string, params map[string]any) *talkMessage {
	s.talk.lastMessage++
	all := map[string]any{"actor": talkUser(a)}
	maps.Copy(all, params)
	m := &talkMessage{
		id: s.talk.lastMessage, at: s.now().Unix(), actorType: "users", actorID: a.id, name: a.profile().DisplayName, text: text, params: all,
		system: system, reactions: map[string][]talkReaction{},
	}
	room.add(m)
	return m
}

var talkMention = regexp.MustCompile(`@"([^"]+)"|@([a-zA-Z0-9._-]*[a-zA-Z0-9])`)

// sayTalk adds a message of a user, who has read everything then. The hall is locked.
func (s *Server) sayTalk(room *talkRoom, a *account, text string) *talkMessage {
	s.talk.lastMessage++
	m := &talkMessage{
		id: s.talk.lastMessage, at: s.now().Unix(), actorType: "users", actorID: a.id, name: a.profile().DisplayName, params: map[string]any{},
		reactions: map[string][]talkReaction{},
	}
	m.text = s.mentions(room, text, m.params)
	room.add(m)
	if p := room.person(a.id); p != nil {
		p.lastRead = m.id
	}
	return m
}

// mentions replaces the people a text names by placeholders.
func (s *Server) mentions(room *talkRoom, text string, params map[string]any) string {
	n := 0
	return talkMention.ReplaceAllStringFunc(text, func(found string) string {
		id := strings.Trim(found, `@"`)
		switch {
		case id == "all":
			params["mention-call1"] = map[string]any{"type": "call", "id": room.token, "name": room.name, "mention-id": "all"}
			return "{mention-call1}"
		case s.account(id) == nil:
			return found
		}
		n++
		key := "mention-user" + strconv.Itoa(n)
		params[key] = talkUser(s.account(id))
		return "{" + key + "}"
	})
}

// talkUser is a user as a rich object.
func talkUser(a *account) map[string]any {
	return map[string]any{"type": "user", "id": a.id, "name": a.profile().DisplayName, "mention-id": a.id}
}

// talkHidden are the messages that only tell of a change of another one.
var talkHidden = []string{"message_edited", "message_deleted", "reaction", "reaction_revoked", "reaction_deleted", "poll_voted"}

func (r *talkRoom) add(m *talkMessage) {
	m.token = r.token
	r.messages = append(r.messages, m)
	if !slices.Contains(talkHidden, m.system) {
		r.lastShown, r.lastActivity = m, m.at
	}
}

func (r *talkRoom) find(id int) *talkMessage {
	i := slices.IndexFunc(r.messages, func(m *talkMessage) bool { return m.id == id })
	if i < 0 {
		return nil
	}
	return r.messages[i]
}

func (r *talkRoom) person(userID string) *talkPerson {
	i := slices.IndexFunc(r.people, func(p *talkPerson) bool { return p.user == userID })
	if i < 0 {
		return nil
	}
	return r.people[i]
}

// moderates tells whether a person may change the conversation.
func (p *talkPerson) moderates() bool { return p.role == talkOwner || p.role == talkModerator }

// commonRead is the newest message that everybody has read.
func (r *talkRoom) commonRead() int {
	low := r.people[0].lastRead
	for _, p := range r.people {
		low = min(low, p.lastRead)
	}
	return low
}
