package nextcloudtest

import (
	"cmp"
	"crypto/md5" //nolint:gosec // the app's ETags, not secrets
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxNotes bounds one account.
const maxNotes = 20_000

var (
	errNoNote       = errors.New("note does not exist")
	errNoteReadOnly = errors.New("note is not writable")
	errNotesFull    = errors.New("notebook is full")
)

// notebook is the Notes app of one user: it shows the files below the notes folder, whose folders are categories.
type notebook struct {
	now   func() time.Time
	files *fileHome // its lock guards the notebook as well

	settings notesSettings
}

// notesSettings are what the settings route tells.
type notesSettings struct {
	NotesPath  string `json:"notesPath"`
	FileSuffix string `json:"fileSuffix"`
	NoteMode   string `json:"noteMode"`
}

var defaultNotesSettings = notesSettings{NotesPath: "Notes", FileSuffix: ".md", NoteMode: "rich"}

// note is one text file as the app shows it.
type note struct {
	spot       spot
	id         int
	category   string
	title      string // the file name without its suffix
	suffix     string
	content    string
	modified   int64 // mtime in seconds
	favorite   bool
	readOnly   bool // shared by somebody who does not allow changes
	lastUpdate int64
}

// noteState is what the app remembers about a file: what it was like when it was last looked at.
type noteState struct {
	etag       string
	lastUpdate int64
}

func newNotebook(s *Server, a *account) *notebook {
	return &notebook{now: s.now, files: a.files, settings: defaultNotesSettings}
}

// note reads a file; ok is false when the app does not take it for a note.
func (b *notebook) note(p spot) (n *note, ok bool) {
	suffix := path.Ext(p.place.name)
	inside, below := strings.CutPrefix(p.path, b.root()+"/")
	if p.node.isFolder() || !below || !slices.Contains([]string{".md", ".txt", ".org", ".markdown", ".note"}, strings.ToLower(suffix)) {
		return nil, false
	}
	n = &note{
		spot: p, id: p.node.id, category: strings.TrimPrefix(path.Dir("/"+inside), "/"), title: strings.TrimSuffix(p.place.name, suffix), suffix: suffix,
		content: string(p.node.content.data), modified: p.node.mtime, favorite: p.favorite() == 1, readOnly: p.rights&mayUpdate == 0,
	}
	// Notes: a change from outside counts from the moment at which the app sees it.
	if state := &p.node.note; state.etag != n.etag() {
		*state = noteState{n.etag(), b.now().Unix()}
	}
	n.lastUpdate = p.node.note.lastUpdate
	return n, true
}

// root is the notes folder.
func (b *notebook) root() string { return path.Join("/", b.settings.NotesPath) }

// etag changes with everything that the API shows.
func (n *note) etag() string {
	sum := md5.Sum(fmt.Appendf(nil, "%d\x00%s\x00%s\x00%s\x00%d\x00%t", n.id, n.category, n.title, n.content, n.modified, n.favorite)) //nolint:gosec // as above
	return hex.EncodeToString(sum[:])
}

// path is where the file lies in the user's files.
func (n *note) path() string { return n.spot.path }

// draft is what a request says about a note; nil means nothing.
type draft struct {
	title, content, category *string
	modified                 *int64
	favorite                 *bool
}

// list returns the notes of the folder in the order of their last change, which is the order of chunks.
func (b *notebook) list() []*note {
	var notes []*note
	if root, found := b.files.find(b.root()); found {
		root.walk(func(p spot) {
			if n, ok := b.note(p); ok {
				notes = append(notes, n)
			}
		})
	}
	slices.SortFunc(notes, func(a, b *note) int {
		return cmp.Or(cmp.Compare(a.lastUpdate, b.lastUpdate), cmp.Compare(a.id, b.id))
	})
	return notes
}

func (b *notebook) get(id int) (*note, error) {
	p, found := b.files.byID(id)
	if !found {
		return nil, errNoNote
	}
	n, ok := b.note(p)
	if !ok {
		return nil, errNoNote
	}
	return n, nil
}

func (b *notebook) create(d draft) (*note, error) {
	category := safeCategory(deref(d.category))
	folder, err := b.files.store.mkdirAll(b.files.root, path.Join(b.root(), category))
	if err != nil || len(folder.children) >= maxNotes {
		return nil, errNotesFull
	}
	name := b.freeTitle(folder, nil, deref(d.title), b.settings.FileSuffix) + b.settings.FileSuffix
	// Nextcloud: on create a zero means "not given".
	made, err := b.files.store.write(folder, name, blob{data: []byte(deref(d.content))}, deref(d.modified), b.files.owner.id)
	if err != nil {
		return nil, errNotesFull
	}
	made.favor(b.files.owner.id, deref(d.favorite))
	return b.get(made.id)
}

// update changes a note and returns it as it is then.
func (b *notebook) update(n *note, d draft) (*note, error) {
	if n.readOnly && (d.content != nil || d.title != nil || d.category != nil || d.modified != nil) {
		return nil, errNoteReadOnly
	}
	file, store := n.spot.node, b.files.store
	if d.content != nil && *d.content != n.content {
		if _, err := store.write(file.parent, file.name, blob{data: []byte(*d.content)}, 0, b.files.owner.id); err != nil {
			return nil, errNotesFull
		}
	}
	modified := file.mtime
	if d.content != nil {
		modified = b.now().Unix()
	}
	if d.modified != nil {
		modified = *d.modified
	}
	if modified != file.mtime {
		file.mtime = modified
		file.etag = file.fileETag()
		store.touch(file, 0)
	}
	if d.title != nil || d.category != nil {
		if err := b.rename(n, d); err != nil {
			return nil, err
		}
	}
	if d.favorite != nil {
		file.favor(b.files.owner.id, *d.favorite)
	}
	return b.get(n.id)
}

// rename moves the file to where its title and category say.
func (b *notebook) rename(n *note, d draft) error {
	title, category := n.title, n.category
	if d.title != nil {
		title = *d.title
	}
	if d.category != nil {
		category = safeCategory(*d.category)
	}
	file, store := n.spot.place, b.files.store
	folder, err := store.mkdirAll(b.files.root, path.Join(b.root(), category))
	if err != nil {
		return errNotesFull
	}
	name := b.freeTitle(folder, file, title, n.suffix) + n.suffix
	old := file.parent
	if name == file.name && folder == old {
		return nil
	}
	store.detach(file)
	file.name = name
	store.attach(file, folder)
	b.prune(old)
	return nil
}

// prune removes categories that hold nothing any more.
func (b *notebook) prune(folder *fileNode) {
	root, found := b.files.find(b.root())
	for found && folder != root.node && folder.below(root.node) && len(folder.children) == 0 {
		parent := folder.parent
		b.files.store.detach(folder)
		b.files.store.forgetNode(folder)
		folder = parent
	}
}

func (b *notebook) remove(n *note) error {
	if n.readOnly {
		return errNoteReadOnly
	}
	folder := n.spot.node.parent
	b.files.store.discard(n.spot.place, b.files.owner.id)
	b.prune(folder)
	return nil
}

// favor marks a file as somebody's favourite, or not.
func (n *fileNode) favor(uid string, yes bool) {
	if n.favoriteOf == nil {
		n.favoriteOf = map[string]bool{}
	}
	n.favoriteOf[uid] = yes
}

// set changes settings; what is empty or unknown stays as it is.
func (b *notebook) set(in notesSettings) {
	if p := strings.Trim(path.Clean("/"+in.NotesPath), "/"); p != "" {
		b.settings.NotesPath = p
	}
	if in.FileSuffix != "" {
		b.settings.FileSuffix = in.FileSuffix
	}
	switch in.NoteMode {
	case "edit", "preview", "rich":
		b.settings.NoteMode = in.NoteMode
	}
}

var countedTitle = regexp.MustCompile(`^(.*)\s\((\d+)\)$`)

// freeTitle makes a title that no other file of the folder has: " (2)" is appended, " (2)" becomes " (3)".
func (b *notebook) freeTitle(folder, self *fileNode, title, suffix string) string {
	title = safeTitle(title)
	for range maxNotes {
		if other := folder.children[title+suffix]; other == nil || other == self {
			return title
		}
		if m := countedTitle.FindStringSubmatch(title); m != nil {
			if count, err := strconv.Atoi(m[2]); err == nil {
				title = fmt.Sprintf("%s (%d)", m[1], count+1)
				continue
			}
		}
		title += " (2)"
	}
	return title
}

var leadingDots = regexp.MustCompile(`(?m)^[. ]+`)

// safeName removes what some operating system does not allow in file names.
func safeName(s string) string {
	s = strings.NewReplacer("*", "", "|", "", "/", "", `\`, "", ":", "", `"`, "", "<", "", ">", "", "?", "").Replace(s)
	return strings.TrimSpace(leadingDots.ReplaceAllString(s, ""))
}

// safeTitle is the first line of a title, at most 100 characters, never empty.
func safeTitle(s string) string {
	s = safeName(s)
	if i := strings.IndexAny(s, "\r\n\v\f\u0085\u2028\u2029"); i >= 0 {
		s = s[:i]
	}
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > 100 {
		s = string([]rune(s)[:100])
	}
	// PHP takes "0" for empty.
	if s == "" || s == "0" {
		return "New note"
	}
	return s
}

func safeCategory(category string) string {
	var kept []string
	for part := range strings.SplitSeq(category, "/") {
		if part = safeName(part); part != "" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "/")
}

var (
	listItem      = regexp.MustCompile(`(?m)^\s*[*+-]\s+`)
	headline      = regexp.MustCompile(`(?m)^#+\s+(.*?)\s*#*$`)
	separator     = regexp.MustCompile(`(?m)^(=+|-+)$`)
	starEmphasis  = regexp.MustCompile(`(?m)\*+(.*?)\*+`)
	scoreEmphasis = regexp.MustCompile(`(?m)_+(.*?)_+`)
)

// titleOf is the title that version 0.2 of the API takes from the content.
func titleOf(content string) string {
	content = listItem.ReplaceAllString(content, "")
	content = headline.ReplaceAllString(content, "$1")
	content = separator.ReplaceAllString(content, "")
	content = starEmphasis.ReplaceAllString(content, "$1")
	content = scoreEmphasis.ReplaceAllString(content, "$1")
	return safeTitle(content)
}

func deref[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}
