package sharing

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

const opCreate = "create the share"

// Draft is a share to be made.
type Draft struct {
	Path         string
	Kind         Kind
	With         string      // empty for links
	Permissions  Permissions // Read when 0
	End          End
	Password     string // of links and mails
	ByTalk       bool   // the password is given by Talk
	Note         string
	Label        string // of links and mails, at most 255 bytes
	HideDownload bool
	SendMail     *bool // tell the receiver by mail; nil: as Nextcloud is set up
}

// maxLabel is how long a label may be, in bytes.
const maxLabel = 255

// Made is what making a share came to.
type Made struct {
	*Share
	// Existing says that the file was shared with that receiver already, and
	// that Nextcloud left that share as it was. Differs is then what it is that
	// was asked for otherwise.
	Existing bool
	Differs  []string
	Policy   *Policy // of links and mails; nil for others
}

// check refuses what Nextcloud would take for something else, and makes the
// path clean.
func (d *Draft) check(me string, now time.Time) error {
	var err error
	if d.Path, err = CleanPath(opCreate, d.Path); err != nil {
		return err
	}
	if d.Permissions == 0 {
		d.Permissions = Read
	}
	d.With = strings.TrimSpace(d.With)
	switch {
	case d.Path == "/":
		return invalid(opCreate, "the root of all files cannot be shared: give a file or folder in it")
	case d.Kind == Link && d.With != "":
		// Nextcloud: it would publish the file and drop the name without a word.
		return invalid(opCreate, fmt.Sprintf("a link is for everybody who has its address and has no receiver, but one is given (%.60s). To share with one person or group, choose that type; for a link, leave the receiver out", d.With))
	case d.Kind != Link && d.With == "":
		return invalid(opCreate, fmt.Sprintf("a share of type %s needs to know with whom; a public link is made only when type link is asked for", d.Kind))
	case d.Kind == User && d.With == me:
		return invalid(opCreate, "that is this person: nobody can share with themselves")
	case d.Kind == Federated && !strings.Contains(strings.Trim(d.With, "@"), "@"):
		return invalid(opCreate, fmt.Sprintf("%.60q is nobody of another server: give name@host", d.With))
	case d.Kind == Mail && !strings.Contains(strings.Trim(d.With, "@"), "@"):
		return invalid(opCreate, fmt.Sprintf("%.60q is no e-mail address", d.With))
	case !d.Kind.public() && (d.Password != "" || d.Label != "" || d.ByTalk):
		return invalid(opCreate, fmt.Sprintf("password and label belong to links and mails, not to type %s: whoever gets it signs in", d.Kind))
	case d.ByTalk && d.Password == "":
		return invalid(opCreate, "a password that is given by Talk has to be set")
	case d.Kind.public() && d.Permissions&Read == 0 && d.Permissions&(Edit|Delete) != 0:
		return invalid(opCreate, "to edit or delete through a link, people have to be able to read")
	}
	if err := checkLabel(opCreate, d.Label); err != nil {
		return err
	}
	return d.End.check(opCreate, now)
}

func checkLabel(op, label string) error {
	if len(label) > maxLabel {
		return invalid(op, fmt.Sprintf("a label has at most %d bytes, this one %d", maxLabel, len(label)))
	}
	return nil
}

func (d *Draft) form() url.Values {
	form := url.Values{
		"path": {d.Path}, "shareType": {strconv.Itoa(int(d.Kind))}, "permissions": {strconv.Itoa(int(d.Permissions))},
	}
	set := func(name, value string) {
		if value != "" {
			form.Set(name, value)
		}
	}
	set("shareWith", d.With)
	set("password", d.Password)
	set("note", d.Note)
	set("label", d.Label)
	set("expireDate", d.End.Date)
	if d.End.Never {
		form.Set("expireDate", "")
	}
	if d.ByTalk {
		form.Set("sendPasswordByTalk", "true")
	}
	if d.SendMail != nil {
		form.Set("sendMail", strconv.FormatBool(*d.SendMail))
	}
	if d.HideDownload && !d.Kind.public() {
		form.Set("attributes", withAttribute(nil, downloadAttribute, false))
	}
	return form
}

