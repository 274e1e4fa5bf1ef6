package nextcloudtest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxTalkMessage bounds a message in characters.
const maxTalkMessage = 32_000

func (s *Server) routesTalkChat() {
	const reactions = "/ocs/v2.php/apps/spreed/api/v1/reaction/{token}/{id}"
	s.inTalk("GET "+talkChats, func(x *talkCall) { x.admitted(x.readChat) })
	s.inTalk("POST "+talkChats, func(x *talkCall) { x.writing(x.say) })
	s.inTalk("GET "+talkChats+"/{id}/context", func(x *talkCall) { x.admitted(func() { x.withMessage(x.context) }) })
	s.inTalk("PUT "+talkChats+"/{id}", func(x *talkCall) { x.writing(func() { x.withMessage(x.edit) }) })
	s.inTalk("DELETE "+talkChats+"/{id}", func(x *talkCall) { x.writing(func() { x.withMessage(x.remove) }) })
	s.inTalk("POST "+talkChats+"/read", func(x *talkCall) {
		id, given := x.p.number("lastReadMessage")
		if !given && len(x.room.messages) > 0 {
			id = x.room.messages[len(x.room.messages)-1].id
		}
		x.markRead(id)
	})
	s.inTalk("DELETE "+talkChats+"/read", func(x *talkCall) {
		id := 0
		for i, m := range x.room.messages {
			if m.system == "" && i > 0 {
				id = x.room.messages[i-1].id
			}
		}
		x.markRead(id)
	})
	s.inTalk("GET "+talkChats+"/mentions", func(x *talkCall) {
		list := []any{}
		for _, p := range x.room.people {
			if p != x.me && strings.Contains(p.user, x.r.URL.Query().Get("search")) {
				list = append(list, map[string]any{"id": p.user, "label": s.account(p.user).profile().DisplayName, "source": "users", "mentionId": p.user})
			}
		}
		x.ok(list)
	})
	s.inTalk("GET "+reactions, func(x *talkCall) { x.admitted(func() { x.withMessage(x.listReactions) }) })
	s.inTalk("POST "+reactions, func(x *talkCall) { x.writing(func() { x.withMessage(x.react) }) })
	s.inTalk("DELETE "+reactions, func(x *talkCall) { x.writing(func() { x.withMessage(x.unreact) }) })
	s.handle("POST /ocs/v2.php/apps/spreed/api/v1/poll/{token}", familyOCS, func(w http.ResponseWriter, r *http.Request, a *account) {
		s.talk.mu.Lock()
		defer s.talk.mu.Unlock()
		for _, room := range s.talk.rooms {
			if me := room.person(a.id); me != nil && room.token == r.PathValue("token") {
				(&talkCall{s: s, w: w, r: r, a: a, room: room, me: me}).createPoll()
				return
			}
		}
		writeOCSFailure(w, r, http.StatusNotFound, "")
	})
}

// withMessage finds the message of the path.
func (x *talkCall) withMessage(do func(*talkMessage)) {
	id, _ := strconv.Atoi(x.r.PathValue("id"))
	m := x.room.find(id)
	if m == nil {
		x.fail(http.StatusNotFound, "")
		return
	}
	do(m)
}

// readChat answers a page: the newest before an id, or the oldest behind one. Nextcloud: nothing is 304.
func (x *talkCall) readChat() {
	q := x.r.URL.Query()
	number := func(name string, otherwise int) int {
		if n, err := strconv.Atoi(q.Get(name)); err == nil {
			return n
		}
		return otherwise
	}
	future, known := number("lookIntoFuture", 0) == 1, number("lastKnownMessageId", 0)
	limit := min(max(number("limit", 100), 1), 200)
	with := number("includeLastKnown", 0) == 1
	if number("noStatusUpdate", 0) != 1 || number("markNotificationsAsRead", 1) == 1 || future && number("setReadMarker", 1) == 1 {
		x.s.talk.traced(x.a.id)
	}
	var page []*talkMessage
	add := func(m *talkMessage, fits bool) {
		if len(page) < limit && (known == 0 || fits || with && m.id == known) {
			page = append(page, m)
		}
	}
	if future {
		for _, m := range x.room.messages {
			add(m, m.id > known)
		}
		if number("setReadMarker", 1) == 1 && known > x.me.lastRead {
			x.me.lastRead = known
		}
	} else {
		for _, m := range slices.Backward(x.room.messages) {
			add(m, m.id < known)
		}
	}
	if len(page) == 0 {
		x.w.WriteHeader(http.StatusNotModified)
		return
	}
	x.w.Header().Set("X-Chat-Last-Given", strconv.Itoa(page[len(page)-1].id))
	x.chat(page)
}

