package deck

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

// Card is a card with everything that Deck tells of it.
type Card struct {
	ID            int64
	Title         string
	Description   string // Markdown
	StackID       int64
	Type          string
	Order         int64
	Owner         User
	Color         string
	Archived      bool
	Due           string // RFC 3339; empty when there is none, here and below
	Start         string
	Done          string
	Created       int64 // Unix seconds
	Modified      int64
	Labels        []Label
	Assigned      []User
	Unknown       bool // Deck did not say who is assigned: it does not for archived cards in lists
	Comments      int64
	Unread        int64
	AttachmentsN  int64
	DependsOn     []int64
	Deleted       bool
	ETag          string
	assignedKinds []int64
}

type wireAssigned struct {
	Participant person       `json:"participant"`
	Type        lenient.Int  `json:"type"`
	UID         lenient.Text `json:"uid"`
	Name        lenient.Text `json:"displayname"`
}

type wireCard struct {
	ID          lenient.Int                 `json:"id"`
	Title       lenient.Text                `json:"title"`
	Description lenient.Text                `json:"description"`
	StackID     lenient.Int                 `json:"stackId"`
	Type        lenient.Text                `json:"type"`
	Order       lenient.Int                 `json:"order"`
	Owner       person                      `json:"owner"`
	Color       lenient.Text                `json:"color"`
	Archived    lenient.Bool                `json:"archived"`
	Due         lenient.Text                `json:"duedate"`
	Start       lenient.Text                `json:"startdate"`
	Done        lenient.Text                `json:"done"`
	Created     lenient.Int                 `json:"createdAt"`
	Modified    lenient.Int                 `json:"lastModified"`
	Labels      lenient.List[wireLabel]     `json:"labels"`
	Assigned    *lenient.List[wireAssigned] `json:"assignedUsers"`
	Comments    lenient.Int                 `json:"commentsCount"`
	Unread      lenient.Int                 `json:"commentsUnread"`
	Attachments lenient.Int                 `json:"attachmentCount"`
	DependsOn   lenient.List[lenient.Int]   `json:"dependentCards"`
	Deleted     lenient.Int                 `json:"deletedAt"`
	ETag        lenient.Text                `json:"ETag"`
}

func (w *wireCard) Check() error {
	if w.ID <= 0 {
		return lenient.NoID()
	}
	return nil
}

func (w *wireCard) card() *Card {
	out := &Card{
		ID: int64(w.ID), Title: string(w.Title), Description: string(w.Description), StackID: int64(w.StackID), Type: string(w.Type), Order: int64(w.Order),
		Owner: User(w.Owner), Color: string(w.Color), Archived: bool(w.Archived), Due: string(w.Due), Start: string(w.Start), Done: string(w.Done),
		Created: int64(w.Created), Modified: int64(w.Modified), Unknown: w.Assigned == nil, Comments: int64(w.Comments), Unread: int64(w.Unread),
		AttachmentsN: int64(w.Attachments), Deleted: w.Deleted > 0, ETag: string(w.ETag),
	}
	for i := range w.Labels.Items {
		// Nextcloud: Deck can assign the same label twice.
		if l := w.Labels.Items[i].label(); !slices.Contains(out.Labels, l) {
			out.Labels = append(out.Labels, l)
		}
	}
	if w.Assigned != nil {
		for _, a := range w.Assigned.Items {
			u := User(a.Participant)
			if u.ID == "" {
				u = User{string(a.UID), string(a.Name)}
			}
			out.Assigned = append(out.Assigned, u)
			out.assignedKinds = append(out.assignedKinds, int64(a.Type))
		}
	}
	for _, n := range w.DependsOn.Items {
		out.DependsOn = append(out.DependsOn, int64(n))
	}
	return out
}

// Card reads one card. Its stack need not be known.
func (c *Client) Card(ctx context.Context, card int64) (*Card, error) {
	op := "read card " + id(card)
	if card <= 0 {
		return nil, invalidf(op, "a card's id is a positive number")
	}
	var w wireCard
	if err := c.get(ctx, op, cardPath(0, card), &w); err != nil {
		return nil, err
	}
	k := w.card()
	k.ID = card
	return k, nil
}

// Draft is a new card.
type Draft struct {
	Title       string
	Description string
	Type        string     // default plain
	Order       *int64     // default behind the others
	Due, Start  *time.Time // may be nil
	Color       string     // may be empty
}

// CreateCard adds a card to a list of a board.
func (c *Client) CreateCard(ctx context.Context, board, stack int64, d Draft) (*Card, error) {
	const op = "create card"
	if err := checkTitle(op, d.Title, 255); err != nil {
		return nil, err
	}
	body := map[string]any{"title": d.Title, "description": d.Description, "type": "plain", "order": int64(999)}
	if d.Type != "" {
		body["type"] = d.Type
	}
	if d.Order != nil {
		body["order"] = *d.Order
	}
	// Nextcloud: Deck forgets the offset of a new card's dates.
	if d.Due != nil {
		body["duedate"] = wireTime(*d.Due)
	}
	if d.Start != nil {
		body["startdate"] = wireTime(*d.Start)
	}
	if d.Color != "" {
		color, err := hexColor(op, d.Color)
		if err != nil {
			return nil, err
		}
		body["color"] = color
	}
	var w wireCard
	if err := c.send(ctx, op, http.MethodPost, stackPath(board, stack)+"/cards", body, &w); err != nil {
		return nil, err
	}
	return w.card(), nil
}

