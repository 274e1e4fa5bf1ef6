// Package mail is a typed client of the Mail app. Nextcloud Mail keeps a copy
// of the headers of each mailbox and fetches the messages themselves from the
// person's mail server.
//
// The app has two APIs: one for other programs (OCS, since version 4.0 of the
// app for single messages, 4.3 for accounts and 5.2 for mailboxes and lists)
// and the one of its own pages, which is the only one that changes anything.
// Where the first lacks a route, the second is asked.
package mail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

// Client reads and changes the mail of one person.
type Client struct {
	nc *nextcloud.Client
}

// New is a client on nc.
func New(nc *nextcloud.Client) *Client { return &Client{nc} }

const (
	ocsBase = "/ocs/v2.php/apps/mail"
	ownBase = "/index.php/apps/mail/api"
)

// unknownAPI is the status of OCS for a route that the app's version lacks.
const unknownAPI = 998

// lacks reports whether the OCS API has no such route here.
func lacks(err error) bool {
	e, ok := errors.AsType[*nextcloud.Error](err)
	return ok && e.OCS == unknownAPI
}

// either asks by OCS, and where the app is too old for that the API of its own
// pages, whose answers may be shaped differently.
func (c *Client) either(ctx context.Context, op string, ocs, own nextcloud.Request, ocsOut, ownOut any) error {
	ocs.Op, own.Op = op, op
	err := c.nc.OCS(ctx, ocs, ocsOut)
	if !lacks(err) {
		return explain(err)
	}
	return c.own(ctx, own, ownOut)
}

// own asks the API of the app's own pages.
func (c *Client) own(ctx context.Context, r nextcloud.Request, out any) error {
	_, err := c.nc.JSON(ctx, r, out)
	return explain(err)
}

// fail is how the app's own API says what went wrong (JSend).
type fail struct {
	Status lenient.Text `json:"status"`
	Data   struct {
		Message lenient.Text `json:"message"`
		Type    lenient.Text `json:"type"`
	} `json:"data"`
}

// explain puts into an error what the app meant by it.
func explain(err error) error {
	e, ok := errors.AsType[*nextcloud.Error](err)
	if !ok {
		return err
	}
	body := bytes.TrimSpace(e.Body)
	switch {
	case e.Status == http.StatusNotFound && bytes.HasPrefix(body, []byte("<")):
		e.Kind, e.Message = nextcloud.ErrAppMissing, "the Mail app is missing, or too old for this"
	case e.Status == http.StatusForbidden && e.Message == "":
		// Nextcloud: 403 without a word is how the app says that there is no such
		// message or mailbox, or that it belongs to somebody else.
		e.Kind, e.Message = nextcloud.ErrNotFound, "there is no such message or mailbox. A message that was moved has a new id"
	case e.Status == http.StatusBadRequest || e.Status == http.StatusNotFound:
		var f fail
		if json.Unmarshal(body, &f) == nil && f.Status == "fail" {
			e.Message, e.Kind = meaning(string(f.Data.Type), e)
		}
	case e.Status >= http.StatusInternalServerError && e.Message == "" && e.Is(nextcloud.ErrUnavailable):
		e.Message = "the Mail app could not do it: often the mail server of the account does not answer"
	}
	return err
}

// meaning is what the person can do, and the kind of failure, behind the name of an exception of the app.
func meaning(exception string, e *nextcloud.Error) (message string, kind error) {
	_, name, _ := strings.Cut(exception, `Exception\`)
	switch name {
	case "MailboxNotCachedException":
		return notCached, nextcloud.ErrConflict
	case "MailboxLockedException":
		return "the Mail app is fetching this mailbox", nextcloud.ErrLocked
	case "TrashMailboxNotSetException":
		return "the account has no trash: the person has to choose one in the settings of the account in Nextcloud Mail", nextcloud.ErrConflict
	case "ClientException":
		return "there is no such account, mailbox or message of this person", nextcloud.ErrNotFound
	}
	return e.Message, e.Kind
}

const notCached = "this mailbox was never opened in Nextcloud Mail: list its messages once with refresh"

func number(id int64) string { return strconv.FormatInt(id, 10) }

// path joins a fixed prefix and segments that need no check.
func path(prefix string, segments ...string) string {
	return prefix + "/" + strings.Join(segments, "/")
}

func invalid(op, message string) error {
	return &nextcloud.Error{Op: op, Kind: nextcloud.ErrInvalid, Message: message}
}

func badAnswer(op, message string) error {
	return &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Message: message}
}
