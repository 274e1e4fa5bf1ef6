package sharing

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Change is what shall be different of a share. What is nil stays as it is.
type Change struct {
	Permissions  *Permissions
	End          *End
	Password     *string // empty removes it
	ByTalk       *bool
	Note         *string
	Label        *string
	HideDownload *bool
	Token        *string // the last part of a link's address
}

func (ch *Change) empty() bool {
	return ch.Permissions == nil && ch.End == nil && ch.Password == nil && ch.ByTalk == nil && ch.Note == nil && ch.Label == nil &&
		ch.HideDownload == nil && ch.Token == nil
}

// Update changes a share that was read before. Only what is asked for is sent,
// and of the attributes, which Nextcloud replaces as a whole, all that were
// there. The second result is what changed beyond what was asked for.
func (c *Client) Update(ctx context.Context, s *Share, ch Change) (*Share, []string, error) {
	op := "change share " + s.ID
	if err := s.check(op, &ch); err != nil {
		return nil, nil, err
	}
	if err := c.allowsChange(ctx, op, s, &ch); err != nil {
		return nil, nil, err
	}
	after, err := c.write(ctx, op, http.MethodPut, "/shares/"+s.ID, s.form(&ch))
	if err != nil {
		return nil, nil, c.updateFailure(ctx, s, err)
	}
	return after, s.beyond(after, &ch), nil
}

// check refuses what cannot be, with a reason that Nextcloud does not give.
func (s *Share) check(op string, ch *Change) error {
	switch {
	case ch.empty():
		return invalid(op, "nothing to change: give permissions, expire_date, password, note, label, hide_download or another attribute")
	case s.State != "":
		return invalid(op, "it is not in effect: accept it first, and then only its maker can change it")
	case s.Remote, !s.canEdit:
		return forbidden(op, fmt.Sprintf("it was made by %s, who alone can change it", s.who()))
	case !s.Kind.public() && (ch.Password != nil || ch.Label != nil || ch.ByTalk != nil || ch.Token != nil):
		return invalid(op, fmt.Sprintf("password, label and token belong to links and mails; this share is of type %s", s.Kind))
	case ch.ByTalk != nil && *ch.ByTalk && !s.Password && (ch.Password == nil || *ch.Password == ""):
		return invalid(op, "a password that is given by Talk has to be set")
	}
	if ch.Permissions != nil {
		p := *ch.Permissions
		if !s.Kind.public() {
			p |= Read
		}
		if !s.Folder && p&(Create|Delete) != 0 {
			// Nextcloud: at creation it leaves these out by itself.
			p &^= Create | Delete
			if p&^Read == 0 && *ch.Permissions&^(Create|Delete|Read) == 0 {
				return invalid(op, "it is a single file: create and delete are for folders; give read, edit or share")
			}
		}
		if p == 0 || p&Read == 0 && p&(Edit|Delete) != 0 {
			return invalid(op, "to edit or delete, people have to be able to read")
		}
		ch.Permissions = &p
	}
	if ch.Label != nil {
		if err := checkLabel(op, *ch.Label); err != nil {
			return err
		}
	}
	if ch.End != nil {
		return ch.End.check(op, time.Now())
	}
	return nil
}

// allowsChange asks for the administrator's settings when the change could
// break one.
func (c *Client) allowsChange(ctx context.Context, op string, s *Share, ch *Change) error {
	if !s.Kind.public() || ch.Permissions == nil && ch.End == nil && ch.Password == nil && ch.Token == nil {
		return nil
	}
	policy, err := c.Policy(ctx)
	if err != nil {
		return err
	}
	if ch.Token != nil && !policy.CustomTokens {
		return forbidden(op, "an administrator has not allowed links with an address of one's own choice")
	}
	permissions, end, password := Permissions(0), End{}, s.Password || !policy.Password
	if ch.Permissions != nil {
		permissions = *ch.Permissions
	}
	if ch.End != nil {
		end = *ch.End
	}
	if ch.Password != nil {
		password = *ch.Password != ""
	}
	return policy.allowsLink(op, permissions, end, password, time.Now())
}

func (s *Share) form(ch *Change) url.Values {
	form := url.Values{}
	set := func(name string, value *string) {
		if value != nil {
			form.Set(name, *value)
		}
	}
	set("password", ch.Password)
	set("note", ch.Note)
	set("label", ch.Label)
	set("token", ch.Token)
	if ch.Permissions != nil {
		form.Set("permissions", strconv.Itoa(int(*ch.Permissions)))
	}
	if ch.End != nil {
		form.Set("expireDate", ch.End.Date)
	}
	if ch.ByTalk != nil {
		form.Set("sendPasswordByTalk", strconv.FormatBool(*ch.ByTalk))
	}
	if ch.HideDownload != nil {
		denied := !attributeAllows(s.attributes, downloadAttribute)
		if s.Kind.public() {
			form.Set("hideDownload", strconv.FormatBool(*ch.HideDownload))
		}
		if !s.Kind.public() || (denied && !*ch.HideDownload) {
			form.Set("attributes", withAttribute(s.attributes, downloadAttribute, !*ch.HideDownload))
		}
	}
	return form
}

// beyond lists what is different in after although nobody asked for it.
func (s *Share) beyond(after *Share, ch *Change) []string {
	var out []string
	differ := func(asked bool, what, was, is string) {
		if !asked && was != is {
			out = append(out, fmt.Sprintf("%s: was %q, is %q", what, shorten(was), shorten(is)))
		}
	}
	differ(ch.Permissions != nil, "permissions", s.Permissions.Of(s.Kind).String(), after.Permissions.Of(after.Kind).String())
	differ(ch.End != nil, "end", s.Expires, after.Expires)
	differ(ch.Password != nil, "password", strconv.FormatBool(s.Password), strconv.FormatBool(after.Password))
	differ(ch.Note != nil, "note", s.Note, after.Note)
	differ(ch.Label != nil, "label", s.Label, after.Label)
	differ(ch.HideDownload != nil, "hidden download", strconv.FormatBool(s.HideDownload), strconv.FormatBool(after.HideDownload))
	differ(ch.Token != nil, "address", s.Token, after.Token)
	differ(false, "receiver", s.With, after.With)
	if ch.Permissions != nil && after.Permissions.Of(after.Kind) != ch.Permissions.Of(after.Kind) {
		out = append(out, fmt.Sprintf("permissions: asked for %q, Nextcloud made it %q", ch.Permissions, after.Permissions))
	}
	if ch.End != nil && !strings.HasPrefix(after.Expires, ch.End.Date) {
		out = append(out, fmt.Sprintf("end: asked for %s, Nextcloud made it %s", ch.End.Date, after.Expires))
	}
	return out
}
