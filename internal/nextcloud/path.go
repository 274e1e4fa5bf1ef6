package nextcloud

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Path joins a fixed, already encoded prefix such as "/remote.php/dav/files"
// with segments that come from people or models. Each segment is encoded on
// its own; one that is empty, ".", "..", holds a slash, backslash or control
// character, or is not UTF-8, is refused.
func Path(prefix string, segments ...string) (string, error) {
	var b strings.Builder
	b.WriteString(strings.TrimSuffix(prefix, "/"))
	for _, s := range segments {
		if err := checkSegment(s); err != nil {
			return "", err
		}
		b.WriteByte('/')
		b.WriteString(url.PathEscape(s))
	}
	return b.String(), nil
}

// PathTree is Path for a slash-separated path such as "Work/Ideas". Leading,
// trailing and double slashes are dropped; the empty path is the prefix.
func PathTree(prefix, path string) (string, error) {
	segments := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	return Path(prefix, segments...)
}

func checkSegment(s string) error {
	switch {
	case s == "", s == ".", s == "..":
		return invalidPath(s, "is not a name")
	case !utf8.ValidString(s):
		return invalidPath(s, "is not UTF-8")
	}
	for _, r := range s {
		if r == '/' || r == '\\' || r < 0x20 || r == 0x7f {
			return invalidPath(s, fmt.Sprintf("holds the character %q", r))
		}
	}
	return nil
}

func invalidPath(segment, why string) error {
	return &Error{Op: "build path", Kind: ErrInvalid, Message: fmt.Sprintf("path segment %q %s", segment, why)}
}