func (x *talkCall) chat(page []*talkMessage) {
	list := []any{}
	for _, m := range page {
		list = append(list, m.answer(x.a, true))
	}
	x.lastCommon()
	x.ok(list)
}

func (x *talkCall) lastCommon() {
	x.w.Header().Set("X-Chat-Last-Common-Read", strconv.Itoa(x.room.commonRead()))
}

// context answers a message with what is around it.
func (x *talkCall) context(m *talkMessage) {
	limit, err := strconv.Atoi(x.r.URL.Query().Get("limit"))
	if err != nil {
		limit = 50
	}
	i := slices.Index(x.room.messages, m)
	page := x.room.messages[max(0, i+1-limit):min(len(x.room.messages), i+1+limit)]
	x.w.Header().Set("X-Chat-Last-Given", strconv.Itoa(page[len(page)-1].id))
	x.chat(page)
}

// accepts refuses what cannot be a message.
func (x *talkCall) accepts(text string) bool {
	switch {
	case strings.TrimSpace(text) == "":
		x.fail(http.StatusBadRequest, "message")
		return false
	case utf8.RuneCountInString(text) > maxTalkMessage:
		x.fail(http.StatusRequestEntityTooLarge, "message")
		return false
	}
	return true
}

func (x *talkCall) say() {
	text := x.p["message"]
	if !x.accepts(text) {
		return
	}
	var parent *talkMessage
	if id, given := x.p.number("replyTo"); given && id > 0 {
		if parent = x.room.find(id); parent == nil || parent.system != "" {
			x.fail(http.StatusBadRequest, "reply-to")
			return
		}
	}
	m := x.s.sayTalk(x.room, x.a, text)
	m.parent, m.reference = parent, x.p["referenceId"]
	x.lastCommon()
	writeEnvelope(x.w, x.r, http.StatusCreated, "OK", m.answer(x.a, true))
}

// mine lets the author of a message through, and who moderates.
func (x *talkCall) mine(m *talkMessage) bool {
	switch {
	case m.actorID != x.a.id && !x.me.moderates():
		x.fail(http.StatusForbidden, "")
		return false
	case m.system != "" || m.deleted || m.actorType != "users":
		x.fail(http.StatusMethodNotAllowed, "message")
		return false
	}
	return true
}

func (x *talkCall) edit(m *talkMessage) {
	if !x.mine(m) || !x.accepts(x.p["message"]) {
		return
	}
	if x.s.now().Unix()-m.at > 24*3600 && x.room.kind != talkNoteToSelf {
		x.fail(http.StatusBadRequest, "age")
		return
	}
	m.params = map[string]any{}
	m.text = x.s.mentions(x.room, x.p["message"], m.params)
	m.editor, m.edited = x.a, x.s.now().Unix()
	x.told(m, "message_edited", "{actor} edited a message")
}

// told answers a change of a message as a message of the system.
func (x *talkCall) told(m *talkMessage, system, text string) {
	note := x.s.noteTalk(x.room, x.a, system, text, nil)
	note.parent = m
	x.lastCommon()
	x.ok(note.answer(x.a, true))
}

func (x *talkCall) remove(m *talkMessage) {
	if !x.mine(m) {
		return
	}
	m.text, m.params, m.deleted = "Message deleted by author", map[string]any{"actor": talkUser(x.a)}, true
	m.editor, m.edited, m.reactions = nil, 0, map[string][]talkReaction{}
	x.told(m, "message_deleted", "{actor} deleted a message")
}

func (x *talkCall) markRead(id int) {
	x.me.lastRead = id
	x.lastCommon()
	x.ok(x.s.roomAnswer(x.room, x.a))
}

