package nextcloudtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// talkCapability is what Talk announces, as far as clients of its API need it.
func talkCapability() map[string]any {
	return map[string]any{
		"features": []string{
			"chat-v2", "conversation-v4", "favorites", "system-messages", "delete-messages", "listable-rooms", "chat-read-marker", "chat-unread", "chat-replies",
			"rich-object-sharing", "unified-search", "silent-send", "talk-polls", "chat-get-context", "chat-keep-notifications", "note-to-self", "edit-messages",
			"delete-messages-unlimited", "chat-read-last", "chat-reference-id", "archived-conversations-v2", "message-expiration", "reactions",
		},
		"features-local": []string{"favorites"},
		"config": map[string]any{
			"attachments": map[string]any{"allowed": true, "folder": "/Talk"}, "chat": map[string]any{"max-length": maxTalkMessage, "read-privacy": 0},
			"conversations": map[string]any{"can-create": true, "description-length": 2000},
		},
		"config-local": map[string]any{"chat": []string{"read-privacy"}},
		"version":      "21.1.0",
	}
}

const (
	talkRooms = "/ocs/v2.php/apps/spreed/api/v4/room"
	talkChats = "/ocs/v2.php/apps/spreed/api/v1/chat/{token}"
)

func (s *Server) routesTalk() {
	s.handle("GET "+talkRooms, familyOCS, s.listTalk)
	s.handle("POST "+talkRooms, familyOCS, s.createTalk)
	s.handle("GET /ocs/v2.php/apps/spreed/api/v4/listed-room", familyOCS, func(w http.ResponseWriter, r *http.Request, _ *account) {
		writeOCS(w, r, noData)
	})
	s.handle("GET "+talkRooms+"/note-to-self", familyOCS, func(w http.ResponseWriter, r *http.Request, a *account) {
		s.talk.mu.Lock()
		defer s.talk.mu.Unlock()
		s.settleTalk(a)
		i := slices.IndexFunc(s.talk.rooms, func(room *talkRoom) bool { return room.kind == talkNoteToSelf && room.objectID == a.id })
		if i < 0 {
			writeOCSFailure(w, r, http.StatusNotFound, "")
			return
		}
		writeOCS(w, r, s.roomAnswer(s.talk.rooms[i], a))
	})
	s.inTalk("GET "+talkRooms+"/{token}", func(x *talkCall) { x.ok(s.roomAnswer(x.room, x.a)) })
	s.inTalk("PUT "+talkRooms+"/{token}", func(x *talkCall) { x.moderate(x.rename) })
	s.inTalk("DELETE "+talkRooms+"/{token}", func(x *talkCall) {
		x.moderate(func() {
			s.talk.rooms = slices.DeleteFunc(s.talk.rooms, func(room *talkRoom) bool { return room == x.room })
			x.ok(nil)
		})
	})
	s.inTalk("PUT "+talkRooms+"/{token}/description", func(x *talkCall) {
		x.moderate(func() {
			x.room.description = x.p["description"]
			s.noteTalk(x.room, x.a, "description_set", "{actor} set the description", nil)
			x.ok(s.roomAnswer(x.room, x.a))
		})
	})
	s.inTalk("POST "+talkRooms+"/{token}/favorite", func(x *talkCall) {
		x.me.favorite = true
		x.ok(s.roomAnswer(x.room, x.a))
	})
	s.inTalk("GET "+talkRooms+"/{token}/participants", func(x *talkCall) { x.admitted(x.people) })
	s.inTalk("POST "+talkRooms+"/{token}/participants", func(x *talkCall) { x.moderate(x.invite) })
	s.inTalk("DELETE "+talkRooms+"/{token}/attendees", func(x *talkCall) { x.moderate(x.dismiss) })
	s.routesTalkChat()
}

// talkCall is a request in one conversation by somebody who takes part in it. The hall is locked.
type talkCall struct {
	s    *Server
	w    http.ResponseWriter
	r    *http.Request
	a    *account
	room *talkRoom
	me   *talkPerson
	p    shareParams
}

