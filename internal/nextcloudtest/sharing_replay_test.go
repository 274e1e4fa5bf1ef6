package nextcloudtest

import (
	"strings"
	"testing"
)

// recordedToken is the address of the recorded link.
const recordedToken = "o6YB7n7zcozY9sR"

// TestRecordingsSharing: the simulator answers what a real Nextcloud 34.0.1 answered.
func TestRecordingsSharing(t *testing.T) {
	s := startRecorded(t, nil)
	mustCall(t, s, 201, "alice", "MKCOL", "/remote.php/dav/files/alice/rec-share", "")
	mustCall(t, s, 201, "alice", "PUT", "/remote.php/dav/files/alice/rec-share/s.txt", "share me")
	mustCall(t, s, 201, "alice", "MKCOL", "/remote.php/dav/files/alice/Deck", "")
	mustCall(t, s, 201, "alice", "PUT", "/remote.php/dav/files/alice/Deck/card.jpg", "x")
	s.AddShareRoom("jw35ncd2", "Bob Example", "alice", "bob")
	card := s.files.byID[s.FileID("alice", "/Deck/card.jpg")]
	s.sharing.shares = append(s.sharing.shares, &share{
		id: 1, kind: shareDeck, node: card, by: "alice", with: "4", permissions: mayRead,
		created: s.now(), target: "/{DECK_PLACEHOLDER}/card.jpg", extra: map[string]any{"share_with_link": recordedBase + "/apps/deck/board/1/card/4"},
	})
	s.sharing.lastID = 9
	replayArea(t, s, replayPlan{
		area: "sharing",
		before: func(r *shapeReplay, x *exchange) {
			if strings.HasPrefix(x.name, "26-") {
				r.replace[recordedToken] = s.shareByID("11").token
			}
		},
	})
}
