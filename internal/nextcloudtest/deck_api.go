package nextcloudtest

import (
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// deckCall is one request to the Deck app, with its lock held.
type deckCall struct {
	*http.Request
	s      *Server
	w      http.ResponseWriter
	a      *account
	app    *deckApp
	params map[string]any
	now    int64
}

// deckFault is how Deck refuses; without a message the answer has no body.
type deckFault struct {
	status  int
	message string
}

var (
	deckDenied        = &deckFault{http.StatusForbidden, "Permission denied"}
	deckCardDeleted   = &deckFault{http.StatusForbidden, "Card is deleted"}
	deckNoParameter   = &deckFault{http.StatusBadRequest, ""}
	deckCardArchived  = &deckFault{http.StatusInternalServerError, "Operation not allowed. This card is archived."}
	deckBoardArchived = &deckFault{http.StatusInternalServerError, "Operation not allowed. This board is archived."}
	deckBroken        = &deckFault{http.StatusInternalServerError, "Internal server error: Please contact the server administrator if this error reappears multiple times, please include the request ID \"xikhEL9yzuHGB72G1Xug\" below in your report."}
)

func deckInvalid(message string) *deckFault { return &deckFault{http.StatusBadRequest, message} }

func (s *Server) deckHandle(pattern string, h func(*deckCall) (any, *deckFault)) {
	s.handle(pattern, familyCORS, func(w http.ResponseWriter, r *http.Request, a *account) {
		answer, fault := s.deckRun(w, r, a, h)
		switch {
		case fault == nil && answer == nil:
		case fault == nil:
			writeJSON(w, http.StatusOK, answer)
		default:
			fault.write(w)
		}
	})
}

func (f *deckFault) write(w http.ResponseWriter) {
	if f.message == "" {
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(f.status)
		return
	}
	body := map[string]any{"status": f.status, "message": f.message}
	if f == deckBroken {
		body["requestId"] = "xikhEL9yzuHGB72G1Xug"
	}
	writeJSON(w, f.status, body)
}

func (s *Server) deckRun(w http.ResponseWriter, r *http.Request, a *account, h func(*deckCall) (any, *deckFault)) (any, *deckFault) {
	s.deck.mu.Lock()
	defer s.deck.mu.Unlock()
	return h(&deckCall{Request: r, s: s, w: w, a: a, app: &s.deck, params: phpParams(r), now: s.now().Unix()})
}

// etag sets the ETag and reports whether the client has the same; the answer is written then.
func (c *deckCall) etag(tag string) bool {
	c.w.Header().Set("ETag", `"`+tag+`"`)
	if matchesETag(c.Header.Get("If-None-Match"), tag) {
		c.w.WriteHeader(http.StatusNotModified)
		return true
	}
	return false
}

// id reads a number of the path. Deck: what is none ends in a server error.
func (c *deckCall) id(name string) (int, *deckFault) {
	n, err := strconv.Atoi(c.PathValue(name))
	if err != nil {
		return 0, deckBroken
	}
	return n, nil
}

func (c *deckCall) text(name string) string { return phpText(c.params[name]) }

func (c *deckCall) has(name string) bool {
	v, ok := c.params[name]
	return ok && v != nil
}

func (c *deckCall) number(name string) int {
	n, _ := strconv.Atoi(c.text(name))
	return n
}

// checkTitle is Deck's validation of titles.
func checkTitle(title string, limit int) *deckFault {
	switch {
	case strings.TrimSpace(title) == "":
		return deckInvalid("title must be provided and must be not empty")
	case utf8.RuneCountInString(title) > limit:
		return deckInvalid("title cannot be longer than " + strconv.Itoa(limit) + " characters ")
	}
	return nil
}

func checkColor(color string) *deckFault {
	switch {
	case color == "":
		return deckInvalid("color must be provided and must be not empty")
	case len(color) > 6:
		return deckInvalid("color cannot be longer than 6 characters ")
	case strings.Trim(strings.ToLower(color), "0123456789abcdef") != "" || len(color) != 6 && len(color) != 3:
		return deckInvalid("color must be provided and must be hex color")
	}
	return nil
}

// parseDeckDate reads a date. Deck: on creation the offset is lost, 18:00+01:00 is kept as 18:00 UTC.
func parseDeckDate(text string, loseOffset bool) (*time.Time, *deckFault) {
	if text == "" {
		return nil, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			if loseOffset {
				t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
			}
			return new(t.UTC()), nil
		}
	}
	return nil, deckBroken
}

// board finds the board of the path.
func (c *deckCall) board(p deckPermission) (*deckBoard, *deckFault) {
	id, fault := c.id("board")
	if fault != nil {
		return nil, fault
	}
	b := c.app.board(id, c.a.id, p, false)
	if b == nil {
		return nil, deckDenied
	}
	if p != deckRead && b.archived {
		return nil, deckBoardArchived
	}
	return b, nil
}

