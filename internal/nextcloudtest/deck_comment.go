package nextcloudtest

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxDeckComment is how long a comment may be, in code points after PHP's trim.
const maxDeckComment = 1000

func (s *Server) deckOCS(pattern string, h func(*deckCall) (any, *deckFault)) {
	s.handle(pattern, familyOCS, func(w http.ResponseWriter, r *http.Request, a *account) {
		answer, fault := s.deckRun(w, r, a, h)
		switch fault {
		case nil:
			writeOCS(w, r, answer)
		case deckBroken:
			// Deck: what it does not catch is no OCS answer.
			fault.write(w)
		default:
			writeOCSFailure(w, r, fault.status, fault.message)
		}
	})
}

func (s *Server) routesDeckOCS() {
	const root = "/ocs/v2.php/apps/deck/api/v1.0/"
	s.deckOCS("GET "+root+"boards", (*deckCall).listBoardsOCS)
	s.deckOCS("GET "+root+"config", func(*deckCall) (any, *deckFault) {
		return map[string]any{"calendar": true, "cardDetailsInModal": true, "cardIdBadge": false}, nil
	})
	s.deckOCS("GET "+root+"overview/upcoming", (*deckCall).upcoming)
	s.deckOCS("GET "+root+"search", (*deckCall).searchCards)
	s.deckOCS("GET "+root+"cards/{card}/comments", (*deckCall).listComments)
	s.deckOCS("POST "+root+"cards/{card}/comments", (*deckCall).createComment)
	s.deckOCS("PUT "+root+"cards/{card}/comments/{comment}", (*deckCall).updateComment)
	s.deckOCS("DELETE "+root+"cards/{card}/comments/{comment}", (*deckCall).deleteComment)
}

func (c *deckCall) listBoardsOCS() (any, *deckFault) {
	list, fault := c.listBoards()
	c.w.Header().Del("ETag")
	return list, fault
}

// readable are the cards that the person sees and that are not done with.
func (c *deckCall) readable() []*deckCard {
	var out []*deckCard
	for _, k := range c.app.cards {
		if b := c.app.boardOfCard(k); b != nil && c.app.board(b.id, c.a.id, deckRead, false) != nil && k.deletedAt == 0 && !k.archived {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b *deckCard) int { return a.id - b.id })
	return out
}

func (c *deckCall) upcoming() (any, *deckFault) {
	out := map[string][]any{}
	for _, k := range c.readable() {
		key := "nodue"
		if k.due != nil {
			key = [...]string{"later", "tomorrow", "today", "overdue"}[c.s.deckOverdue(k)]
		}
		out[key] = append(out[key], c.s.deckCardAnswer(k, cardWhole))
	}
	if len(out) == 0 {
		return noData, nil
	}
	return out, nil
}

func (c *deckCall) searchCards() (any, *deckFault) {
	list := []any{}
	term := strings.ToLower(c.text("term"))
	for _, k := range c.readable() {
		if strings.Contains(strings.ToLower(k.title+"\n"+k.description), term) {
			list = append(list, c.s.deckCardAnswer(k, cardWhole))
		}
	}
	return list, nil
}

var mention = regexp.MustCompile(`\B@"?([\w.-]+)"?`)

func (c *deckCall) commentAnswer(x *deckComment, withParent bool) map[string]any {
	name := x.by
	if a := c.s.account(x.by); a != nil {
		name = a.profile().DisplayName
	}
	mentions := []any{}
	for _, m := range mention.FindAllStringSubmatch(x.message, -1) {
		if a := c.s.account(m[1]); a != nil {
			mentions = append(mentions, map[string]any{"mentionId": a.id, "mentionType": "user", "mentionDisplayName": a.profile().DisplayName})
		}
	}
	out := map[string]any{
		"id": x.id, "objectId": x.card, "message": x.message, "actorId": x.by, "actorType": "users", "actorDisplayName": name,
		"creationDateTime": x.at.UTC().Format(deckTime), "mentions": mentions,
	}
	if parent := c.comment(x.card, x.parent); withParent && parent != nil {
		out["replyTo"] = c.commentAnswer(parent, false)
	}
	return out
}

func (c *deckCall) comment(card, id int) *deckComment {
	for _, x := range c.app.comments {
		if x.id == id && x.card == card {
			return x
		}
	}
	return nil
}

func (c *deckCall) listComments() (any, *deckFault) {
	k, fault := c.card(deckRead)
	if fault != nil {
		return nil, fault
	}
	limit, offset := 20, c.number("offset")
	if c.has("limit") {
		limit = min(c.number("limit"), 200)
	}
	list := []any{}
	for _, x := range slices.Backward(c.app.comments) {
		if x.card != k.id {
			continue
		}
		if offset--; offset >= 0 {
			continue
		}
		if len(list) == limit {
			break
		}
		list = append(list, c.commentAnswer(x, true))
	}
	return list, nil
}

// trimmedComment is a message as Nextcloud keeps it.
func trimmedComment(message string) (string, bool) {
	message = strings.Trim(message, " \n\r\t\v\x00")
	return message, utf8.RuneCountInString(message) <= maxDeckComment
}

func (c *deckCall) createComment() (any, *deckFault) {
	k, fault := c.card(deckRead)
	if fault != nil {
		return nil, fault
	}
	parent := c.number("parentId")
	if parent != 0 && c.comment(k.id, parent) == nil {
		return nil, deckInvalid("Invalid parent id: The parent comment was not found or belongs to a different card")
	}
	// Nextcloud: an empty message is one too.
	message, ok := trimmedComment(c.text("message"))
	if !ok {
		return nil, deckInvalid("Message exceeds allowed character limit of " + strconv.Itoa(maxDeckComment))
	}
	c.app.last.comment++
	x := &deckComment{id: c.app.last.comment, card: k.id, parent: parent, by: c.a.id, message: message, at: time.Unix(c.now, 0)}
	c.app.comments = append(c.app.comments, x)
	return c.commentAnswer(x, true), nil
}

// ownComment is the comment of the path, if it is the person's own.
func (c *deckCall) ownComment() (*deckComment, *deckFault) {
	k, fault := c.card(deckRead)
	if fault != nil {
		return nil, fault
	}
	id, fault := c.id("comment")
	if fault != nil {
		return nil, fault
	}
	x := c.comment(k.id, id)
	switch {
	case x == nil:
		return nil, &deckFault{http.StatusNotFound, "No comment found."}
	case x.by != c.a.id:
		return nil, &deckFault{http.StatusForbidden, "Only authors are allowed to edit their comment."}
	}
	return x, nil
}

func (c *deckCall) updateComment() (any, *deckFault) {
	x, fault := c.ownComment()
	if fault != nil {
		return nil, fault
	}
	message, ok := trimmedComment(c.text("message"))
	if !ok {
		// Deck: nothing catches that here.
		return nil, deckBroken
	}
	x.message = message
	return c.commentAnswer(x, false), nil
}

func (c *deckCall) deleteComment() (any, *deckFault) {
	x, fault := c.ownComment()
	if fault != nil {
		return nil, fault
	}
	c.app.comments = slices.DeleteFunc(c.app.comments, func(other *deckComment) bool { return other == x })
	return noData, nil
}
