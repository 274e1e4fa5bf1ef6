package talk

import (
	"context"
	"fmt"
	"strings"

	api "nextcloud-mcp-server/internal/nextcloud/talk"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// ReactionsInput is the input of talk_list_reactions.
type ReactionsInput struct {
	Token    string `json:"token" jsonschema:"token or name"`
	ID       int64  `json:"message_id" jsonschema:"message id"`
	Reaction string `json:"reaction,omitempty" jsonschema:"only this emoji"`
}

// ReactInput is the input of talk_react and talk_remove_reaction.
type ReactInput struct {
	Token    string `json:"token" jsonschema:"token or name"`
	ID       int64  `json:"message_id" jsonschema:"message id"`
	Reaction string `json:"reaction" jsonschema:"one emoji"`
}

// Reactions are the reactions to a message.
type Reactions struct {
	Token string     `json:"token"`
	ID    int64      `json:"message_id"`
	Items []Reaction `json:"items"`
	Undo  string     `json:"undo,omitempty"`
}

// Reaction is an emoji and who reacted with it.
type Reaction struct {
	Reaction string   `json:"reaction"`
	Count    int      `json:"count"`
	Who      []string `json:"who"` // the first of them
}

// maxWho bounds the names of one reaction.
const maxWho = 50

var listReactions = tool.New(tool.Def{
	Name:        "talk_list_reactions",
	Title:       "List reactions",
	Description: "List who reacted to a message, and how.",
	Scope:       scope.TalkRead,
	Effect:      tool.Reads,
	Tier:        tool.Complete,
	Foreign:     true,
	Object:      []string{"token"},
}, func(ctx context.Context, c *api.Client, input ReactionsInput) (*Reactions, error) {
	return reactions(ctx, c, ReactInput(input), c.Reactions)
})

var react = tool.New(tool.Def{
	Name:        "talk_react",
	Title:       "React to a message",
	Description: "React to a message with an emoji, in the name of the person.",
	Scope:       scope.TalkWrite,
	Effect:      tool.Creates,
	Tier:        tool.Extended,
	Foreign:     true,
	Object:      []string{"token"},
}, func(ctx context.Context, c *api.Client, input ReactInput) (*Reactions, error) {
	if strings.TrimSpace(input.Reaction) == "" {
		return nil, tool.Invalidf("reaction has to be an emoji")
	}
	return reactions(ctx, c, input, c.React)
})

var removeReaction = tool.New(tool.Def{
	Name:        "talk_remove_reaction",
	Title:       "Remove a reaction",
	Description: "Take a reaction of the person away from a message.",
	Scope:       scope.TalkWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Complete,
	Foreign:     true,
	Object:      []string{"token"},
}, func(ctx context.Context, c *api.Client, input ReactInput) (*Reactions, error) {
	if strings.TrimSpace(input.Reaction) == "" {
		return nil, tool.Invalidf("reaction has to be an emoji")
	}
	out, err := reactions(ctx, c, input, c.Unreact)
	if err != nil {
		return nil, err
	}
	out.Undo = fmt.Sprintf("talk_react: token=%q, message_id=%d, reaction=%q.", out.Token, out.ID, strings.TrimSpace(input.Reaction))
	return out, nil
})

func reactions(ctx context.Context, c *api.Client, input ReactInput, ask func(context.Context, string, int64, string) ([]api.Reaction, error)) (*Reactions, error) {
	if input.ID <= 0 {
		return nil, tool.Invalidf("message_id has to be the id of a message")
	}
	return in(ctx, c, input.Token, func(token string) (*Reactions, error) {
		found, err := ask(ctx, token, input.ID, strings.TrimSpace(input.Reaction))
		if err != nil {
			return nil, err
		}
		out := &Reactions{Token: token, ID: input.ID, Items: []Reaction{}}
		for _, r := range found {
			out.Items = append(out.Items, Reaction{r.Emoji, r.Count, append([]string{}, r.Who[:min(len(r.Who), maxWho)]...)})
		}
		return out, nil
	})
}
