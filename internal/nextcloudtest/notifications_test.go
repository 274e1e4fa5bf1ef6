package nextcloudtest

import "testing"

func TestReplayNotifications(t *testing.T) {
	s := startRecorded(t, nil)
	alice := s.account("alice")
	alice.told.lastID = 687
	for i := range 8 {
		id := 286
		if i < 6 {
			id = 277 // the newest two are of another file
		}
		s.AddActivity("alice", "alice", "file_created", "You created searchme.txt", id, "/searchme.txt")
	}
	plan := replayPlan{area: "notifications-activity", replace: map[string]string{"3e81ce73386e4533046fd31398e88dc5": ""}}
	plan.before = func(_ *shapeReplay, x *exchange) {
		if x.name == "01-admin-generate" {
			alice.told.lastID = 13
		}
	}
	replayArea(t, s, plan)
}
