// Package talk declares the tools for conversations of Nextcloud Talk. It is
// separate from the client below it because only this side knows what a model
// needs to be told.
package talk

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
	api "nextcloud-mcp-server/internal/nextcloud/talk"
	"nextcloud-mcp-server/internal/tool"
)

// Tools is the area.
var Tools = tool.Group[*api.Client]{
	Name: "talk", Title: "Talk", Client: api.New, App: "spreed",
	Tools: []tool.Of[*api.Client]{
		list, get, messages, participants, send, edit, remove, markRead, create, addParticipant, listReactions, react, removeReaction,
	},
	Documents: []tool.DocumentOf[*api.Client]{messageDocument},
}

// tokenForm is what tokens of conversations look like, unless an administrator
// wants others. Everything else is looked for in the list first: Nextcloud slows
// everybody down who asks for tokens that do not exist.
var tokenForm = regexp.MustCompile(`^[a-z0-9]{8}$`)

// in does something in the conversation that ref names by its token, its
// address or its name, if only one has that name.
func in[T any](ctx context.Context, c *api.Client, ref string, do func(token string) (T, error)) (T, error) {
	var none T
	ref = strings.TrimSpace(ref)
	if _, rest, found := strings.Cut(ref, "/call/"); found {
		ref, _, _ = strings.Cut(rest, "#")
	}
	if ref == "" {
		return none, tool.Invalidf("token is needed: the token or the name of a conversation")
	}
	var missing error
	if tokenForm.MatchString(ref) {
		out, err := do(ref)
		if !errors.Is(err, nextcloud.ErrNotFound) {
			return out, err
		}
		missing = err
	}
	token, err := find(ctx, c, ref)
	switch {
	case err != nil:
		return none, err
	case token == ref && missing != nil:
		return none, missing // the conversation is there, and something in it is not
	}
	return do(token)
}

// maxCandidates bounds the conversations that a refusal names.
const maxCandidates = 10

// find is the token of the conversation of a name.
func find(ctx context.Context, c *api.Client, name string) (string, error) {
	all, _, _, err := c.List(ctx, api.ListQuery{})
	if err != nil {
		return "", err
	}
	var exact, similar []*api.Conversation
	for _, room := range all {
		switch {
		case room.Token == name:
			return name, nil
		case strings.EqualFold(room.Name, name), room.Kind == api.OneToOne && room.ID == name:
			exact = append(exact, room)
		case strings.Contains(strings.ToLower(room.Name), strings.ToLower(name)):
			similar = append(similar, room)
		}
	}
	switch {
	case len(exact) == 1:
		return exact[0].Token, nil
	case len(exact) > 1:
		return "", tool.Invalidf("Several conversations are called %q: %s. Take the token.", tool.Visible(name), candidates(exact))
	case len(similar) > 0:
		return "", tool.Invalidf("No conversation is called %q. Similar: %s.", tool.Visible(name), candidates(similar))
	}
	return "", tool.Invalidf("No conversation has the token or name %q. List them with talk_list_conversations.", tool.Visible(name))
}

func candidates(rooms []*api.Conversation) string {
	var parts []string
	for _, room := range rooms[:min(len(rooms), maxCandidates)] {
		parts = append(parts, fmt.Sprintf("%q (%s, token %s)", tool.Visible(room.Name), room.Kind, room.Token))
	}
	if n := len(rooms) - maxCandidates; n > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(parts, ", ")
}

// bounded is a limit, or what stands for none.
func bounded(limit, otherwise, most int) (int, error) {
	switch {
	case limit == 0:
		return otherwise, nil
	case limit < 0, limit > most:
		return 0, tool.Invalidf("limit has to be between 1 and %d", most)
	}
	return limit, nil
}

// cut is the beginning of a text, and how many characters the whole has when
// that is more.
func cut(text string, most int) (beginning string, whole int) {
	if len(text) <= most {
		return text, 0
	}
	runes := []rune(text)
	if len(runes) <= most {
		return text, 0
	}
	return string(runes[:most]) + "…", len(runes)
}
