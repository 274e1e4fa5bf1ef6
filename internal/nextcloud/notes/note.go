package notes

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Note is one note. ETag is without quotes.
type Note struct {
	ID       int64
	Title    string // the file's name without its ending; made unique by the server
	Category string // folder below the notes folder, such as "Work/Ideas"; empty for the root
	Content  string // Markdown
	Modified time.Time
	Favorite bool
	ReadOnly bool
	ETag     string
	Path     string // the file in the person's files, such as "/Notes/Work/Ideas.md"
	URL      string // opens the note in a browser
}

// Draft is a note to be.
type Draft struct {
	Title    string
	Content  string
	Category string
	Favorite bool
}

// Change is what to change of a note; nil leaves a part as it is.
type Change struct {
	Title    *string
	Content  *string
	Category *string
	Favorite *bool
}

func (c Change) empty() bool {
	return c.Title == nil && c.Content == nil && c.Category == nil && c.Favorite == nil
}

// Settings are the person's settings of the Notes app.
type Settings struct {
	NotesPath  string `json:"notesPath"`  // folder in the person's files
	FileSuffix string `json:"fileSuffix"` // ending of new files, such as ".md"
	NoteMode   string `json:"noteMode"`   // how notes open: "rich", "edit" or "preview"
}

// Skipped is something in a list that could not be used.
type Skipped struct {
	ID     int64  `json:"id,omitempty"`
	Reason string `json:"reason"`
}

// wireNote is a note as the API writes it (Notes API v1, "Note attributes").
// A note that did not change since pruneBefore is written as its id alone.
type wireNote struct {
	ID       integer `json:"id"`
	Title    *text   `json:"title"`
	Category text    `json:"category"`
	Content  text    `json:"content"`
	Modified integer `json:"modified"`
	Favorite flag    `json:"favorite"`
	ReadOnly flag    `json:"readonly"`
	ETag     text    `json:"etag"`
	Path     text    `json:"internalPath"`
	Error    flag    `json:"error"`
}

var errNoID = errors.New("note without id")

// decode reads one note.
func (w *wireNote) decode(data []byte) error {
	trimmed := bytes.TrimSpace(data)
	if len(trimmed) > 0 && trimmed[0] == '[' {
		// Nextcloud: Notes 5.0 answers a single note as a list of one.
		var list []json.RawMessage
		if err := json.Unmarshal(trimmed, &list); err != nil {
			return err
		}
		if len(list) != 1 {
			return errNoID
		}
		trimmed = list[0]
	}
	if err := json.Unmarshal(trimmed, w); err != nil {
		return err
	}
	if w.ID <= 0 {
		return errNoID
	}
	return nil
}

// note is the note without its URL.
func (w *wireNote) note() *Note {
	n := &Note{
		ID: int64(w.ID), Category: string(w.Category), Content: string(w.Content),
		Modified: time.Unix(int64(w.Modified), 0).UTC(),
		Favorite: bool(w.Favorite), ReadOnly: bool(w.ReadOnly),
		ETag: string(w.ETag), Path: string(w.Path),
	}
	if w.Title != nil {
		n.Title = string(*w.Title)
	}
	return n
}

// integer is a whole number that may be written as a string.
type integer int64

func (i *integer) UnmarshalJSON(data []byte) error {
	s := strings.Trim(string(data), `"`)
	if s == "null" || s == "" {
		return nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return err
	}
	*i = integer(n)
	return nil
}

// text is a string that PHP may write as a number, false or null: the title
// "2024" of a note, an empty file.
type text string

func (t *text) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '"':
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return err
		}
		*t = text(s)
	case 'n', 'f':
		*t = ""
	case '{', '[', 't':
		return errors.New("not a text")
	default:
		*t = text(data)
	}
	return nil
}

// flag is a boolean that may be written as 0, 1 or a string of them.
type flag bool

func (f *flag) UnmarshalJSON(data []byte) error {
	switch s := strings.Trim(string(data), `"`); s {
	case "true", "1":
		*f = true
	case "false", "0", "null", "":
		*f = false
	default:
		return errors.New("not true or false")
	}
	return nil
}
