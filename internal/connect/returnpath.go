package connect

import "strings"

// ReturnPath is a path of this server below base, to send a browser to after
// its sign-in; ok is false for anything else. Only the plainest paths are let
// through, so that no reader of them can see another host in one: letters,
// digits, "-" and "_" between single slashes.
func ReturnPath(path, base string) (clean string, ok bool) {
	rest, ok := strings.CutPrefix(path, base)
	if !ok || rest != "" && !strings.HasPrefix(rest, "/") {
		return "", false
	}
	for segment := range strings.SplitSeq(strings.TrimPrefix(rest, "/"), "/") {
		if rest != "" && (segment == "" || strings.ContainsFunc(segment, foreign)) {
			return "", false
		}
	}
	return path, true
}

func foreign(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
		return false
	}
	return true
}
