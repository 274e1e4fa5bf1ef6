// Package exclusion knows which files of a person carry a system tag that
// keeps them away from assistants. It is separate from the files area because
// everything that can reach a file obeys it: files, shares, notes, versions,
// comments, attachments, the trash.
package exclusion

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/dav"
)

// The bounds of a look-up.
const (
	// MaxFiles is how many tagged files and folders a person can have. Whoever
	// has more is better off with one tagged folder.
	MaxFiles = 20_000
	// fresh is how long a look-up is good for.
	fresh = 10 * time.Second
)

// Rule says which tags exclude. The nil rule excludes nothing and asks nothing.
type Rule struct {
	tags []string
}

// New is the rule for the names of system tags; nil when there are none.
func New(tags []string) *Rule {
	var names []string
	for _, tag := range tags {
		if tag = strings.TrimSpace(tag); tag != "" && !slices.Contains(names, tag) {
			names = append(names, tag)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return &Rule{names}
}

// Tags are the names of the tags.
func (r *Rule) Tags() []string {
	if r == nil {
		return nil
	}
	return slices.Clone(r.tags)
}

const cacheKey = "exclusion"

type kept struct {
	tags string
	at   time.Time
	set  *Set
}

// Excluded is what the rule takes away from the person that nc speaks for. It
// is asked of Nextcloud at most every ten seconds. An error says that it is not
// known, and then nothing may be reached.
func (r *Rule) Excluded(ctx context.Context, nc *nextcloud.Client) (*Set, error) {
	if r == nil {
		return nil, nil
	}
	tags := strings.Join(r.tags, "\x00")
	if v, ok := nc.Cached(ctx, cacheKey); ok {
		if k, ok := v.(*kept); ok && k.tags == tags {
			if age := time.Since(k.at); age >= 0 && age < fresh {
				return k.set, nil
			}
		}
	}
	started := time.Now()
	set, err := r.lookUp(ctx, nc)
	if err != nil {
		return nil, err
	}
	nc.Store(ctx, cacheKey, &kept{tags, started, set}, set.weight)
	return set, nil
}

// Forget makes the next call of Excluded ask again, after a tag was changed.
func (r *Rule) Forget(ctx context.Context, nc *nextcloud.Client) {
	if r != nil {
		nc.Forget(ctx, cacheKey)
	}
}

var (
	tagID       = dav.Name(dav.NSOwnCloud, "id")
	tagName     = dav.Name(dav.NSOwnCloud, "display-name")
	fileID      = dav.Name(dav.NSOwnCloud, "fileid")
	filterFiles = dav.Name(dav.NSOwnCloud, "filter-files")
	filterRules = dav.Name(dav.NSOwnCloud, "filter-rules")
	systemTag   = dav.Name(dav.NSOwnCloud, "systemtag")
)

const op = "look up which files are excluded by their tags"

func (r *Rule) lookUp(ctx context.Context, nc *nextcloud.Client) (*Set, error) {
	user, err := nc.UserID(ctx)
	if err != nil {
		return nil, err
	}
	home, err := nextcloud.Path(dav.Root+"/files", string(user))
	if err != nil {
		return nil, err
	}
	d := dav.New(nc)
	ids, err := r.tagIDs(ctx, d)
	if err != nil {
		return nil, err
	}
	set := newSet()
	base := nc.Host().Base()
	for _, id := range ids {
		report := dav.El(filterFiles, dav.Props(fileID), dav.El(filterRules, dav.Text(systemTag, id)))
		for res, err := range d.ReportEach(ctx, dav.Query{Op: op, Path: home}, report) {
			if err != nil {
				return nil, err
			}
			path, ok := pathOf(home, res.Href, base)
			if !ok || path == "/" {
				return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrBadAnswer, Message: "Nextcloud named a file elsewhere"}
			}
			number, _ := strconv.ParseInt(res.Prop(fileID).String(), 10, 64)
			set.add(path, number)
			if len(set.paths) > MaxFiles {
				return nil, &nextcloud.Error{Op: op, Kind: nextcloud.ErrTooLarge, Message: fmt.Sprintf("more than %d files carry an excluded tag; an administrator can tag folders instead", MaxFiles)}
			}
		}
	}
	set.sort()
	return set, nil
}

// tagIDs are the ids of the rule's tags. A tag that the person cannot see
// cannot be looked for, so a name without a tag is an error: nobody can tell it
// from a tag that Nextcloud hides from this person.
func (r *Rule) tagIDs(ctx context.Context, d *dav.Client) ([]string, error) {
	ms, err := d.Propfind(ctx, dav.Query{Op: op, Path: dav.Root + "/systemtags/", Depth: dav.Children}, tagID, tagName)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, name := range r.tags {
		found := false
		for i := range ms.Responses {
			res := &ms.Responses[i]
			if id := res.Prop(tagID).String(); id != "" && strings.EqualFold(strings.TrimSpace(res.Prop(tagName).String()), name) {
				ids, found = append(ids, id), true
			}
		}
		if !found {
			return nil, &nextcloud.Error{
				Op: op, Kind: nextcloud.ErrUnavailable,
				Message: fmt.Sprintf("the server excludes files with the tag %q, but this person can see no such tag; until an administrator makes the tag, visible to everybody, no file can be reached", name),
			}
		}
	}
	return ids, nil
}

// pathOf is the path in the person's files of an href below home.
func pathOf(home, href string, base *url.URL) (string, bool) {
	u, err := url.Parse(href)
	if err != nil || u.Opaque != "" || (u.Host != "" && u.Host != base.Host) {
		return "", false
	}
	below, err := url.PathUnescape(home)
	if err != nil {
		return "", false
	}
	rest, ok := strings.CutPrefix(u.Path, base.Path+below)
	if !ok || (rest != "" && rest[0] != '/') {
		return "", false
	}
	return "/" + strings.Trim(rest, "/"), true
}

// Set is what is excluded for one person. The nil set is empty.
type Set struct {
	paths  map[string]bool // folded
	sorted []string
	ids    map[int64]bool
	weight int
}

func newSet() *Set {
	const empty = 200 // bytes
	return &Set{paths: map[string]bool{}, ids: map[int64]bool{}, weight: empty}
}

func (s *Set) add(path string, id int64) {
	const entry = 120 // bytes beside the path
	path = fold(path)
	s.paths[path] = true
	if id > 0 {
		s.ids[id] = true
	}
	s.weight += 2*len(path) + entry
}

func (s *Set) sort() {
	for path := range s.paths {
		s.sorted = append(s.sorted, path)
	}
	slices.Sort(s.sorted)
}

// Hides reports whether a file or folder is excluded: it carries a tag, or one
// of the folders that it is in does.
func (s *Set) Hides(path string) bool {
	if s == nil || len(s.paths) == 0 {
		return false
	}
	path = fold(path)
	for {
		if s.paths[path] {
			return true
		}
		i := strings.LastIndexByte(path, '/')
		if i < 0 {
			return false
		}
		path = path[:i]
	}
}

// HidesBelow reports whether something in a folder is excluded.
func (s *Set) HidesBelow(path string) bool {
	if s == nil || len(s.sorted) == 0 {
		return false
	}
	path = strings.TrimSuffix(fold(path), "/") + "/"
	i, _ := slices.BinarySearch(s.sorted, path)
	return i < len(s.sorted) && strings.HasPrefix(s.sorted[i], path)
}

// HidesID reports whether the file of an id carries a tag itself. It says
// nothing of the folders that it is in.
func (s *Set) HidesID(id int64) bool { return s != nil && s.ids[id] }

// fold is a path as it is compared: the same for everything that Nextcloud, or
// a storage that does not tell upper from lower case, takes for the same file.
func fold(path string) string {
	path = strings.ReplaceAll(norm.NFC.String(path), `\`, "/")
	var segments []string
	for s := range strings.SplitSeq(path, "/") {
		switch s {
		case "", ".":
		case "..":
			segments = segments[:max(0, len(segments)-1)]
		default:
			segments = append(segments, s)
		}
	}
	return "/" + norm.NFC.String(strings.ToLower(strings.ToUpper(strings.Join(segments, "/"))))
}
