package talk

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

// Kinds of conversations.
const (
	OneToOne   = "one_to_one"
	Group      = "group"
	Public     = "public"
	Changelog  = "changelog"
	NoteToSelf = "note_to_self"
)

// kinds are the kinds of conversations by Talk's number.
var kinds = []string{"", OneToOne, Group, Public, Changelog, "former_one_to_one", NoteToSelf}

// roles are the roles of participants by Talk's number.
var roles = []string{"", "owner", "moderator", "member", "guest", "self-joined", "guest moderator"}

func word(words []string, n lenient.Int) string {
	if n < 0 || int(n) >= len(words) {
		return ""
	}
	return words[n]
}

// Conversation is one conversation as the person sees it.
type Conversation struct {
	Token        string
	Kind         string
	Name         string // as it is shown; of two people, the other's
	ID           string // the name underneath; of two people, the other's account
	Description  string
	Role         string // of the person
	Unread       int64
	Mentioned    bool   // since the person has read it
	Activity     int64  // seconds since 1970
	Active       string // the same in RFC 3339
	LastRead     int64  // id of the message up to which the person has read
	Favorite     bool
	Archived     bool
	ReadOnly     bool
	Lobby        bool
	CanDelete    bool
	Status       string // of the other one, of two people, when it was asked for
	StatusText   string
	ObjectType   string
	ObjectID     string
	LastMessage  *Message
	NotifiedOnly string // "mention", "never"; empty: of everything
}

type wireConversation struct {
	Token        lenient.Text               `json:"token"`
	Kind         lenient.Int                `json:"type"`
	Name         lenient.Text               `json:"name"`
	Display      lenient.Text               `json:"displayName"`
	Description  lenient.Text               `json:"description"`
	Role         lenient.Int                `json:"participantType"`
	Unread       lenient.Int                `json:"unreadMessages"`
	Mentioned    lenient.Bool               `json:"unreadMention"`
	Activity     lenient.Int                `json:"lastActivity"`
	LastRead     lenient.Int                `json:"lastReadMessage"`
	Favorite     lenient.Bool               `json:"isFavorite"`
	Archived     lenient.Bool               `json:"isArchived"`
	ReadOnly     lenient.Int                `json:"readOnly"`
	Lobby        lenient.Int                `json:"lobbyState"`
	CanDelete    lenient.Bool               `json:"canDeleteConversation"`
	Permissions  lenient.Int                `json:"permissions"`
	Status       lenient.Text               `json:"status"`
	StatusText   lenient.Text               `json:"statusMessage"`
	ObjectType   lenient.Text               `json:"objectType"`
	ObjectID     lenient.Text               `json:"objectId"`
	Notification lenient.Int                `json:"notificationLevel"`
	LastMessage  lenient.Maybe[wireMessage] `json:"lastMessage"`
}

// Check implements lenient.Checker.
func (w *wireConversation) Check() error {
	if w.Token == "" {
		return lenient.NoID()
	}
	return nil
}

func (w *wireConversation) conversation() *Conversation {
	out := &Conversation{
		Token: string(w.Token), Kind: word(kinds, w.Kind), Name: string(cmp.Or(w.Display, w.Name)), ID: string(w.Name), Description: string(w.Description),
		Role: word(roles, w.Role), Unread: int64(w.Unread), Mentioned: bool(w.Mentioned), Activity: int64(w.Activity), Active: moment(w.Activity),
		LastRead: int64(w.LastRead), Favorite: bool(w.Favorite), Archived: bool(w.Archived), ReadOnly: w.ReadOnly != 0, Lobby: w.Lobby != 0,
		CanDelete: bool(w.CanDelete), Status: string(w.Status), StatusText: string(w.StatusText), ObjectType: string(w.ObjectType), ObjectID: string(w.ObjectID),
		NotifiedOnly: word([]string{"", "", "mention", "never"}, w.Notification),
	}
	if last := w.LastMessage.Value; last != nil && last.ID > 0 {
		out.LastMessage = last.message()
	}
	return out
}

// ListQuery narrows List; the zero value asks for everything.
type ListQuery struct {
	ModifiedSince int64 // seconds since 1970; 0 for all
	Status        bool  // with the status of people
}

// List are the conversations of the person, the last active first. modified is
// what ModifiedSince can be next time, 0 when Talk does not say.
func (c *Client) List(ctx context.Context, q ListQuery) (list []*Conversation, skipped []lenient.Skipped, modified int64, err error) {
	query := url.Values{"noStatusUpdate": {"1"}}
	if q.ModifiedSince > 0 {
		query.Set("modifiedSince", strconv.FormatInt(q.ModifiedSince, 10))
	}
	if q.Status {
		query.Set("includeStatus", "1")
	}
	var found lenient.List[wireConversation]
	res, err := c.ask(ctx, "", nextcloud.Request{Op: "list the conversations", Path: rooms, Query: query}, &found)
	if err != nil {
		return nil, nil, 0, err
	}
	for i := range found.Items {
		list = append(list, found.Items[i].conversation())
	}
	slices.SortStableFunc(list, func(a, b *Conversation) int {
		return cmp.Or(cmp.Compare(b.Activity, a.Activity), cmp.Compare(a.Token, b.Token))
	})
	modified, _ = strconv.ParseInt(res.Header.Get("X-Nextcloud-Talk-Modified-Before"), 10, 64)
	return list, found.Skipped, modified, nil
}

// Get is one conversation.
func (c *Client) Get(ctx context.Context, token string) (*Conversation, error) {
	p, err := nextcloud.Path(rooms, token)
	if err != nil {
		return nil, err
	}
	return c.one(ctx, token, nextcloud.Request{Op: "read the conversation", Path: p})
}

