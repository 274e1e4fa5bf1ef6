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

// Reaction is an emoji and who reacted with it.
type Reaction struct {
	Emoji string
	Who   []string // names
	Count int
}

type wireReaction struct {
	Kind lenient.Text `json:"actorType"`
	ID   lenient.Text `json:"actorId"`
	Name lenient.Text `json:"actorDisplayName"`
}

// Reactions are the reactions to a message, the most frequent first; only those
// with one emoji, when it is not empty.
func (c *Client) Reactions(ctx context.Context, token string, id int64, emoji string) ([]Reaction, error) {
	query := url.Values{}
	if emoji != "" {
		query.Set("reaction", emoji)
	}
	return c.react(ctx, token, id, nextcloud.Request{Op: "list the reactions", Query: query})
}

// React adds a reaction of the person. One that is there stays.
func (c *Client) React(ctx context.Context, token string, id int64, emoji string) ([]Reaction, error) {
	return c.react(ctx, token, id, nextcloud.Request{
		Op: "react to message " + strconv.FormatInt(id, 10), Method: http.MethodPost, Body: nextcloud.JSONBody(map[string]string{"reaction": emoji}),
	})
}

// Unreact takes a reaction of the person away.
func (c *Client) Unreact(ctx context.Context, token string, id int64, emoji string) ([]Reaction, error) {
	return c.react(ctx, token, id, nextcloud.Request{
		Op: "remove the reaction from message " + strconv.FormatInt(id, 10), Method: http.MethodDelete, Query: url.Values{"reaction": {emoji}},
	})
}

func (c *Client) react(ctx context.Context, token string, id int64, r nextcloud.Request) ([]Reaction, error) {
	var err error
	if r.Path, err = nextcloud.Path(hands, token, strconv.FormatInt(id, 10)); err != nil {
		return nil, err
	}
	var found lenient.Object[lenient.Maybe[lenient.List[wireReaction]]]
	if _, err := c.ask(ctx, token, r, &found); err != nil {
		return nil, because(err, map[string]string{
			"404": "the conversation has no such message, or the person has not reacted so", "400": "that is not one emoji, or nobody can react to this message",
		})
	}
	var list []Reaction
	for emoji, who := range found {
		if who.Value == nil {
			continue
		}
		one := Reaction{Emoji: emoji, Count: len(who.Value.Items) + len(who.Value.Skipped)}
		for _, w := range who.Value.Items {
			one.Who = append(one.Who, actor(w.Name, w.Kind, w.ID))
		}
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b Reaction) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Emoji, b.Emoji)) })
	return list, nil
}
