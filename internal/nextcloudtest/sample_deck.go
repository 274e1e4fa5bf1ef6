package nextcloudtest

import "time"

// loadSampleDeck fills the Deck app with boards that look like somebody's work.
func (s *Server) loadSampleDeck(userID string) {
	in := func(d time.Duration) time.Time { return s.now().Add(d).Truncate(time.Hour) }
	s.AddDeckBoard(userID, SampleBoard{
		Title: "Household", Color: "31cc7c",
		Stacks: []SampleStack{
			{Title: "Ideas", Cards: []SampleCard{{Title: "Shelf for the hallway", Description: "60 cm wide at most."}}},
			{Title: "This month", Cards: []SampleCard{{Title: "Chimney sweep", Due: in(9 * day)}, {Title: "Repair the bicycle", Labels: []string{"Action needed"}}}},
		},
	})
	var team, other []string
	switch {
	case userID == "bob" && s.account("alice") != nil:
		return // alice shares hers
	case userID == "alice" && s.account("bob") != nil:
		team, other = []string{"bob"}, []string{"bob"}
	}
	board := s.AddDeckBoard(userID, SampleBoard{
		Title: "Website relaunch", Color: "0082c9", Members: team,
		Stacks: []SampleStack{
			{Title: "To do", Cards: []SampleCard{
				{Title: "Write the page about prices", Description: "Three plans, one table.\n\n- [ ] Numbers from Bob\n- [ ] Proofread", Due: in(5 * day), Labels: []string{"Action needed"}, Assigned: []string{userID}},
				{Title: "Photographs of the workshop", Description: "Ask Müller & Söhne.", Labels: []string{"Later"}},
				{Title: "Redirects from the old addresses", Due: in(12 * day)},
			}},
			{Title: "Doing", Cards: []SampleCard{
				{Title: "Start page", Description: "Less text, one clear picture.", Due: in(-2 * day), Labels: []string{"To review"}, Assigned: []string{userID}},
				{Title: "Contact form", Description: "Must work without scripts.", Assigned: other},
			}},
			{Title: "Done", Cards: []SampleCard{
				{Title: "Choose the typeface", Done: true, Labels: []string{"Finished"}},
				{Title: "Collect what people search for", Done: true, Archived: true},
			}},
		},
	})
	s.deck.mu.Lock()
	defer s.deck.mu.Unlock()
	for _, k := range s.deck.cards {
		if st := s.deck.stacks[k.stack]; st.board == board && k.title == "Start page" {
			s.deck.last.comment++
			s.deck.comments = append(s.deck.comments, &deckComment{id: s.deck.last.comment, card: k.id, by: userID, message: "The draft is in the shared folder, please have a look.", at: s.now()})
		}
	}
}