// stack finds the stack of the path. Deck: whether it is on the board of the path does not matter.
func (c *deckCall) stack(p deckPermission) (*deckStack, *deckFault) {
	id, fault := c.id("stack")
	if fault != nil {
		return nil, fault
	}
	st := c.app.stacks[id]
	if st == nil || c.app.board(st.board, c.a.id, p, false) == nil {
		return nil, deckDenied
	}
	if p != deckRead && c.app.boards[st.board].archived {
		return nil, deckBoardArchived
	}
	return st, nil
}

// card finds a card by its id alone. Deck: board and stack of the path do not matter.
func (c *deckCall) card(p deckPermission) (*deckCard, *deckFault) {
	id, fault := c.id("card")
	if fault != nil {
		return nil, fault
	}
	return c.cardOf(id, p, false)
}

func (c *deckCall) cardOf(id int, p deckPermission, deleted bool) (*deckCard, *deckFault) {
	k := c.app.cards[id]
	if k == nil {
		return nil, deckDenied
	}
	b := c.app.boardOfCard(k)
	switch {
	case b == nil || c.app.board(b.id, c.a.id, p, false) == nil:
		return nil, deckDenied
	case k.deletedAt > 0 && !deleted:
		return nil, deckCardDeleted
	case p != deckRead && b.archived:
		return nil, deckBoardArchived
	}
	return k, nil
}

func (c *deckCall) label(p deckPermission) (*deckLabel, *deckFault) {
	id, fault := c.id("label")
	if fault != nil {
		return nil, fault
	}
	l := c.app.labels[id]
	if l == nil || c.app.board(l.board, c.a.id, p, false) == nil {
		return nil, deckDenied
	}
	return l, nil
}

func (s *Server) routesDeck() {
	const v = "/apps/deck/api/{version}/"
	const card = v + "boards/{board}/stacks/{stack}/cards/{card}"
	for pattern, h := range map[string]func(*deckCall) (any, *deckFault){
		"GET " + v + "boards":                               (*deckCall).listBoards,
		"POST " + v + "boards":                              (*deckCall).createBoard,
		"GET " + v + "boards/{board}":                       (*deckCall).getBoard,
		"PUT " + v + "boards/{board}":                       (*deckCall).updateBoard,
		"DELETE " + v + "boards/{board}":                    (*deckCall).deleteBoard,
		"POST " + v + "boards/{board}/undo_delete":          (*deckCall).undeleteBoard,
		"POST " + v + "boards/{board}/acl":                  (*deckCall).addACL,
		"PUT " + v + "boards/{board}/acl/{acl}":             (*deckCall).changeACL,
		"DELETE " + v + "boards/{board}/acl/{acl}":          (*deckCall).changeACL,
		"GET " + v + "boards/{board}/stacks":                (*deckCall).listStacks,
		"GET " + v + "boards/{board}/stacks/archived":       (*deckCall).listArchived,
		"POST " + v + "boards/{board}/stacks":               (*deckCall).createStack,
		"GET " + v + "boards/{board}/stacks/{stack}":        (*deckCall).getStack,
		"PUT " + v + "boards/{board}/stacks/{stack}":        (*deckCall).updateStack,
		"DELETE " + v + "boards/{board}/stacks/{stack}":     (*deckCall).deleteStack,
		"POST " + v + "boards/{board}/stacks/{stack}/cards": (*deckCall).createCard,
		"GET " + card:                                         (*deckCall).getCard,
		"PUT " + card:                                         (*deckCall).updateCard,
		"DELETE " + card:                                      (*deckCall).deleteCard,
		"PUT " + card + "/archive":                            (*deckCall).archiveCard,
		"PUT " + card + "/unarchive":                          (*deckCall).archiveCard,
		"PUT " + card + "/reorder":                            (*deckCall).reorderCard,
		"PUT " + card + "/assignLabel":                        (*deckCall).assignLabel,
		"PUT " + card + "/removeLabel":                        (*deckCall).removeLabel,
		"PUT " + card + "/assignUser":                         (*deckCall).assignUser,
		"PUT " + card + "/unassignUser":                       (*deckCall).unassignUser,
		"POST " + card + "/dependentCards/{other}":            (*deckCall).changeDependency,
		"DELETE " + card + "/dependentCards/{other}":          (*deckCall).changeDependency,
		"POST " + v + "boards/{board}/labels":                 (*deckCall).createLabel,
		"GET " + v + "boards/{board}/labels/{label}":          (*deckCall).getLabel,
		"PUT " + v + "boards/{board}/labels/{label}":          (*deckCall).updateLabel,
		"DELETE " + v + "boards/{board}/labels/{label}":       (*deckCall).deleteLabel,
		"GET " + card + "/attachments":                        (*deckCall).listAttachments,
		"POST " + card + "/attachments":                       (*deckCall).createAttachment,
		"GET " + card + "/attachments/{type}/{attachment}":    (*deckCall).getAttachment,
		"DELETE " + card + "/attachments/{type}/{attachment}": (*deckCall).deleteAttachment,
		// A route of Deck's own pages.
		"GET /apps/deck/{board}/cards/deleted": (*deckCall).listDeleted,
	} {
		s.deckHandle(pattern, h)
	}
	s.routesDeckOCS()
}