// Create makes a share. Links and mails are made only as the administrator's
// settings allow, which are asked for first. When the file is shared with the
// receiver already, Nextcloud keeps that share: see Made.
func (c *Client) Create(ctx context.Context, d Draft) (*Made, error) {
	me, err := c.Me(ctx)
	if err != nil {
		return nil, err
	}
	if err := d.check(me, time.Now()); err != nil {
		return nil, err
	}
	made := &Made{}
	if d.Kind.public() {
		if made.Policy, err = c.Policy(ctx); err != nil {
			return nil, err
		}
		if err := made.Policy.allowsLink(opCreate, d.Permissions, d.End, d.Password != "", time.Now()); err != nil {
			return nil, err
		}
	}
	if made.Share, err = c.write(ctx, opCreate, http.MethodPost, "/shares", d.form()); err != nil {
		return nil, c.createFailure(ctx, &d, err)
	}
	if made.Kind != d.Kind && made.Kind == Link {
		return nil, c.takeBack(ctx, made.Share, &nextcloud.Error{Op: opCreate, Kind: nextcloud.ErrBadAnswer, Message: fmt.Sprintf("Nextcloud made a public link where type %s was asked for", d.Kind)})
	}
	if d.HideDownload && d.Kind.public() {
		// Nextcloud: a new link cannot be told to hide the download.
		hidden, err := c.write(ctx, "hide the download", http.MethodPut, "/shares/"+made.ID, url.Values{"hideDownload": {"true"}})
		if err != nil {
			return nil, c.takeBack(ctx, made.Share, err)
		}
		made.Share = hidden
	}
	if d.Kind.internal() {
		made.Differs = d.differs(made.Share)
		made.Existing = len(made.Differs) > 0
	}
	return made, nil
}

// takeBack removes a share that was just made and is not what was asked for.
func (c *Client) takeBack(ctx context.Context, s *Share, cause error) error {
	e, ok := errors.AsType[*nextcloud.Error](cause)
	if !ok {
		return cause
	}
	out := *e
	// The call may have ended by now; the share must not stay because of that.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := c.Delete(ctx, s); err != nil && !errors.Is(err, nextcloud.ErrNotFound) {
		out.Kind, out.Message = nextcloud.ErrPartly, fmt.Sprintf("the share %s of %s was made, but not as it was asked for, and could not be removed again: remove it", s.ID, s.Path)
		return &out
	}
	out.Message = strings.TrimPrefix(out.Message+"; ", "; ") + "nothing is shared: it was taken back"
	return &out
}

// differs lists what of a share is not as it was asked for, apart from what
// Nextcloud always adds or leaves out.
func (d *Draft) differs(s *Share) []string {
	var out []string
	add := func(what, asked, is string) {
		if asked != is {
			if is == "" {
				is = "none"
			}
			out = append(out, fmt.Sprintf("%s: %s, not %s", what, is, asked))
		}
	}
	add("type", d.Kind.String(), s.Kind.String())
	asked := d.Permissions | Read
	if !s.Folder {
		asked &^= Create | Delete
	}
	add("permissions", asked.String(), s.Permissions.String())
	if d.End.Date != "" {
		date, _, _ := strings.Cut(s.Expires, "T")
		add("end", d.End.Date, date)
	}
	if d.Note != "" {
		add("note", strconv.Quote(shorten(d.Note)), strconv.Quote(shorten(s.Note)))
	}
	if d.HideDownload && !s.HideDownload {
		out = append(out, "download: allowed, not hidden")
	}
	return out
}

// shorten bounds a text in a message, in characters.
func shorten(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

// write sends a form and reads the share that comes back.
func (c *Client) write(ctx context.Context, op, method, path string, form url.Values) (*Share, error) {
	var wire lenient.List[wireShare]
	err := c.nc.OCS(ctx, nextcloud.Request{
		Op: op, Method: method, Path: apiPath + path, Body: []byte(form.Encode()), Type: formType,
	}, &oneOf[wireShare]{&wire})
	if err != nil {
		return nil, err
	}
	if len(wire.Items) != 1 {
		return nil, &nextcloud.Error{
			Op: op, Kind: nextcloud.ErrPartly,
			Message: "Nextcloud took the request, but its answer cannot be read: list the shares to see what is there",
		}
	}
	return wire.Items[0].share(c.nc.Host()), nil
}