// wireTime is a moment as Deck takes it without loss.
func wireTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05+00:00") }

// Change is what shall be different of a card; nil leaves a part as it is.
// Dates that point to the empty text are taken away.
type Change struct {
	Title, Description, Type, Owner *string
	Order                           *int64
	Due, Start, Done                *string // RFC 3339 or a date
	Color                           *string // hexadecimal; empty for none
	Archived                        *bool
}

// UpdateCard changes the given parts of a card and keeps all others. Deck's API
// takes whole cards only and no condition, so the card is read first; with an
// etag, a card that changed since is refused.
func (c *Client) UpdateCard(ctx context.Context, card int64, etag string, change Change) (*Card, error) {
	op := "change card " + id(card)
	if change.Title != nil {
		if err := checkTitle(op, *change.Title, 255); err != nil {
			return nil, err
		}
	}
	now, err := c.Card(ctx, card)
	if err != nil {
		return nil, err
	}
	if etag != "" && now.ETag != "" && nextcloud.UnquoteETag(etag) != now.ETag {
		return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrPrecondition, Message: "its etag is " + now.ETag + " now"}
	}
	return c.write(ctx, op, now, now.StackID, change)
}

// write sends all of a card, changed, to a list.
func (c *Client) write(ctx context.Context, op string, now *Card, stack int64, change Change) (*Card, error) {
	body := map[string]any{
		"title": or(change.Title, now.Title), "description": or(change.Description, now.Description), "type": or(change.Type, now.Type),
		"owner": or(change.Owner, now.Owner.ID), "order": now.Order,
	}
	if change.Order != nil {
		body["order"] = *change.Order
	}
	for name, value := range map[string]string{"duedate": or(change.Due, now.Due), "startdate": or(change.Start, now.Start), "done": or(change.Done, now.Done)} {
		body[name] = nil
		if value != "" {
			t, err := ParseTime(value)
			if err != nil {
				return nil, err
			}
			body[name] = wireTime(t)
		}
	}
	if change.Color != nil {
		body["color"] = nil
		if *change.Color != "" {
			color, err := hexColor(op, *change.Color)
			if err != nil {
				return nil, err
			}
			body["color"] = color
		}
	}
	// Nextcloud: Deck refuses "archived" for what is archived, and keeps it when
	// it is left out.
	if change.Archived != nil && *change.Archived != now.Archived {
		body["archived"] = *change.Archived
	}
	var w wireCard
	if err := c.send(ctx, op, http.MethodPut, cardPath(stack, now.ID), body, &w); err != nil {
		return nil, err
	}
	return w.card(), nil
}

func or(given *string, now string) string {
	if given != nil {
		return *given
	}
	return now
}

// DeleteCard puts a card into Deck's trash.
func (c *Client) DeleteCard(ctx context.Context, card int64) (*Card, error) {
	return c.change(ctx, "delete card "+id(card), http.MethodDelete, cardPath(0, card), nil)
}

// Archive archives a card or brings it back.
func (c *Client) Archive(ctx context.Context, card int64, archived bool) (*Card, error) {
	verb, path := "archive", "/archive"
	if !archived {
		verb, path = "unarchive", "/unarchive"
	}
	return c.change(ctx, verb+" card "+id(card), http.MethodPut, cardPath(0, card)+path, map[string]any{})
}

// change is a request that answers with the card.
func (c *Client) change(ctx context.Context, op, method, path string, body any) (*Card, error) {
	var w wireCard
	if err := c.send(ctx, op, method, path, body, &w); err != nil {
		return nil, err
	}
	return w.card(), nil
}

// Deleted are the cards of a board that wait in Deck's trash.
func (c *Client) Deleted(ctx context.Context, board int64) ([]*Card, []lenient.Skipped, error) {
	var list lenient.List[wireCard]
	r := nextcloud.Request{Op: "list deleted cards", Path: "/index.php/apps/deck/" + id(board) + "/cards/deleted", MaxBody: maxBoard}
	if _, err := c.nc.JSON(ctx, r, &list); err != nil {
		return nil, nil, failure(err, http.MethodGet)
	}
	var out []*Card
	for i := range list.Items {
		out = append(out, list.Items[i].card())
	}
	return out, list.Skipped, nil
}

