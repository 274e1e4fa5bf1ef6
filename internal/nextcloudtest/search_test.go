package nextcloudtest

import "testing"

func TestReplaySearch(t *testing.T) {
	s := startRecorded(t, nil)
	s.AddFile("alice", "/searchme.txt", []byte("x"))
	replayArea(t, s, replayPlan{area: "unified-search"})
}
