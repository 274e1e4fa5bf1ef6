package talk

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

// Message is one message.
type Message struct {
	ID        int64
	Token     string // of its conversation
	From      string // name of who wrote it
	FromKind  string // "users", "guests", "bots", ...
	FromID    string
	Time      string // RFC 3339
	Text      string // with names in the place of placeholders
	Source    string // as it is to be written to say the same again
	System    string // what happened, when Talk itself says it; else empty
	Deleted   bool
	Edited    string // RFC 3339; empty when it was not
	Reactions map[string]int64
	Mentions  []string // names of the people it names
	Files     []File
	Parent    *Message // what it answers
}

// File is a file that a message shares.
type File struct {
	ID   string
	Name string
	Path string // in the person's files, when it is there
}

type wireMessage struct {
	ID        lenient.Int                                     `json:"id"`
	Token     lenient.Text                                    `json:"token"`
	ActorType lenient.Text                                    `json:"actorType"`
	ActorID   lenient.Text                                    `json:"actorId"`
	Actor     lenient.Text                                    `json:"actorDisplayName"`
	Time      lenient.Int                                     `json:"timestamp"`
	Text      lenient.Text                                    `json:"message"`
	Params    lenient.Maybe[map[string]lenient.Maybe[object]] `json:"messageParameters"`
	System    lenient.Text                                    `json:"systemMessage"`
	Kind      lenient.Text                                    `json:"messageType"`
	Deleted   lenient.Bool                                    `json:"deleted"`
	Edited    lenient.Int                                     `json:"lastEditTimestamp"`
	Reactions lenient.Maybe[map[string]lenient.Int]           `json:"reactions"`
	Parent    lenient.Maybe[wireMessage]                      `json:"parent"`
}

// Check implements lenient.Checker.
func (w *wireMessage) Check() error {
	if w.ID <= 0 {
		return lenient.NoID()
	}
	return nil
}

func (w *wireMessage) message() *Message {
	out := &Message{
		ID: int64(w.ID), Token: string(w.Token), From: actor(w.Actor, w.ActorType, w.ActorID), FromKind: string(w.ActorType), FromID: string(w.ActorID),
		Time: moment(w.Time), System: string(w.System), Deleted: bool(w.Deleted) || w.Kind == "comment_deleted", Edited: moment(w.Edited),
	}
	var params map[string]lenient.Maybe[object]
	if w.Params.Value != nil {
		params = *w.Params.Value
	}
	out.Text = fill(string(w.Text), params, object.shown)
	out.Source = fill(string(w.Text), params, object.source)
	for _, key := range sortedKeys(params) {
		o := params[key].Value
		switch {
		case o == nil:
		case strings.HasPrefix(key, "mention-"):
			out.Mentions = append(out.Mentions, string(o.Name))
		case o.Type == "file":
			out.Files = append(out.Files, File{string(o.ID), string(o.Name), string(o.Path)})
		}
	}
	if w.Reactions.Value != nil {
		for emoji, n := range *w.Reactions.Value {
			if n > 0 {
				if out.Reactions == nil {
					out.Reactions = map[string]int64{}
				}
				out.Reactions[emoji] = int64(n)
			}
		}
	}
	if parent := w.Parent.Value; parent != nil && parent.ID > 0 {
		out.Parent = parent.message()
	}
	return out
}

// echoes are the messages of Talk itself that only tell of a change of another
// message, which shows it.
var echoes = []string{"message_edited", "message_deleted", "reaction", "reaction_revoked", "reaction_deleted", "poll_voted"}

// Echo reports whether a message only tells of a change that another message
// shows by itself.
func (m *Message) Echo() bool { return slices.Contains(echoes, m.System) }

// maxPage bounds a page of messages, in Talk.
const maxPage = 200

// Page asks for the messages of a conversation before one of them.
type Page struct {
	Before int64 // id; 0 for the newest
	With   bool  // the message Before too
	Limit  int   // at most 200
}

