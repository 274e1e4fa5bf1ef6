package nextcloudtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// findTalkMessages finds what people wrote in the conversations of a user, newest first.
func findTalkMessages(s *Server, base string, a *account, term string) []searchEntry {
	s.talk.mu.Lock()
	defer s.talk.mu.Unlock()
	var found []*talkMessage
	for _, room := range s.talk.rooms {
		me := room.person(a.id)
		if me == nil || room.lobby && !me.moderates() {
			continue
		}
		for _, m := range room.messages {
			if m.system == "" && !m.deleted && strings.Contains(strings.ToLower(m.text), term) {
				found = append(found, m)
			}
		}
	}
	slices.SortFunc(found, func(a, b *talkMessage) int { return b.id - a.id })
	var out []searchEntry
	for _, m := range found {
		out = append(out, searchEntry{
			Title: m.name, Subline: excerptOf(m.text), ResourceURL: fmt.Sprintf("%s/call/%s#message_%d", base, m.token, m.id), Icon: "icon-talk", Rounded: true,
			Attributes: map[string]string{
				"conversation": m.token, "messageId": strconv.Itoa(m.id), "actorType": m.actorType, "actorId": m.actorID, "timestamp": strconv.FormatInt(m.at, 10),
			},
		})
	}
	return out
}