// RestoreCard brings a deleted card of a board back, as it was.
func (c *Client) RestoreCard(ctx context.Context, board, card int64) (*Card, error) {
	op := "restore card " + id(card)
	deleted, _, err := c.Deleted(ctx, board)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(deleted, func(k *Card) bool { return k.ID == card })
	if i < 0 {
		return nil, notFoundf(op, "it is not among the deleted cards of board %d: it was not deleted, or the trash has been emptied", board)
	}
	// Nextcloud: whatever is written to a deleted card through this API brings
	// it back.
	return c.write(ctx, op, deleted[i], deleted[i].StackID, Change{})
}

// Reorder puts a card at a place of a list of the same board, 0 being the
// first.
func (c *Client) Reorder(ctx context.Context, card, stack, place int64) error {
	op := "move card " + id(card)
	if place < 0 {
		return invalidf(op, "order is the place in the list, 0 being the first")
	}
	// Nextcloud: the stack of the path is where the card goes, that of the body
	// is not looked at but needed.
	return c.send(ctx, op, http.MethodPut, cardPath(stack, card)+"/reorder", map[string]any{"order": place, "stackId": stack}, nil)
}

// Moved is a card after it went to another board.
type Moved struct {
	Card       *Card
	LostLabels []string // that the other board does not have, and the person may not make there
}

// Move takes a card to a list of any board, with its dates, whether it is
// done, and its labels where the board has such or the person may make them.
func (c *Client) Move(ctx context.Context, card, board, stack, order int64) (*Moved, error) {
	op := "move card " + id(card)
	now, err := c.Card(ctx, card)
	if err != nil {
		return nil, err
	}
	if now.Archived && len(now.Labels) > 0 {
		// Nextcloud: Deck moves it and then fails half-way, over its labels.
		return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrConflict, Message: "the card is archived: unarchive it first"}
	}
	target, err := c.Board(ctx, board)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(target.Stacks, func(s Stack) bool { return s.ID == stack }) {
		return nil, notFoundf(op, "board %d has no list %d. There are: %s", board, stack, target.stackNames())
	}
	moved, err := c.write(ctx, op, now, stack, Change{Order: &order})
	if err != nil {
		return nil, err
	}
	out := &Moved{Card: moved}
	for _, l := range now.Labels {
		if !slices.ContainsFunc(moved.Labels, func(m Label) bool { return m.Title == l.Title }) {
			out.LostLabels = append(out.LostLabels, l.Title)
		}
	}
	return out, nil
}

func (b *Board) stackNames() string {
	var all []named
	for _, s := range b.Stacks {
		all = append(all, named{id(s.ID), s.Title})
	}
	return candidates(all, nil)
}

// SetLabel gives a card a label of its board or takes it away. It answers
// false when nothing had to be done.
func (c *Client) SetLabel(ctx context.Context, card, label int64, on bool) (bool, error) {
	if on {
		// Nextcloud: Deck would assign a label twice.
		now, err := c.Card(ctx, card)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(now.Labels, func(l Label) bool { return l.ID == label }) {
			return false, nil
		}
	}
	verb := map[bool]string{true: "assignLabel", false: "removeLabel"}[on]
	err := c.send(ctx, "change labels of card "+id(card), http.MethodPut, cardPath(0, card)+"/"+verb, map[string]any{"labelId": label}, nil)
	return err == nil, err
}

// SetAssigned assigns a card to a member of its board or ends that. It answers
// false when nothing had to be done.
func (c *Client) SetAssigned(ctx context.Context, card int64, uid string, on bool) (bool, error) {
	verb := map[bool]string{true: "assignUser", false: "unassignUser"}[on]
	op := "change who card " + id(card) + " is assigned to"
	err := c.send(ctx, op, http.MethodPut, cardPath(0, card)+"/"+verb, map[string]any{"userId": uid}, nil)
	e, ok := err.(*nextcloud.Error) //nolint:errorlint // failure answers it bare
	switch {
	case !ok || e == nil:
		return err == nil, err
	case strings.HasPrefix(e.Message, "The user is already assigned"):
		return false, nil
	case strings.HasPrefix(e.Message, "No assignment for"):
		return false, nil
	case strings.HasPrefix(e.Message, "The user is not part of the board"):
		return false, notFoundf(op, "%.64q is not a member of the board: only members can be assigned", uid)
	}
	return false, err
}

// SetDependency says that a card waits for another, or that it does not any
// more.
func (c *Client) SetDependency(ctx context.Context, card, on int64, wanted bool) (*Card, error) {
	op := "change what card " + id(card) + " depends on"
	if card == on {
		return nil, invalidf(op, "a card cannot depend on itself")
	}
	method := http.MethodPost
	if !wanted {
		method = http.MethodDelete
	}
	k, err := c.change(ctx, op, method, cardPath(0, card)+"/dependentCards/"+id(on), nil)
	if e, ok := err.(*nextcloud.Error); ok && (e.Kind == nextcloud.ErrAppMissing || e.Status == http.StatusMethodNotAllowed) { //nolint:errorlint // failure answers it bare
		e.Kind, e.Message = nextcloud.ErrAppMissing, "it needs Deck 1.18 or newer"
	}
	return k, err
}