// Messages is a page of a conversation, the newest first, and the id before
// which the next page is, 0 at the end.
func (c *Client) Messages(ctx context.Context, token string, q Page) (list []*Message, skipped []lenient.Skipped, next int64, err error) {
	const op = "read the messages"
	p, err := nextcloud.Path(chats, token)
	if err != nil {
		return nil, nil, 0, err
	}
	query := url.Values{
		"lookIntoFuture": {"0"}, "limit": {strconv.Itoa(min(max(q.Limit, 1), maxPage))},
		"setReadMarker": {"0"}, "noStatusUpdate": {"1"}, "markNotificationsAsRead": {"0"},
	}
	if q.Before > 0 {
		query.Set("lastKnownMessageId", strconv.FormatInt(q.Before, 10))
	}
	if q.With {
		query.Set("includeLastKnown", "1")
	}
	var found lenient.List[wireMessage]
	res, err := c.ask(ctx, token, nextcloud.Request{Op: op, Path: p, Query: query}, &found)
	if e, ok := errors.AsType[*nextcloud.Error](err); ok && e.Status == http.StatusNotModified {
		// Nextcloud: there is nothing before the last one.
		return nil, nil, 0, nil
	}
	if err != nil {
		return nil, nil, 0, err
	}
	for i := range found.Items {
		m := found.Items[i].message()
		m.Token = token
		list = append(list, m)
	}
	return list, found.Skipped, c.next(res, list, q), nil
}

// next is where the page behind one begins. A page may be short and not the
// last one: Talk leaves out what the person must not see after it has counted.
func (c *Client) next(res *nextcloud.Response, list []*Message, q Page) int64 {
	if n := len(list); n > 0 && slices.Contains([]string{"conversation_created", "history_cleared"}, list[n-1].System) {
		return 0
	}
	given, err := strconv.ParseInt(res.Header.Get("X-Chat-Last-Given"), 10, 64)
	if err != nil && len(list) > 0 {
		given = list[len(list)-1].ID
	}
	if given <= 0 || q.Before > 0 && given >= q.Before && !q.With || q.With && given > q.Before {
		return 0
	}
	return given
}

// Message is one message of a conversation.
func (c *Client) Message(ctx context.Context, token string, id int64) (*Message, error) {
	list, _, _, err := c.Messages(ctx, token, Page{Before: id, With: true, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(list) == 0 || list[0].ID != id {
		return nil, &nextcloud.Error{Op: "read message " + strconv.FormatInt(id, 10), Kind: nextcloud.ErrNotFound, Message: "the conversation has no such message"}
	}
	return list[0], nil
}

// Draft is a message to be sent.
type Draft struct {
	Text    string
	ReplyTo int64 // id of a message of the same conversation; 0 for none
	Silent  bool  // nobody is notified
}

// Send sends a message.
func (c *Client) Send(ctx context.Context, token string, d Draft) (*Message, error) {
	p, err := nextcloud.Path(chats, token)
	if err != nil {
		return nil, err
	}
	body := map[string]any{"message": d.Text, "referenceId": strings.ToLower(rand.Text() + rand.Text())}
	if d.ReplyTo > 0 {
		body["replyTo"] = d.ReplyTo
	}
	if d.Silent {
		body["silent"] = true
	}
	return c.said(ctx, token, nextcloud.Request{Op: "send the message", Method: http.MethodPost, Path: p, Body: nextcloud.JSONBody(body)})
}

// refusals are the reasons for which Talk refuses a message.
var refusals = map[string]string{
	"reply-to": "the message to reply to is not in this conversation, or nobody can reply to it",
	"413":      "a message has at most 32000 characters", "age": "the message is too old to be changed", "404": "the conversation has no such message",
	"405": "this kind of message cannot be changed", "message": "Talk does not take this message",
}

// said is an exchange that answers a message.
func (c *Client) said(ctx context.Context, token string, r nextcloud.Request) (*Message, error) {
	var w wireMessage
	if _, err := c.ask(ctx, token, r, &w); err != nil {
		if e, ok := errors.AsType[*nextcloud.Error](err); ok && e.Status == http.StatusRequestEntityTooLarge {
			return nil, because(err, map[string]string{"message": refusals["413"]})
		}
		return nil, because(err, refusals)
	}
	m := w.message()
	m.Token = token
	return m, nil
}

// Edit replaces the text of a message, which is answered as it is now.
func (c *Client) Edit(ctx context.Context, token string, id int64, text string) (*Message, error) {
	p, err := nextcloud.Path(chats, token, strconv.FormatInt(id, 10))
	if err != nil {
		return nil, err
	}
	return c.said(ctx, token, nextcloud.Request{
		Op: "edit message " + strconv.FormatInt(id, 10), Method: http.MethodPut, Path: p, Body: nextcloud.JSONBody(map[string]string{"message": text}),
	})
}

// Delete takes the text of a message away, for good.
func (c *Client) Delete(ctx context.Context, token string, id int64) error {
	p, err := nextcloud.Path(chats, token, strconv.FormatInt(id, 10))
	if err != nil {
		return err
	}
	_, err = c.said(ctx, token, nextcloud.Request{Op: "delete message " + strconv.FormatInt(id, 10), Method: http.MethodDelete, Path: p})
	return err
}