// inTalk registers a route below a conversation. Nextcloud: one that the user does not take part in is not found.
func (s *Server) inTalk(pattern string, do func(*talkCall)) {
	s.handle(pattern, familyOCS, func(w http.ResponseWriter, r *http.Request, a *account) {
		s.talk.mu.Lock()
		defer s.talk.mu.Unlock()
		i := slices.IndexFunc(s.talk.rooms, func(room *talkRoom) bool { return room.token == r.PathValue("token") })
		if i < 0 || s.talk.rooms[i].person(a.id) == nil {
			writeOCSFailure(w, r, http.StatusNotFound, "")
			return
		}
		x := &talkCall{s: s, w: w, r: r, a: a, room: s.talk.rooms[i], me: s.talk.rooms[i].person(a.id)}
		if r.Method == http.MethodPost || r.Method == http.MethodPut {
			var fault *shareFault
			if x.p, fault = readShareParams(r); fault != nil {
				x.fail(http.StatusBadRequest, "")
				return
			}
		}
		do(x)
	})
}

func (x *talkCall) ok(data any) { writeOCS(x.w, x.r, data) }

// fail answers an error with the reason that Talk puts into the data; none is an empty list.
func (x *talkCall) fail(status int, reason string) {
	if reason == "" {
		writeOCSFailure(x.w, x.r, status, "")
		return
	}
	writeEnvelope(x.w, x.r, status, "", map[string]string{"error": reason})
}

// moderate lets those through who may change the conversation.
func (x *talkCall) moderate(do func()) {
	if !x.me.moderates() {
		x.fail(http.StatusForbidden, "")
		return
	}
	do()
}

// admitted lets those through who need not wait in the lobby.
func (x *talkCall) admitted(do func()) {
	if x.room.lobby && !x.me.moderates() {
		x.fail(http.StatusPreconditionFailed, "")
		return
	}
	do()
}

// writing lets those through who may write.
func (x *talkCall) writing(do func()) {
	x.admitted(func() {
		if x.room.readOnly {
			x.fail(http.StatusForbidden, "")
			return
		}
		do()
	})
}

func (s *Server) listTalk(w http.ResponseWriter, r *http.Request, a *account) {
	q := r.URL.Query()
	since, _ := strconv.ParseInt(q.Get("modifiedSince"), 10, 64)
	s.talk.mu.Lock()
	defer s.talk.mu.Unlock()
	s.settleTalk(a)
	if q.Get("noStatusUpdate") != "1" {
		s.talk.traced(a.id)
	}
	list := []any{}
	for _, room := range s.talk.rooms {
		if room.person(a.id) == nil || room.lastActivity < since {
			continue
		}
		answer := s.roomAnswer(room, a)
		if room.kind == talkOneToOne && q.Get("includeStatus") == "1" {
			answer["status"], answer["statusIcon"], answer["statusMessage"], answer["statusClearAt"] = "online", nil, "In the garden", nil
		}
		list = append(list, answer)
	}
	w.Header().Set("X-Nextcloud-Talk-Hash", md5Hex("talk"))
	w.Header().Set("X-Nextcloud-Talk-Modified-Before", strconv.FormatInt(s.now().Unix(), 10))
	writeOCS(w, r, list)
}

func (s *Server) createTalk(w http.ResponseWriter, r *http.Request, a *account) {
	x := &talkCall{s: s, w: w, r: r, a: a}
	p, fault := readShareParams(r)
	if fault != nil {
		x.fail(http.StatusBadRequest, "")
		return
	}
	kind, _ := p.number("roomType")
	name := strings.TrimSpace(p["roomName"])
	s.talk.mu.Lock()
	defer s.talk.mu.Unlock()
	switch {
	case kind == talkOneToOne:
		x.createOneToOne(s.account(p["invite"]))
		return
	case kind != talkGroup && kind != talkPublic:
		x.fail(http.StatusBadRequest, "type")
		return
	case name == "", len([]rune(name)) > 255:
		x.fail(http.StatusBadRequest, "name")
		return
	}
	members := s.talkGroup(p["invite"])
	if p["invite"] != "" && members == nil {
		x.fail(http.StatusNotFound, "invite")
		return
	}
	room := s.newTalkRoom(kind, name, a)
	for _, id := range members {
		s.addTalkPerson(room, id)
	}
	writeEnvelope(w, r, http.StatusCreated, "OK", s.roomAnswer(room, a))
}

