package files

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"nextcloud-mcp-server/internal/nextcloud"
)

// The bounds of Nextcloud: its column of names, and what its path column and
// common file systems take.
const (
	maxName = 250  // bytes
	maxPath = 4000 // bytes
)

// Clean is name as an absolute path without double slashes or one at its end.
// What leads out of the person's files, in whatever encoding, is refused.
func Clean(name string) (string, error) {
	if len(name) > maxPath {
		return "", fmt.Errorf("the path is longer than %d bytes", maxPath)
	}
	var segments []string
	for s := range strings.SplitSeq(name, "/") {
		if s == "" {
			continue
		}
		if _, err := nextcloud.Path("", s); err != nil {
			return "", err
		}
		if err := disguised(s); err != nil {
			return "", err
		}
		segments = append(segments, s)
	}
	return "/" + strings.Join(segments, "/"), nil
}

// disguised refuses a name that becomes another path for whoever decodes it
// once more. Nextcloud does not, but what stands between might, and a caller
// who writes so meant something else than a name.
func disguised(segment string) error {
	for range 3 {
		decoded, err := url.PathUnescape(segment)
		if err != nil || decoded == segment {
			return nil //nolint:nilerr // a percent sign that encodes nothing is one
		}
		if _, err := nextcloud.Path("", decoded); err != nil {
			return fmt.Errorf("the name %q is written in percent-encoding: give the path as people see it", segment)
		}
		segment = decoded
	}
	return nil
}

// checkNew refuses the last name of a path that is to be created.
func checkNew(clean string) error {
	name := base(clean)
	lower := strings.ToLower(name)
	switch {
	case name == "":
		return errors.New("the root itself cannot be written")
	case len(name) > maxName:
		return fmt.Errorf("the name is longer than %d bytes", maxName)
	case name != strings.TrimSpace(name):
		return fmt.Errorf("the name %q begins or ends with a space", name)
	case lower == ".htaccess":
		return fmt.Errorf("the name %q is not allowed in Nextcloud", name)
	case strings.HasSuffix(lower, ".part"), strings.HasSuffix(lower, ".filepart"):
		return fmt.Errorf("names that end like %q are kept for uploads under way", name)
	}
	for _, r := range name {
		if r == utf8.RuneError {
			return errors.New("the name holds a character that was lost on the way here")
		}
		if unicode.IsControl(r) || bidi(r) || r == '\u2028' || r == '\u2029' || r == '\uFEFF' {
			return fmt.Errorf("the name holds the invisible character %U, which would show it as another name", r)
		}
	}
	return nil
}

// bidi reports whether r changes the direction of what stands around it.
func bidi(r rune) bool {
	return unicode.Is(unicode.Bidi_Control, r)
}

// base is the last name of a clean path; empty for the root.
func base(clean string) string { return clean[strings.LastIndexByte(clean, '/')+1:] }

// parent is the folder of a clean path.
func parent(clean string) string {
	dir := clean[:max(0, strings.LastIndexByte(clean, '/'))]
	if dir == "" {
		return "/"
	}
	return dir
}

// Reason is an error's own sentence.
func Reason(err error) string {
	if e, ok := errors.AsType[*nextcloud.Error](err); ok && e.Message != "" {
		return e.Message
	}
	return err.Error()
}
