// Package deck is a typed client of the Deck app: boards, their lists (Deck
// calls them stacks), cards, labels, comments and attachments. It speaks
// Deck's REST API, and its OCS API where only that can do it.
package deck

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
)

// Client works with the boards of one person.
type Client struct {
	nc *nextcloud.Client
}

// New is a client on nc.
func New(nc *nextcloud.Client) *Client { return &Client{nc} }

const (
	rest = "/index.php/apps/deck/api/v1.0"
	// restFiles is where attachments that are files of Nextcloud are known.
	restFiles = "/index.php/apps/deck/api/v1.1"
	ocs       = "/ocs/v2.php/apps/deck/api/v1.0"
)

// maxBoard bounds the answer that holds all cards of a board, in bytes: Deck
// has no pages.
const maxBoard = 64 << 20

func boardPath(board int64) string { return rest + "/boards/" + id(board) }

func stackPath(board, stack int64) string { return boardPath(board) + "/stacks/" + id(stack) }

// cardPath is the path of a card. Nextcloud: Deck finds a card by its id alone
// and does not look at the board, but a stack in the path of a change is where
// the card ends up.
func cardPath(stack, card int64) string { return stackPath(0, stack) + "/cards/" + id(card) }

func id(n int64) string { return strconv.FormatInt(n, 10) }

// CardURL is the page of a card in Nextcloud; board may be 0 when it is not
// known.
func (c *Client) CardURL(board, card int64) string {
	if board <= 0 {
		return c.nc.Host().PublicURL("/index.php/apps/deck/card/" + id(card))
	}
	return c.nc.Host().PublicURL("/index.php/apps/deck/board/" + id(board) + "/card/" + id(card))
}

// BoardURL is the page of a board in Nextcloud.
func (c *Client) BoardURL(board int64) string {
	return c.nc.Host().PublicURL("/index.php/apps/deck/board/" + id(board))
}

func (c *Client) send(ctx context.Context, op, method, path string, body, out any) error {
	r := nextcloud.Request{Op: op, Method: method, Path: path}
	if body != nil {
		r.Body, r.Type = nextcloud.JSONBody(body), "application/json"
	}
	_, err := c.nc.JSON(ctx, r, out)
	return failure(err, method)
}

func (c *Client) get(ctx context.Context, op, path string, out any) error {
	return c.send(ctx, op, http.MethodGet, path, nil, out)
}

func (c *Client) ocs(ctx context.Context, op, method, path string, query map[string][]string, body, out any) error {
	r := nextcloud.Request{Op: op, Method: method, Path: ocs + path, Query: query}
	if body != nil {
		r.Body, r.Type = nextcloud.JSONBody(body), "application/json"
	}
	return failure(c.nc.OCS(ctx, r, out), method)
}

// failure says in words what Deck means by its answers.
func failure(err error, method string) error {
	e, ok := errors.AsType[*nextcloud.Error](err)
	if !ok {
		return err
	}
	said := message(e)
	switch {
	case e.Status == http.StatusNotFound && !bytes.HasPrefix(bytes.TrimSpace(e.Body), []byte("{")):
		// Nextcloud: the route of an app that is not there is a web page.
		e.Kind, e.Message = nextcloud.ErrAppMissing, "it needs the app \"deck\""
	case errors.Is(e, nextcloud.ErrAppMissing):
		e.Message = "it needs the app \"deck\""
	case said == "Card is deleted":
		e.Kind, e.Message = nextcloud.ErrNotFound, "the card was deleted"
	case e.Status == http.StatusForbidden && said == "Permission denied" && method == http.MethodGet:
		// Nextcloud: Deck does not tell what is not there from what is not for
		// this person.
		e.Kind, e.Message = nextcloud.ErrNotFound, "there is none with this id that the person may see"
	case e.Status == http.StatusForbidden && said == "Permission denied":
		e.Message = "there is none with this id, or the person may not change it (boards are changed by those with the right to edit, lists and labels by those with the right to manage)"
	case strings.HasPrefix(said, "Operation not allowed. "):
		// Nextcloud: Deck refuses with 500.
		e.Kind, e.Message = nextcloud.ErrConflict, sentence(strings.TrimPrefix(said, "Operation not allowed. "))
	case e.Status == http.StatusBadRequest && len(e.Body) == 0:
		e.Message = "Deck misses a parameter; this version may be too old or too new"
	}
	return e
}

// message is what Deck itself says of a failure, from servers errors too.
func message(e *nextcloud.Error) string {
	var body struct {
		Message string `json:"message"`
	}
	if e.Message == "" && json.Unmarshal(e.Body, &body) == nil {
		return body.Message
	}
	return e.Message
}

// sentence are the two refusals that people can do something about.
func sentence(said string) string {
	switch {
	case strings.HasPrefix(said, "This board is archived"):
		return "the board is archived, so nothing on it can change"
	case strings.HasPrefix(said, "This card is archived"):
		return "the card is archived: unarchive it first"
	case strings.HasPrefix(said, "Label does not exist"):
		return "the label belongs to another board"
	}
	return "Deck does not allow it"
}

func invalidf(op, format string, args ...any) error {
	return &nextcloud.Error{Op: op, Kind: nextcloud.ErrInvalid, Message: fmt.Sprintf(format, args...)}
}

func notFoundf(op, format string, args ...any) error {
	return &nextcloud.Error{Op: op, Kind: nextcloud.ErrNotFound, Message: fmt.Sprintf(format, args...)}
}

// badAnswer is the error of a success that cannot be read.
func badAnswer(op string, res *nextcloud.Response, err error) error {
	e := &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Status: res.Status, Err: err, Message: "the answer is not the JSON that was expected"}
	if bytes.HasPrefix(bytes.TrimSpace(res.Body), []byte("<")) {
		e.Message = "Nextcloud answered with a web page where data was expected"
	}
	return e
}
