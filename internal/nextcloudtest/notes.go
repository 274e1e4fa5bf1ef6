package nextcloudtest

import (
	"cmp"
	"crypto/md5" //nolint:gosec // the app's ETags, not secrets
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
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

// notebook is the Notes app of one user: notes are files below the notes folder, categories are its folders.
type notebook struct {
	now func() time.Time

	mu       sync.Mutex // guards the fields below
	settings notesSettings
	notes    map[int]*note
	files    map[string]*noteFile // attachments by path below the user's files
	lastID   int
}

// notesSettings are what the settings route tells.
type notesSettings struct {
	NotesPath  string `json:"notesPath"`
	FileSuffix string `json:"fileSuffix"`
	NoteMode   string `json:"noteMode"`
}

var defaultNotesSettings = notesSettings{NotesPath: "Notes", FileSuffix: ".md", NoteMode: "rich"}

// note is one Markdown file.
type note struct {
	id         int
	folder     string // notesPath when it was written: another setting shows other notes
	category   string
	title      string // the file name without its suffix
	suffix     string
	content    string
	modified   int64 // mtime in seconds
	favorite   bool
	readOnly   bool // shared by somebody who does not allow changes
	lastUpdate int64
}

// noteFile is an attachment.
type noteFile struct {
	content  []byte
	modified time.Time
}

func newNotebook(s *Server, _ User) *notebook {
	// File ids are unique on a server; a range for each user is enough for that.
	return &notebook{
		now: s.now, settings: defaultNotesSettings, notes: map[int]*note{}, files: map[string]*noteFile{},
		lastID: 10_000 * (len(s.accounts) + 1),
	}
}

// etag changes with everything that the API shows.
func (n *note) etag() string {
	sum := md5.Sum(fmt.Appendf(nil, "%d\x00%s\x00%s\x00%s\x00%d\x00%t", n.id, n.category, n.title, n.content, n.modified, n.favorite)) //nolint:gosec // as above
	return hex.EncodeToString(sum[:])
}

// path is where the file lies in the user's files.
func (n *note) path() string {
	return "/" + path.Join(n.folder, n.category, n.title+n.suffix)
}

// draft is what a request says about a note; nil means nothing.
type draft struct {
	title, content, category *string
	modified                 *int64
	favorite                 *bool
}

// list returns the notes of the folder in the order of their last change, which is the order of chunks.
func (b *notebook) list() []*note {
	var notes []*note
	for _, n := range b.notes {
		if n.folder == b.settings.NotesPath {
			notes = append(notes, n)
		}
	}
	slices.SortFunc(notes, func(a, b *note) int {
		return cmp.Or(cmp.Compare(a.lastUpdate, b.lastUpdate), cmp.Compare(a.id, b.id))
	})
	return notes
}

func (b *notebook) get(id int) (*note, error) {
	n, ok := b.notes[id]
	if !ok || n.folder != b.settings.NotesPath {
		return nil, errNoNote
	}
	return n, nil
}

func (b *notebook) create(d draft) (*note, error) {
	if len(b.notes) >= maxNotes {
		return nil, errNotesFull
	}
	b.lastID++
	now := b.now().Unix()
	n := &note{
		id: b.lastID, folder: b.settings.NotesPath, suffix: b.settings.FileSuffix,
		category: safeCategory(deref(d.category)), content: deref(d.content), modified: now, favorite: deref(d.favorite), lastUpdate: now,
	}
	// Nextcloud: on create a zero means "not given".
	if m := deref(d.modified); m != 0 {
		n.modified = m
	}
	n.title = b.freeTitle(n, deref(d.title))
	b.notes[n.id] = n
	return n, nil
}

func (b *notebook) update(n *note, d draft) error {
	if n.readOnly && (d.content != nil || d.title != nil || d.category != nil || d.modified != nil) {
		return errNoteReadOnly
	}
	before := n.etag()
	now := b.now().Unix()
	if d.content != nil {
		n.content, n.modified = *d.content, now
	}
	if d.modified != nil {
		n.modified = *d.modified
	}
	if d.category != nil {
		n.category = safeCategory(*d.category)
	}
	if d.title != nil || d.category != nil {
		title := n.title
		if d.title != nil {
			title = *d.title
		}
		n.title = b.freeTitle(n, title)
	}
	if d.favorite != nil {
		n.favorite = *d.favorite
	}
	if n.etag() != before {
		n.lastUpdate = now
	}
	return nil
}

func (b *notebook) remove(n *note) error {
	if n.readOnly {
		return errNoteReadOnly
	}
	delete(b.notes, n.id)
	return nil
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

// freeTitle makes a file name that no other note of the folder has: " (2)" is appended, " (2)" becomes " (3)".
func (b *notebook) freeTitle(n *note, title string) string {
	title = safeTitle(title)
	taken := func(title string) bool {
		for _, other := range b.notes {
			if other != n && other.folder == n.folder && other.category == n.category && other.title == title && other.suffix == n.suffix {
				return true
			}
		}
		return false
	}
	for range maxNotes {
		if !taken(title) {
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

// tree lists the files of the app by path: notes and attachments.
func (b *notebook) tree() map[string]*noteFile {
	tree := maps.Clone(b.files)
	for _, n := range b.notes {
		tree[n.path()] = &noteFile{content: []byte(n.content), modified: time.Unix(n.modified, 0)}
	}
	return tree
}