func (x *talkCall) listReactions(m *talkMessage) {
	x.ok(m.reactionList(x.r.URL.Query().Get("reaction")))
}

func (m *talkMessage) reactionList(only string) map[string]any {
	out := map[string]any{}
	for emoji, list := range m.reactions {
		if only != "" && only != emoji {
			continue
		}
		actors := []any{}
		for _, reaction := range list {
			actors = append(actors, map[string]any{
				"actorType": "users", "actorId": reaction.actor.id, "actorDisplayName": reaction.actor.profile().DisplayName, "timestamp": reaction.at,
			})
		}
		out[emoji] = actors
	}
	return out
}

func (x *talkCall) react(m *talkMessage) {
	emoji := x.p["reaction"]
	if first, _ := utf8.DecodeRuneInString(emoji); first < 0x203c || utf8.RuneCountInString(emoji) > 10 {
		x.fail(http.StatusBadRequest, "")
		return
	}
	if slices.ContainsFunc(m.reactions[emoji], func(r talkReaction) bool { return r.actor == x.a }) {
		x.ok(m.reactionList(""))
		return
	}
	m.reactions[emoji] = append(m.reactions[emoji], talkReaction{x.a, x.s.now().Unix()})
	x.s.noteTalk(x.room, x.a, "reaction", emoji, nil).parent = m
	writeEnvelope(x.w, x.r, http.StatusCreated, "OK", m.reactionList(""))
}

func (x *talkCall) unreact(m *talkMessage) {
	emoji := x.r.URL.Query().Get("reaction")
	mine := func(r talkReaction) bool { return r.actor == x.a }
	if !slices.ContainsFunc(m.reactions[emoji], mine) {
		x.fail(http.StatusNotFound, "")
		return
	}
	if m.reactions[emoji] = slices.DeleteFunc(m.reactions[emoji], mine); len(m.reactions[emoji]) == 0 {
		delete(m.reactions, emoji)
	}
	x.s.noteTalk(x.room, x.a, "reaction_revoked", "{actor} deleted a reaction", nil).parent = m
	x.ok(m.reactionList(""))
}

// answer is a message as a user sees it, who is "You" in messages of the system.
func (m *talkMessage) answer(a *account, withParent bool) map[string]any {
	kind, text := "comment", m.text
	mine := m.actorType == "users" && m.actorID == a.id
	switch {
	case m.system != "":
		kind = "system"
		if mine {
			text = strings.Replace(text, "{actor}", "You", 1)
		}
		if added, ok := m.params["user"].(map[string]any); ok && added["id"] == a.id {
			text = strings.Replace(text, "{user}", "you", 1)
		}
	case m.deleted:
		kind = "comment_deleted"
		if mine {
			text = "Message deleted by you"
		}
	}
	counts := map[string]int{}
	own := []string{}
	for emoji, list := range m.reactions {
		counts[emoji] = len(list)
		if slices.ContainsFunc(list, func(r talkReaction) bool { return r.actor == a }) {
			own = append(own, emoji)
		}
	}
	out := map[string]any{
		"id": m.id, "token": m.token, "actorType": m.actorType, "actorId": m.actorID, "actorDisplayName": m.name, "timestamp": m.at, "message": text,
		"messageParameters": noData, "systemMessage": m.system, "messageType": kind, "isReplyable": m.system == "" && !m.deleted,
		"referenceId": m.reference, "reactions": counts, "expirationTimestamp": 0, "markdown": m.system == "",
	}
	if len(m.params) > 0 { // Nextcloud: PHP writes an empty object as []
		out["messageParameters"] = m.params
	}
	if len(own) > 0 {
		out["reactionsSelf"] = own
	}
	if m.deleted {
		out["deleted"] = true
	}
	if m.editor != nil {
		out["lastEditActorType"], out["lastEditActorId"] = "users", m.editor.id
		out["lastEditActorDisplayName"], out["lastEditTimestamp"] = m.editor.profile().DisplayName, m.edited
	}
	if withParent && m.parent != nil {
		out["parent"] = m.parent.answer(a, false)
	}
	return out
}
