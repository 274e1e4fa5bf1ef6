package nextcloudtest

import "testing"

// TestReplayDeck: the simulator answers what a real Deck 1.19 answered.
func TestReplayDeck(t *testing.T) {
	s := startRecorded(t, nil)
	d := &s.deck
	now := s.now().Unix()
	welcome := d.addBoard("alice", "Welcome to Nextcloud Deck!", "bf678b", now)
	d.addStack(welcome, "Custom lists - click to rename!", 0)
	d.addBoard("alice", "Rec board 2", "00ff00", now).deletedAt = now
	d.last.board++
	d.addBoard("alice", "att", "ff0000", now).deletedAt = now
	// Ids in bodies are not translated, so they have to be the recorded ones.
	d.last = deckIDs{board: 4, stack: 11, card: 13, label: 19, acl: 1, assignment: 1, comment: 70, attachment: 2}
	replayArea(t, s, replayPlan{area: "deck"})
}
