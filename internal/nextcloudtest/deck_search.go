package nextcloudtest

import (
	"fmt"
	"slices"
	"strings"
)

// deckProviders are the sources of the unified search that Deck brings.
func (s *Server) deckProviders() []searchProvider {
	return []searchProvider{
		{id: "search-deck-card-board", app: "deck", name: "Deck boards and cards", order: 10, paginated: true, find: findDeck},
		{id: "search-deck-comment", app: "deck", name: "Card comments", order: 11, paginated: true, find: findDeckComments},
	}
}

func findDeck(s *Server, base string, a *account, term string) []searchEntry {
	s.deck.mu.Lock()
	defer s.deck.mu.Unlock()
	c := &deckCall{s: s, a: a, app: &s.deck}
	var out []searchEntry
	for _, b := range s.deck.boards {
		if s.deck.board(b.id, a.id, deckRead, false) != nil && strings.Contains(strings.ToLower(b.title), term) {
			out = append(out, searchEntry{
				ThumbnailURL: base + "/apps/deck/img/deck-dark.svg", Title: b.title, Icon: "icon-deck", ResourceURL: fmt.Sprintf("%s/index.php/apps/deck/board/%d", base, b.id),
			})
		}
	}
	slices.SortFunc(out, func(a, b searchEntry) int { return strings.Compare(a.ResourceURL, b.ResourceURL) })
	for _, k := range c.readable() {
		if strings.Contains(strings.ToLower(k.title+"\n"+k.description), term) {
			out = append(out, searchEntry{
				ThumbnailURL: base + "/apps/deck/img/card.svg", Title: k.title, Subline: s.deck.boardOfCard(k).title + " » " + s.deck.stacks[k.stack].title,
				// Deck: the address that leads on to the one with the board.
				Icon: "icon-deck", ResourceURL: fmt.Sprintf("%s/index.php/apps/deck/card/%d", base, k.id),
			})
		}
	}
	return out
}

func findDeckComments(s *Server, base string, a *account, term string) []searchEntry {
	s.deck.mu.Lock()
	defer s.deck.mu.Unlock()
	c := &deckCall{s: s, a: a, app: &s.deck}
	var out []searchEntry
	for _, x := range s.deck.comments {
		k, fault := c.cardOf(x.card, deckRead, false)
		if fault != nil || !strings.Contains(strings.ToLower(x.message), term) {
			continue
		}
		name := x.by
		if author := s.account(x.by); author != nil {
			name = author.profile().DisplayName
		}
		out = append(out, searchEntry{
			ThumbnailURL: base + "/core/img/actions/comment.svg", Title: name + " on " + k.title, Subline: x.message, Icon: "icon-comment",
			ResourceURL: fmt.Sprintf("%s/index.php/apps/deck/#/board/%d/card/%d/comments/%d", base, s.deck.boardOfCard(k).id, k.id, x.id),
		})
	}
	return out
}
