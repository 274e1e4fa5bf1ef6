package nextcloudtest

import "testing"

func TestReplaySearch(t *testing.T) {
	replayArea(t, startRecorded(t, nil), replayPlan{area: "unified-search"})
}
