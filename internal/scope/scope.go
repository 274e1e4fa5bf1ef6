// Package scope is the vocabulary of OAuth scopes that this server grants and
// enforces: one read and one write scope per area. It is separate because the
// front door, the tool registry and the documentation all speak it, and it
// depends on none of them.
package scope

import (
	"slices"
	"strings"
)

// Scope is one OAuth scope (RFC 6749, 3.3) in its canonical dot form, such as
// "notes.read".
type Scope string

// The scopes of the areas. A write scope implies the read scope of its area.
const (
	NotesRead          Scope = "notes.read"
	NotesWrite         Scope = "notes.write"
	CalendarRead       Scope = "calendar.read"
	CalendarWrite      Scope = "calendar.write"
	TodoRead           Scope = "todo.read"
	TodoWrite          Scope = "todo.write"
	ContactsRead       Scope = "contacts.read"
	ContactsWrite      Scope = "contacts.write"
	FilesRead          Scope = "files.read"
	FilesWrite         Scope = "files.write"
	SharingRead        Scope = "sharing.read"
	SharingWrite       Scope = "sharing.write"
	DeckRead           Scope = "deck.read"
	DeckWrite          Scope = "deck.write"
	TablesRead         Scope = "tables.read"
	TablesWrite        Scope = "tables.write"
	CookbookRead       Scope = "cookbook.read"
	CookbookWrite      Scope = "cookbook.write"
	NewsRead           Scope = "news.read"
	NewsWrite          Scope = "news.write"
	TalkRead           Scope = "talk.read"
	TalkWrite          Scope = "talk.write"
	CollectivesRead    Scope = "collectives.read"
	CollectivesWrite   Scope = "collectives.write"
	MailRead           Scope = "mail.read"
	MailWrite          Scope = "mail.write"
	MailSend           Scope = "mail.send"
	SearchRead         Scope = "search.read"
	NotificationsRead  Scope = "notifications.read"
	NotificationsWrite Scope = "notifications.write"
	PeopleRead         Scope = "people.read"
	PeopleWrite        Scope = "people.write"
	AssistantRead      Scope = "assistant.read"
	AssistantWrite     Scope = "assistant.write"
	FormsRead          Scope = "forms.read"
	FormsWrite         Scope = "forms.write"
	PollsRead          Scope = "polls.read"
	PollsWrite         Scope = "polls.write"
	BookmarksRead      Scope = "bookmarks.read"
	BookmarksWrite     Scope = "bookmarks.write"
	PhotosRead         Scope = "photos.read"
	PhotosWrite        Scope = "photos.write"
	MapsRead           Scope = "maps.read"
	MapsWrite          Scope = "maps.write"
)

// The identity scopes of OpenID Connect. They say who somebody is and unlock
// nothing of an area.
const (
	OpenID        Scope = "openid"
	Profile       Scope = "profile"
	Email         Scope = "email"
	OfflineAccess Scope = "offline_access"
)

// Identity reports whether s says who somebody is and unlocks no data.
func (s Scope) Identity() bool {
	switch s {
	case OpenID, Profile, Email, OfflineAccess:
		return true
	default:
		return false
	}
}

// Area is the part before the separator: "notes" for "notes.read".
func (s Scope) Area() string {
	area, _, _ := strings.Cut(string(s), ".")
	return area
}

// Implies reports whether holding s is enough where other is needed.
func (s Scope) Implies(other Scope) bool {
	if s == other {
		return true
	}
	area, ok := strings.CutSuffix(string(s), ".write")
	return ok && other == Scope(area+".read")
}

// Set is a set of granted or needed scopes. The zero value is the empty set,
// which unlocks nothing.
type Set struct {
	scopes []Scope // sorted, without duplicates
}

// NewSet is the set of the given scopes.
func NewSet(scopes ...Scope) Set {
	s := slices.Clone(scopes)
	slices.Sort(s)
	return Set{slices.Compact(s)}
}

// Parse reads a space-separated scope value (RFC 6749, 3.3). The older colon
// form ("notes:read") is read as the dot form; unknown scopes are kept.
func Parse(value string) Set {
	fields := strings.Fields(value)
	scopes := make([]Scope, 0, len(fields))
	for _, f := range fields {
		scopes = append(scopes, Canonical(f))
	}
	return NewSet(scopes...)
}

// Canonical is the dot form of one scope: "notes:read" becomes "notes.read".
// Anything that is not an area scope in colon form is returned as it is.
func Canonical(s string) Scope {
	area, right, ok := strings.Cut(s, ":")
	if !ok || strings.ContainsAny(area, "./:") {
		return Scope(s)
	}
	switch right {
	case "read", "write", "send":
		return Scope(area + "." + right)
	}
	return Scope(s)
}

// Has reports whether the set unlocks needed, by itself or by implication.
func (s Set) Has(needed Scope) bool {
	return slices.ContainsFunc(s.scopes, func(held Scope) bool { return held.Implies(needed) })
}

// HasAll reports whether the set unlocks every scope of needed.
func (s Set) HasAll(needed Set) bool {
	return !slices.ContainsFunc(needed.scopes, func(n Scope) bool { return !s.Has(n) })
}

// Missing is the part of needed that the set does not unlock.
func (s Set) Missing(needed Set) Set {
	return Set{slices.DeleteFunc(slices.Clone(needed.scopes), s.Has)}
}

// Union is the set of what either set holds.
func (s Set) Union(other Set) Set {
	return NewSet(slices.Concat(s.scopes, other.scopes)...)
}

// Empty reports whether the set holds nothing.
func (s Set) Empty() bool { return len(s.scopes) == 0 }

// Scopes are the members in sorted order.
func (s Set) Scopes() []Scope { return slices.Clone(s.scopes) }

// Strings are the members in sorted order, as strings.
func (s Set) Strings() []string {
	out := make([]string, len(s.scopes))
	for i, scope := range s.scopes {
		out[i] = string(scope)
	}
	return out
}

// String is the space-separated form of RFC 6749, 3.3.
func (s Set) String() string { return strings.Join(s.Strings(), " ") }
