// Package policy is what a person allows one connection beyond its scopes:
// which effects, which folders, whether anything at all. It is a leaf, because
// the consent page writes it, the store keeps it, the front door carries it and
// the tools obey it.
package policy

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"nextcloud-mcp-server/internal/scope"
)

// Policy narrows one connection. Its zero value narrows nothing.
type Policy struct {
	// Refused are scopes that the client asked for and the person did not
	// grant. Tools that need one are not shown to the client, and a call says
	// that the person refused it; without this, clients would ask again each
	// time.
	Refused []string `json:"refused,omitempty"`
	// ReadOnly allows only tools that read, whatever the scopes say.
	ReadOnly bool `json:"read_only,omitempty"`
	// NoDelete allows no tool that deletes.
	NoDelete bool `json:"no_delete,omitempty"`
	// Folders are the only folders whose files may be reached, as clean
	// absolute paths in the person's files ("/Projects/Moon"); empty means all.
	Folders []string `json:"folders,omitempty"`
	// Paused allows nothing until the person resumes the connection.
	Paused bool `json:"paused,omitempty"`
}

// RefusedScopes is Refused as a set.
func (p Policy) RefusedScopes() scope.Set { return scope.Parse(strings.Join(p.Refused, " ")) }

// AllowsPath reports whether a file or folder may be reached: it is one of the
// folders or lies below one. Paths are compared as Nextcloud names them, byte
// for byte, after "." and ".." are resolved.
func (p Policy) AllowsPath(name string) bool {
	if len(p.Folders) == 0 {
		return true
	}
	clean := path.Clean("/" + name)
	return slices.ContainsFunc(p.Folders, func(folder string) bool {
		return folder == "/" || clean == folder || strings.HasPrefix(clean, folder+"/")
	})
}

// The bounds of a list of folders.
const (
	maxFolders    = 20
	maxFolderPath = 1000 // bytes
)

// Errors of ParseFolders, for pages to put into words.
var (
	ErrTooManyFolders = errors.New("more than 20 folders")
	ErrBadFolder      = errors.New("not a folder path")
)

// ParseFolders reads one folder path a line, as a person types it; blank lines
// are ignored, and folders inside another one of the list are dropped.
func ParseFolders(text string) ([]string, error) {
	var all []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		bad := !utf8.ValidString(line) || strings.ContainsFunc(line, unicode.IsControl) || strings.Contains(line, `\`) ||
			slices.Contains(strings.Split(line, "/"), "..")
		if bad || len(line) > maxFolderPath {
			return nil, fmt.Errorf("%w: %q", ErrBadFolder, line)
		}
		all = append(all, path.Clean("/"+line))
	}
	slices.Sort(all)
	var out []string
	for _, folder := range all {
		if len(out) > 0 && (Policy{Folders: out}).AllowsPath(folder) {
			continue
		}
		out = append(out, folder)
	}
	if len(out) > maxFolders {
		return nil, ErrTooManyFolders
	}
	return out, nil
}