// one is an exchange that answers a conversation.
func (c *Client) one(ctx context.Context, token string, r nextcloud.Request) (*Conversation, error) {
	var w wireConversation
	if _, err := c.ask(ctx, token, r, &w); err != nil {
		return nil, err
	}
	if w.Token == "" {
		w.Token = lenient.Text(token)
	}
	return w.conversation(), nil
}

// Create makes a conversation: OneToOne with the account invite, or Group or
// Public with a name. A Group may invite the group of people of that id. Of two
// people there is only one, and existed says that it was there.
func (c *Client) Create(ctx context.Context, kind, name, invite string) (made *Conversation, existed bool, err error) {
	body := map[string]any{"roomType": slices.Index(kinds, kind)}
	if name != "" {
		body["roomName"] = name
	}
	if invite != "" {
		body["invite"] = invite
	}
	var w wireConversation
	res, err := c.ask(ctx, "", nextcloud.Request{Op: "create the conversation", Method: http.MethodPost, Path: rooms, Body: nextcloud.JSONBody(body)}, &w)
	if err != nil {
		return nil, false, because(err, map[string]string{
			"invite": "there is nobody of that id to invite", "404": "there is nobody of that id to invite", "type": "Talk does not make such conversations",
			"name": "the name is empty or longer than 255 characters", "403": "the person may not create conversations, or not invite this one",
		})
	}
	if w.Token == "" {
		return nil, false, &nextcloud.Error{Op: "create the conversation", Kind: nextcloud.ErrBadAnswer, Status: res.Status, Message: "the answer names no conversation"}
	}
	return w.conversation(), res.Status == http.StatusOK, nil
}

// MarkRead marks a conversation as read up to the message of an id, or whole
// when id is 0. An older message moves the mark back.
func (c *Client) MarkRead(ctx context.Context, token string, id int64) (*Conversation, error) {
	p, err := nextcloud.Path(chats, token, "read")
	if err != nil {
		return nil, err
	}
	body := map[string]any{}
	if id > 0 {
		body["lastReadMessage"] = id
	}
	return c.one(ctx, token, nextcloud.Request{Op: "mark the conversation as read", Method: http.MethodPost, Path: p, Body: nextcloud.JSONBody(body)})
}

// Participant is somebody who takes part in a conversation.
type Participant struct {
	Attendee   int64
	Kind       string // "users", "groups", "guests", "emails", "circles", "federated_users"
	ID         string
	Name       string
	Role       string
	InCall     bool
	Present    bool // has the conversation open now
	Status     string
	StatusText string
}

type wireParticipant struct {
	Attendee   lenient.Int                `json:"attendeeId"`
	Kind       lenient.Text               `json:"actorType"`
	ID         lenient.Text               `json:"actorId"`
	Name       lenient.Text               `json:"displayName"`
	Role       lenient.Int                `json:"participantType"`
	InCall     lenient.Int                `json:"inCall"`
	Sessions   lenient.List[lenient.Text] `json:"sessionIds"`
	Status     lenient.Text               `json:"status"`
	StatusText lenient.Text               `json:"statusMessage"`
}

// Check implements lenient.Checker.
func (w *wireParticipant) Check() error {
	if w.Attendee <= 0 {
		return lenient.NoID()
	}
	return nil
}

// Participants are all who take part in a conversation, by attendee id.
func (c *Client) Participants(ctx context.Context, token string, status bool) ([]Participant, []lenient.Skipped, error) {
	p, err := nextcloud.Path(rooms, token, "participants")
	if err != nil {
		return nil, nil, err
	}
	query := url.Values{}
	if status {
		query.Set("includeStatus", "1")
	}
	var found lenient.List[wireParticipant]
	if _, err := c.ask(ctx, token, nextcloud.Request{Op: "list the participants", Path: p, Query: query}, &found); err != nil {
		return nil, nil, err
	}
	var list []Participant
	for _, w := range found.Items {
		list = append(list, Participant{
			Attendee: int64(w.Attendee), Kind: string(w.Kind), ID: string(w.ID), Name: actor(w.Name, w.Kind, w.ID), Role: word(roles, w.Role),
			InCall: w.InCall != 0, Present: len(w.Sessions.Items) > 0, Status: string(w.Status), StatusText: string(w.StatusText),
		})
	}
	slices.SortStableFunc(list, func(a, b Participant) int { return cmp.Compare(a.Attendee, b.Attendee) })
	return list, found.Skipped, nil
}

// Invite adds somebody to a conversation. source is the kind of the id: users,
// groups, emails, circles or federated_users. opened says that the conversation
// has become public by it, so that who was invited by mail can come in.
func (c *Client) Invite(ctx context.Context, token, id, source string) (opened bool, err error) {
	p, err := nextcloud.Path(rooms, token, "participants")
	if err != nil {
		return false, err
	}
	var now lenient.Maybe[struct {
		Kind lenient.Int `json:"type"`
	}]
	_, err = c.ask(ctx, token, nextcloud.Request{
		Op: "add the participant", Method: http.MethodPost, Path: p, Body: nextcloud.JSONBody(map[string]string{"newParticipant": id, "source": source}),
	}, &now)
	if err != nil {
		return false, because(err, map[string]string{
			"404": "there is no such conversation, or nobody of that id and source", "new-participant": "nobody can be added by that id", "room-type": "nobody can be added to this kind of conversation",
			"400": "Talk does not add this one to this conversation", "source": "Talk does not know this source", "501": "teams need the app Teams",
		})
	}
	return now.Value != nil && word(kinds, now.Value.Kind) == Public, nil
}
