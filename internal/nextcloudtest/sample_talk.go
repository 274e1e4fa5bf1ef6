package nextcloudtest

import (
	"maps"
	"slices"
	"time"
)

// loadSampleTalk gives everybody a conversation with the next person, and all of them one together. The sample files have
// to be there.
func (s *Server) loadSampleTalk() {
	ids := slices.Sorted(maps.Keys(s.accounts))
	for i, id := range ids {
		other := ids[(i+1)%len(ids)]
		if len(ids) < 2 || len(ids) == 2 && i == 1 {
			break
		}
		s.AddConversation(SampleConversation{OneToOne: true, Users: []string{id, other}, Messages: []SampleMessage{
			{User: id, Text: "Do you still have the ladder?", Age: 2 * day},
			{User: other, Text: "Yes, in the shed. Take it whenever you like.", ReplyTo: 1, Age: 2*day - time.Hour},
			{User: id, Text: "Thank you!", Age: 47 * time.Hour, Reactions: map[string][]string{"👍": {other}}},
		}})
	}
	first, last := ids[0], ids[len(ids)-1]
	s.AddConversation(SampleConversation{Name: "Release", Description: "What is left until Thursday", Users: ids, Messages: []SampleMessage{
		{User: first, Text: "The release moves to **Thursday**.", Age: 6 * day},
		{User: last, Text: "Fine. @\"" + first + "\" who writes the announcement?", Age: 5 * day},
		{User: first, File: "/Documents/Garden plan.md", Age: 3 * day},
		{User: last, Text: "Wrong file, I think.", ReplyTo: 3, Age: 3*day - time.Hour, Reactions: map[string][]string{"😂": {first}}},
		{User: last, Text: "Can we test it on Wednesday at 10?", Age: 20 * time.Hour},
	}})
}