func (x *talkCall) createOneToOne(other *account) {
	if other == nil || other == x.a {
		x.fail(http.StatusNotFound, "invite")
		return
	}
	for _, room := range x.s.talk.rooms {
		if room.kind == talkOneToOne && room.person(x.a.id) != nil && room.person(other.id) != nil {
			x.ok(x.s.roomAnswer(room, x.a))
			return
		}
	}
	room := x.s.newTalkRoom(talkOneToOne, "", x.a)
	x.s.addTalkPerson(room, other.id)
	writeEnvelope(x.w, x.r, http.StatusCreated, "OK", x.s.roomAnswer(room, x.a))
}

// talkGroup are the users of a group; nil when there is none.
func (s *Server) talkGroup(name string) []string {
	var ids []string
	for id, a := range s.accounts {
		if slices.Contains(a.profile().Groups, name) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (x *talkCall) rename() {
	name := strings.TrimSpace(x.p["roomName"])
	if name == "" {
		x.fail(http.StatusBadRequest, "value")
		return
	}
	x.s.noteTalk(x.room, x.a, "conversation_renamed", `{actor} renamed the conversation from "`+x.room.name+`" to "`+name+`"`, nil)
	x.room.name = name
	x.ok(x.s.roomAnswer(x.room, x.a))
}

func (x *talkCall) people() {
	list := []any{}
	for _, p := range x.room.people {
		a := x.s.account(p.user)
		person := map[string]any{
			"roomToken": x.room.token, "inCall": 0, "lastPing": 0, "sessionIds": noData, "participantType": p.role, "attendeeId": p.attendee,
			"actorId": a.id, "actorType": "users", "displayName": a.profile().DisplayName, "permissions": talkRights(p), "attendeePermissions": 0,
			"attendeePin": "", "phoneNumber": "", "callId": "",
		}
		if x.r.URL.Query().Get("includeStatus") == "1" {
			person["status"], person["statusIcon"], person["statusMessage"], person["statusClearAt"] = "online", nil, nil, nil
		}
		list = append(list, person)
	}
	x.ok(list)
}

func (x *talkCall) invite() {
	var ids []string
	switch x.p["source"] {
	case "", "users":
		if a := x.s.account(x.p["newParticipant"]); a != nil {
			ids = []string{a.id}
		}
	case "groups":
		ids = x.s.talkGroup(x.p["newParticipant"])
	case "emails":
		if strings.Contains(x.p["newParticipant"], "@") {
			x.room.kind = talkPublic
			x.ok(map[string]int{"type": talkPublic})
			return
		}
		x.fail(http.StatusBadRequest, "new-participant")
		return
	default:
		x.fail(http.StatusBadRequest, "source")
		return
	}
	switch {
	case x.room.kind != talkGroup && x.room.kind != talkPublic:
		x.fail(http.StatusBadRequest, "room-type")
		return
	case ids == nil:
		x.fail(http.StatusNotFound, "")
		return
	}
	for _, id := range ids {
		if x.room.person(id) == nil {
			x.s.addTalkPerson(x.room, id)
			x.s.noteTalk(x.room, x.a, "user_added", "{actor} added {user}", map[string]any{"user": talkUser(x.s.account(id))})
		}
	}
	x.ok(noData)
}

func (x *talkCall) dismiss() {
	id, _ := strconv.Atoi(x.r.URL.Query().Get("attendeeId"))
	i := slices.IndexFunc(x.room.people, func(p *talkPerson) bool { return p.attendee == id })
	switch {
	case i < 0:
		x.fail(http.StatusNotFound, "participant")
		return
	case x.room.people[i] == x.me:
		x.fail(http.StatusBadRequest, "owner")
		return
	}
	user := x.s.account(x.room.people[i].user)
	x.room.people = slices.Delete(x.room.people, i, i+1)
	x.s.noteTalk(x.room, x.a, "user_removed", "{actor} removed {user}", map[string]any{"user": talkUser(user)})
	x.ok(nil)
}

// talkRights are permissions as Talk numbers them: only moderators ignore the lobby.
func talkRights(p *talkPerson) int {
	if p.moderates() {
		return 254
	}
	return 246
}

// roomAnswer is a conversation as one who takes part sees it.
func (s *Server) roomAnswer(room *talkRoom, a *account) map[string]any {
	me := room.person(a.id)
	name, display := room.name, room.name
	switch room.kind {
	case talkOneToOne:
		for _, p := range room.people {
			if p != me {
				name, display = p.user, s.account(p.user).profile().DisplayName
			}
		}
	case talkChangelog:
		display = talkNews
	}
	unread, mentioned := 0, false
	for _, m := range room.messages {
		if m.id > me.lastRead && m.system == "" {
			unread++
			for _, param := range m.params {
				object, _ := param.(map[string]any)
				mentioned = mentioned || object["id"] == a.id || object["type"] == "call"
			}
		}
	}
	own := room.kind == talkOneToOne || room.kind == talkNoteToSelf
	out := map[string]any{
		"id": room.id, "token": room.token, "type": room.kind, "name": name, "displayName": display, "objectType": room.objectType, "objectId": room.objectID,
		"participantType": me.role, "readOnly": flag(room.readOnly), "lobbyState": flag(room.lobby), "lastActivity": room.lastActivity,
		"lastReadMessage": me.lastRead, "unreadMessages": unread, "unreadMention": mentioned, "unreadMentionDirect": mentioned, "isFavorite": me.favorite,
		"canLeaveConversation": room.kind != talkNoteToSelf, "canDeleteConversation": me.moderates() && room.kind != talkOneToOne, "canStartCall": !own,
		"actorType": "users", "actorId": a.id, "attendeeId": me.attendee, "permissions": talkRights(me), "description": room.description,
		"lastCommonReadMessage": room.commonRead(), "notificationLevel": 2, "notificationCalls": 1, "sessionId": "0", "attendeePin": "",
		"avatarVersion": md5Hex(room.token)[:8],
	}
	for _, name := range []string{
		"participantFlags", "callStartTime", "callRecording", "lobbyTimer", "lastPing", "sipEnabled", "attendeePermissions", "callPermissions",
		"defaultPermissions", "listable", "callFlag", "messageExpiration", "breakoutRoomMode", "breakoutRoomStatus", "recordingConsent", "mentionPermissions",
	} {
		out[name] = 0
	}
	for _, name := range []string{"hasPassword", "hasCall", "canEnableSIP", "isCustomAvatar", "isArchived", "isImportant"} {
		out[name] = false
	}
	if room.lastShown != nil && (!room.lobby || me.moderates()) {
		out["lastMessage"] = room.lastShown.answer(a, false)
	}
	return out
}

// createPoll stores nothing but the message that shows a poll.
func (x *talkCall) createPoll() {
	var in struct {
		Question   string   `json:"question"`
		Options    []string `json:"options"`
		ResultMode int      `json:"resultMode"`
		MaxVotes   int      `json:"maxVotes"`
	}
	if json.NewDecoder(x.r.Body).Decode(&in) != nil || in.Question == "" || len(in.Options) < 2 {
		x.fail(http.StatusBadRequest, "")
		return
	}
	x.s.talk.lastPoll++
	m := x.s.sayTalk(x.room, x.a, "")
	m.text, m.params["object"] = "{object}", map[string]any{"type": "talk-poll", "id": strconv.Itoa(x.s.talk.lastPoll), "name": in.Question}
	m.params["actor"] = talkUser(x.a)
	writeEnvelope(x.w, x.r, http.StatusCreated, "OK", map[string]any{
		"id": x.s.talk.lastPoll, "question": in.Question, "options": in.Options, "actorType": "users", "actorId": x.a.id,
		"actorDisplayName": x.a.profile().DisplayName, "status": 0, "resultMode": in.ResultMode, "maxVotes": in.MaxVotes, "votes": noData, "numVoters": 0,
		"votedSelf": noData,
	})
}
