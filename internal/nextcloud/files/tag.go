package files

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// Tag is a system tag: all people of the server share it.
type Tag struct {
	ID         int64
	Name       string
	Assignable bool // by this person
}

// MaxTag is the longest name of a tag, in characters.
const MaxTag = 64

var (
	tagID     = dav.Name(dav.NSOwnCloud, "id")
	tagName   = dav.Name(dav.NSOwnCloud, "display-name")
	tagAssign = dav.Name(dav.NSOwnCloud, "can-assign")
	tagProps  = []xml.Name{tagID, tagName, tagAssign}
)

// Tags are the system tags that the person can see, by name.
func (c *Client) Tags(ctx context.Context) ([]Tag, error) {
	ms, err := c.dav.Propfind(ctx, dav.Query{Op: "list the tags", Path: dav.Root + "/systemtags/", Depth: dav.Children}, tagProps...)
	if err != nil {
		return nil, err
	}
	return tags(ms), nil
}

func tags(ms *dav.Multistatus) []Tag {
	var out []Tag
	for i := range ms.Responses {
		r := &ms.Responses[i]
		t := Tag{ID: number(r.Prop(tagID).String(), 0), Name: r.Prop(tagName).String(), Assignable: truth(r.Prop(tagAssign))}
		if t.ID > 0 && t.Name != "" {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b Tag) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return out
}

// Tag finds a tag by its name or id.
func (c *Client) Tag(ctx context.Context, op, nameOrID string) (*Tag, error) {
	all, err := c.Tags(ctx)
	if err != nil {
		return nil, err
	}
	nameOrID = strings.TrimSpace(nameOrID)
	var near []Tag
	for _, t := range all {
		switch {
		case t.Name == nameOrID:
			return &t, nil
		case strings.EqualFold(t.Name, nameOrID), strconv.FormatInt(t.ID, 10) == nameOrID:
			near = append(near, t)
		}
	}
	if len(near) == 1 {
		return &near[0], nil
	}
	if len(near) > 1 {
		return nil, invalidf(op, "several tags are meant by %q: %s", nameOrID, names(near))
	}
	return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrNotFound, Message: fmt.Sprintf("there is no tag %q; there are: %s", nameOrID, names(all))}
}

// names are the names of some tags, for people.
func names(tags []Tag) string {
	const most = 30
	var out []string
	for i, t := range tags {
		if i == most {
			out = append(out, fmt.Sprintf("and %d more", len(tags)-most))
			break
		}
		out = append(out, fmt.Sprintf("%q (id %d)", t.Name, t.ID))
	}
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, ", ")
}

// CreateTag makes a tag that everybody can see and assign.
func (c *Client) CreateTag(ctx context.Context, name string) (*Tag, error) {
	name = strings.TrimSpace(name)
	op := named("create the tag", name)
	if name == "" || len([]rune(name)) > MaxTag {
		return nil, invalidf(op, "a tag has 1 to %d characters", MaxTag)
	}
	body := map[string]any{"name": name, "userVisible": true, "userAssignable": true, "canAssign": true}
	res, err := c.nc.Do(ctx, nextcloud.Request{
		Op: op, Method: http.MethodPost, Path: dav.Root + "/systemtags/", Body: nextcloud.JSONBody(body), Type: "application/json", Accept: "application/xml",
	})
	if errors.Is(err, nextcloud.ErrConflict) {
		return nil, with(err, nextcloud.ErrConflict, "a tag of this name is there already")
	}
	if err != nil {
		return nil, err
	}
	id := number(dav.Base(res.Header.Get("Content-Location")), 0)
	if id <= 0 {
		return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Message: "Nextcloud did not say which id the tag has"}
	}
	return &Tag{ID: id, Name: name, Assignable: true}, nil
}

func (c *Client) relation(op string, e *Entry, t *Tag) (dav.Query, error) {
	path, err := nextcloud.Path(dav.Root+"/systemtags-relations/files", strconv.FormatInt(e.FileID, 10), strconv.FormatInt(t.ID, 10))
	return dav.Query{Op: op, Path: path}, err
}

// Assign puts a tag on a file or folder; false when it had it already.
func (c *Client) Assign(ctx context.Context, name string, t *Tag) (bool, error) {
	op := named("tag", name)
	e, _, err := c.stat(ctx, op, name, entryProps)
	if err != nil {
		return false, err
	}
	q, err := c.relation(op, e, t)
	if err != nil {
		return false, err
	}
	_, err = c.dav.Put(ctx, q, "", nil, dav.Condition{})
	// Nextcloud: a second time is a conflict.
	if errors.Is(err, nextcloud.ErrConflict) {
		return false, nil
	}
	if err != nil {
		return false, c.explain(ctx, e.Path, err)
	}
	return true, nil
}

// Unassign takes a tag from a file or folder; false when it did not have it.
func (c *Client) Unassign(ctx context.Context, name string, t *Tag) (bool, error) {
	op := named("untag", name)
	e, _, err := c.stat(ctx, op, name, entryProps)
	if err != nil {
		return false, err
	}
	q, err := c.relation(op, e, t)
	if err != nil {
		return false, err
	}
	err = c.dav.Delete(ctx, q, dav.Condition{})
	if errors.Is(err, nextcloud.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, c.explain(ctx, e.Path, err)
	}
	return true, nil
}

// Tagged are the files and folders that carry all of the tags.
func (c *Client) Tagged(ctx context.Context, q ListQuery, tags ...*Tag) (*Listing, error) {
	const op = "find files by tag"
	if q.Order == "" {
		q.Order = ByName
	}
	after, err := q.Order.after(op, q.Cursor)
	if err != nil {
		return nil, err
	}
	home, err := c.home(ctx)
	if err != nil {
		return nil, err
	}
	oc := func(local string) xml.Name { return dav.Name(dav.NSOwnCloud, local) }
	rules := dav.El(oc("filter-rules"))
	for _, t := range tags {
		rules.Children = append(rules.Children, dav.Text(oc("systemtag"), strconv.FormatInt(t.ID, 10)))
	}
	report := dav.El(oc("filter-files"), dav.Props(entryProps...), rules)
	out := &Listing{}
	found := &collector{order: q.Order, after: after, limit: pageLimit(q.Limit)}
	for r, err := range c.dav.ReportEach(ctx, dav.Query{Op: op, Path: home}, report) {
		if err != nil {
			return nil, with(err, nextcloud.ErrPrecondition, "the tag is no longer there")
		}
		e, ok := c.entry(home, r)
		switch {
		case !ok || !q.Keep.keeps(&e):
			continue
		case e.Folder:
			out.Folders++
		default:
			out.Files++
			out.Size += max(e.Size, 0)
		}
		found.add(&e)
	}
	out.Entries, out.Next = found.page()
	return out, nil
}
