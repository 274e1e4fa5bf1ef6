// Package talk is a typed client of Nextcloud Talk (the app spreed): its
// conversations (OCS API v4), their messages and reactions (v1).
//
// Nothing here is seen by others or moves a mark when it only reads: the status
// of the person stays as it is, and so do read markers and notifications.
package talk

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

const (
	app   = "spreed"
	rooms = "/ocs/v2.php/apps/spreed/api/v4/room"
	chats = "/ocs/v2.php/apps/spreed/api/v1/chat"
	hands = "/ocs/v2.php/apps/spreed/api/v1/reaction"
)

// MaxMessage is how many characters a message may have.
const MaxMessage = 32_000

// Client reads and writes in the conversations of one person.
type Client struct {
	nc *nextcloud.Client
}

// New is a client on nc.
func New(nc *nextcloud.Client) *Client { return &Client{nc} }

// URL is the page of a conversation, or of one of its messages when id is not 0.
func (c *Client) URL(token string, id int64) string {
	page := "/index.php/call/" + token
	if id > 0 {
		page += "#message_" + strconv.FormatInt(id, 10)
	}
	return c.nc.Host().PublicURL(page)
}

// ask is one exchange about a conversation; token is empty when it is about
// none in particular.
func (c *Client) ask(ctx context.Context, token string, r nextcloud.Request, out any) (*nextcloud.Response, error) {
	if r.Body != nil {
		r.Type = "application/json"
	}
	res, err := c.nc.OCSAnswer(ctx, r, out)
	if e, ok := errors.AsType[*nextcloud.Error](err); ok {
		c.explain(ctx, token, r.Method, e)
	}
	return res, err
}

// explain makes a sentence of what Talk says by a status only.
func (c *Client) explain(ctx context.Context, token, method string, e *nextcloud.Error) {
	writes := method != "" && method != http.MethodGet
	switch {
	case errors.Is(e, nextcloud.ErrAppMissing), e.Status == http.StatusMethodNotAllowed && reason(e) == "":
		c.explainMissing(ctx, e)
	case e.Status == http.StatusPreconditionFailed && e.Message == "":
		// Nextcloud: 412 is the lobby, and no changed entity.
		e.Kind, e.Message = nextcloud.ErrForbidden, "the conversation has a lobby, which only its moderators can pass now"
	case e.Status == http.StatusUpgradeRequired:
		e.Kind, e.Message = nextcloud.ErrForbidden, "this Talk refuses older clients: this server has to be updated, or an administrator lowers the version that Talk demands"
	case e.Status == http.StatusForbidden && e.Message == "" && writes && token != "":
		e.Message = c.whyForbidden(ctx, token)
	}
}

// explainMissing tells a Talk that is not there from one that is too old.
func (c *Client) explainMissing(ctx context.Context, e *nextcloud.Error) {
	e.Kind, e.Message = nextcloud.ErrAppMissing, `it needs the app Talk ("spreed")`
	if features, err := c.features(ctx); err == nil && len(features) > 0 {
		e.Message = "the Talk of this Nextcloud is too old for it"
	}
}

// features are what this Talk can do; empty when there is no Talk.
func (c *Client) features(ctx context.Context) ([]string, error) {
	var data struct {
		Capabilities struct {
			Talk lenient.Maybe[struct {
				Features []string `json:"features"`
			}] `json:"spreed"`
		} `json:"capabilities"`
	}
	err := c.nc.OCS(ctx, nextcloud.Request{Op: "ask for the capabilities", Path: "/ocs/v2.php/cloud/capabilities"}, &data)
	if err != nil || data.Capabilities.Talk.Value == nil {
		return nil, err
	}
	return data.Capabilities.Talk.Value.Features, nil
}

// chatPermission is the right to write, as Talk numbers permissions.
const chatPermission = 128

func (c *Client) whyForbidden(ctx context.Context, token string) string {
	p, err := nextcloud.Path(rooms, token)
	if err != nil {
		return ""
	}
	var w wireConversation
	switch err := c.nc.OCS(ctx, nextcloud.Request{Op: "read the conversation", Path: p}, &w); {
	case err != nil:
		return ""
	case w.ReadOnly != 0:
		return "the conversation is read-only: nobody can write in it any more"
	case w.Permissions != 0 && w.Permissions&chatPermission == 0:
		return "a moderator of the conversation has taken the right to write from the person"
	}
	return "it takes a moderator of the conversation, or who wrote the message"
}

// reason is the word that Talk gives for an error.
func reason(e *nextcloud.Error) string {
	var body struct {
		OCS struct {
			Data lenient.Maybe[struct {
				Error lenient.Text `json:"error"`
			}] `json:"data"`
		} `json:"ocs"`
	}
	if json.Unmarshal(e.Body, &body) != nil || body.OCS.Data.Value == nil {
		return ""
	}
	return string(body.OCS.Data.Value.Error)
}

// because gives an error the sentence that stands for its reason, or for its
// status.
func because(err error, sentences map[string]string) error {
	e, ok := errors.AsType[*nextcloud.Error](err)
	if !ok || e.Message != "" {
		return err
	}
	for _, key := range []string{reason(e), strconv.Itoa(e.Status)} {
		if text, known := sentences[key]; known && key != "" {
			e.Message = text
			break
		}
	}
	return err
}

// moment is a time of Talk in RFC 3339; empty for none.
func moment(seconds lenient.Int) string {
	if seconds <= 0 || seconds > 1<<40 {
		return ""
	}
	return time.Unix(int64(seconds), 0).UTC().Format(time.RFC3339)
}

// actor is a name of somebody who acts, or what stands for it.
func actor(name, kind, id lenient.Text) string {
	switch {
	case name != "":
		return string(name)
	case slices.Contains([]lenient.Text{"guests", "emails"}, kind):
		return "Guest"
	}
	return string(id)
}
