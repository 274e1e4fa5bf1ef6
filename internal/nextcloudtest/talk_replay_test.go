package nextcloudtest

import (
	"strings"
	"testing"
	"time"
)

// TestRecordingsTalk: the simulator answers what Talk 21 of a real Nextcloud 34.0.1 answered.
func TestRecordingsTalk(t *testing.T) {
	const token = "zbkozwti"
	now := time.Unix(1795403894, 0)
	s := startRecorded(t, &Options{Now: func() time.Time { return now }})
	s.AddConversation(SampleConversation{OneToOne: true, Users: []string{"alice", "bob"}})
	replayArea(t, s, replayPlan{area: "talk", before: func(r *shapeReplay, x *exchange) {
		switch {
		case strings.HasPrefix(x.name, "02-"):
			now = time.Unix(1795405074, 0)
			s.talk.lastMessage = 84
		case strings.HasPrefix(x.name, "05-"):
			r.replace[token] = s.talk.rooms[len(s.talk.rooms)-1].token
		case strings.HasPrefix(x.name, "15-"):
			x.body = `{"message":"` + strings.Repeat("x", maxTalkMessage+1) + `"}`
		case strings.HasPrefix(x.name, "35-"):
			x.target = strings.Replace(x.target, "attendeeId=8", "attendeeId="+phpString(s.talk.lastAttendee), 1)
		}
	}})
}
