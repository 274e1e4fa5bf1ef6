package nextcloudtest

import "time"

// deckTime is how Deck writes moments.
const deckTime = "2006-01-02T15:04:05-07:00"

func deckDate(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UTC().Format(deckTime)
}

// deckUser is a person as Deck shows them.
func (s *Server) deckUser(uid string) map[string]any {
	name := uid
	if a := s.account(uid); a != nil {
		name = a.profile().DisplayName
	}
	return map[string]any{"primaryKey": uid, "uid": uid, "displayname": name, "type": 0}
}

// boardDetail is how much of a board is told.
type boardDetail int

const (
	boardListed  boardDetail = iota // in a list
	boardMade                       // just made
	boardWhole                      // asked for
	boardDetails                    // in a list with details
)

func (s *Server) deckBoardAnswer(b *deckBoard, a *account, detail boardDetail) map[string]any {
	d := &s.deck
	acl, labels, users, stacks := []any{}, []any{}, []any{}, []any{}
	for _, x := range b.acl {
		acl = append(acl, s.deckACLAnswer(b, x))
	}
	if detail != boardListed {
		for _, l := range d.labelsOf(b.id) {
			labels = append(labels, l.answer(nil))
		}
	}
	if detail >= boardWhole {
		for _, uid := range b.members() {
			users = append(users, s.deckUser(uid))
		}
		for _, st := range d.stacksOf(b.id) {
			stacks = append(stacks, st.answer(nil))
		}
	}
	out := map[string]any{
		"id": b.id, "title": b.title, "owner": s.deckUser(b.owner), "color": b.color, "archived": b.archived, "labels": labels, "acl": acl,
		"permissions": map[string]bool{
			"PERMISSION_READ": b.can(a.id, deckRead), "PERMISSION_EDIT": b.can(a.id, deckEdit),
			"PERMISSION_MANAGE": b.can(a.id, deckManage), "PERMISSION_SHARE": b.can(a.id, deckShare),
		},
		"users": users, "stacks": stacks, "activeSessions": noData, "deletedAt": b.deletedAt, "lastModified": b.modified,
		"shareToken": nil, "externalId": nil, "settings": noData, "ETag": deckTag(b.modified),
	}
	if detail == boardListed || detail == boardDetails {
		out["shared"] = 0
	}
	if detail >= boardWhole {
		out["settings"] = map[string]any{"notify-due": "assigned", "calendar": true}
	}
	if detail == boardMade {
		out["lastModified"], out["ETag"] = 0, deckTag(0)
	}
	return out
}

func (s *Server) deckACLAnswer(b *deckBoard, x *deckACL) map[string]any {
	return map[string]any{
		"id": x.id, "participant": s.deckUser(x.participant), "type": 0, "boardId": b.id,
		"permissionEdit": x.edit, "permissionShare": x.share, "permissionManage": x.manage, "owner": false,
	}
}

func (l *deckLabel) answer(card any) map[string]any {
	return map[string]any{"id": l.id, "title": l.title, "color": l.color, "boardId": l.board, "cardId": card, "lastModified": l.modified, "ETag": deckTag(l.modified)}
}

// answer is a stack; Deck leaves out cards where there are none.
func (st *deckStack) answer(cards []any) map[string]any {
	out := map[string]any{
		"id": st.id, "title": st.title, "boardId": st.board, "deletedAt": st.deletedAt, "lastModified": st.modified, "order": st.order,
		"isDoneColumn": false, "ETag": deckTag(st.modified),
	}
	if len(cards) > 0 {
		out["cards"] = cards
	}
	return out
}

// cardDetail is how much of a card is told.
type cardDetail int

const (
	cardWhole   cardDetail = iota // with labels and people
	cardChanged                   // after a change: with labels, without people
	cardBare                      // in a list of archived cards, or after the order changed
	cardInStack                   // in a single stack: with people, without labels
	cardDeleted                   // among the deleted ones
)

func (s *Server) deckCardAnswer(c *deckCard, detail cardDetail) map[string]any {
	out := map[string]any{
		"id": c.id, "title": c.title, "description": c.description, "color": c.color, "stackId": c.stack, "type": c.kind, "lastModified": c.modified,
		"lastEditor": c.editor, "createdAt": c.created, "labels": s.deckCardLabels(c), "assignedUsers": s.deckAssigned(c), "attachments": noData,
		"attachmentCount": s.deckAttachmentCount(c.id), "owner": s.deckUser(c.owner), "order": c.order, "archived": c.archived,
		"done": deckDate(c.done), "duedate": deckDate(c.due), "startdate": deckDate(c.start), "deletedAt": c.deletedAt,
		"commentsUnread": 0, "commentsCount": s.deckCommentCount(c.id), "dependentCards": append([]int{}, c.dependencies...), "ETag": deckTag(c.modified),
	}
	if detail == cardWhole || detail == cardInStack {
		out["overdue"], out["referenceData"] = s.deckOverdue(c), nil
	} else {
		out["descriptionPrev"], out["notified"], out["relatedStack"], out["relatedBoard"] = c.before, false, nil, nil
	}
	switch detail {
	case cardWhole, cardDeleted:
	case cardChanged:
		out["assignedUsers"], out["dependentCards"], out["attachmentCount"], out["commentsCount"] = nil, nil, 0, 0
	case cardBare:
		// Deck: archived cards have their labels, when they have any, and never their people.
		if out["assignedUsers"], out["dependentCards"], out["owner"] = nil, nil, c.owner; len(c.labels) == 0 || !c.archived {
			out["labels"] = nil
		}
	case cardInStack:
		out["labels"], out["dependentCards"], out["owner"] = nil, nil, c.owner
	}
	return out
}

func (s *Server) deckOverdue(c *deckCard) int {
	if c.due == nil {
		return 0
	}
	switch left := c.due.Sub(s.now()); {
	case left < 0:
		return 3
	case left < day:
		return 2
	case left < 2*day:
		return 1
	}
	return 0
}

func (s *Server) deckCardLabels(c *deckCard) []any {
	out := []any{}
	for _, id := range c.labels {
		if l := s.deck.labels[id]; l != nil {
			out = append(out, l.answer(c.id))
		}
	}
	return out
}

func (s *Server) deckAssigned(c *deckCard) []any {
	out := []any{}
	for _, x := range c.assigned {
		out = append(out, s.deckAssignmentAnswer(c, x))
	}
	return out
}

func (s *Server) deckAssignmentAnswer(c *deckCard, x deckAssignment) map[string]any {
	return map[string]any{"id": x.id, "participant": s.deckUser(x.uid), "cardId": c.id, "type": 0}
}

func (s *Server) deckAttachmentCount(card int) int {
	n := 0
	for _, x := range s.deck.attachments {
		if x.card == card && x.deletedAt == 0 {
			n++
		}
	}
	return n
}

func (s *Server) deckCommentCount(card int) int {
	n := 0
	for _, x := range s.deck.comments {
		if x.card == card {
			n++
		}
	}
	return n
}
