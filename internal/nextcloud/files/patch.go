package files

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The bounds of a patch.
const (
	maxPatch = 1 << 20 // bytes
	maxHunks = 1000
)

// Patch is a change for Edit: a unified diff of one file (POSIX diff -u), with
// or without its heading. A hunk goes where all of its old lines are, nearest
// to the line that it names; what does not fit exactly, or fits in several
// places equally well, is refused as a whole.
func Patch(diff string) func(string) (string, error) {
	return func(text string) (string, error) {
		hunks, err := parsePatch(diff)
		if err != nil {
			return "", err
		}
		end := lineEnd(text)
		old := slices.Collect(strings.Lines(text))
		bare := make([]string, len(old))
		for i, line := range old {
			bare[i] = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		}
		var out []string
		done, shift := 0, 0 // old lines that are dealt with; how far the last hunk was off
		for i, h := range hunks {
			at, err := h.find(bare, done, h.start+shift)
			if err != nil {
				return "", fmt.Errorf("hunk %d of the patch: %w", i+1, err)
			}
			shift = at - h.start
			out = append(append(out, old[done:at]...), h.apply(old[at:], end)...)
			done = at + len(h.old)
		}
		out = append(out, old[done:]...)
		// Only the last line may end without a break.
		for i := range max(len(out)-1, 0) {
			if !strings.HasSuffix(out[i], "\n") {
				out[i] += end
			}
		}
		return strings.Join(out, ""), nil
	}
}

// hunk is one place of a patch.
type hunk struct {
	start   int // line of the old text, from 0; negative when it is not said
	old     []string
	steps   []step
	changes bool
}

// step is one line of a hunk.
type step struct {
	kind  byte // ' ', '-' or '+'
	text  string
	noEnd bool // the line ends without a break
}

// apply is what becomes of the lines where the hunk fits. Lines that stay keep
// their own ends.
func (h *hunk) apply(old []string, end string) []string {
	var out []string
	i := 0
	for _, s := range h.steps {
		switch s.kind {
		case '+':
			if s.noEnd {
				out = append(out, s.text)
			} else {
				out = append(out, s.text+end)
			}
			continue
		case ' ':
			line := old[i]
			if s.noEnd {
				line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
			}
			out = append(out, line)
		}
		i++
	}
	return out
}

// find is the line where the old lines of the hunk are, not before from.
func (h *hunk) find(text []string, from, near int) (int, error) {
	if len(h.old) == 0 {
		// Nothing but new lines: POSIX counts the line before them.
		switch {
		case h.start < 0 && len(text) > 0:
			return 0, errors.New("it has no old lines that say where it belongs")
		case near > len(text):
			return 0, fmt.Errorf("the text has only %d lines", len(text))
		}
		return max(near, from), nil
	}
	var places []int
	for at := from; at+len(h.old) <= len(text); at++ {
		if slices.Equal(text[at:at+len(h.old)], h.old) {
			places = append(places, at)
		}
	}
	switch {
	case len(places) == 0:
		return 0, errors.New("its old lines are not in the text; they have to be given exactly" + h.miss(text))
	case len(places) == 1:
		return places[0], nil
	case h.start < 0:
		return 0, fmt.Errorf("its old lines are there %d times: give more lines around them", len(places))
	}
	distance := func(at int) int { return max(at-near, near-at) }
	slices.SortFunc(places, func(a, b int) int { return distance(a) - distance(b) })
	if distance(places[0]) == distance(places[1]) {
		return 0, fmt.Errorf("its old lines are in lines %d and %d alike: give more lines around them", places[0]+1, places[1]+1)
	}
	return places[0], nil
}

// miss says where the first old line is.
func (h *hunk) miss(text []string) string {
	for i, line := range text {
		if strings.TrimSpace(line) != "" && strings.TrimSpace(line) == strings.TrimSpace(h.old[0]) {
			return fmt.Sprintf(" (the first of them looks like line %d)", i+1)
		}
	}
	return ""
}

func parsePatch(diff string) ([]*hunk, error) {
	if len(diff) > maxPatch {
		return nil, fmt.Errorf("the patch is longer than %d bytes", maxPatch)
	}
	lines := strings.Split(strings.TrimSuffix(withLineEnds(diff, "\n"), "\n"), "\n")
	var hunks []*hunk
	var h *hunk
	files := 0
	for i, line := range lines {
		next := ""
		if i+1 < len(lines) {
			next = lines[i+1]
		}
		switch {
		case strings.HasPrefix(line, "@@"):
			start, err := hunkStart(line)
			if err != nil {
				return nil, err
			}
			h = &hunk{start: start}
			if hunks = append(hunks, h); len(hunks) > maxHunks {
				return nil, fmt.Errorf("the patch has more than %d hunks", maxHunks)
			}
		case strings.HasPrefix(line, "--- ") && strings.HasPrefix(next, "+++ "):
			if files++; files > 1 {
				return nil, errors.New("the patch is for several files; give one patch per file")
			}
			h = nil
		case h == nil: // what stands before the first hunk
		default:
			if err := h.line(line, i == len(lines)-1); err != nil {
				return nil, fmt.Errorf("line %d of the patch: %w", i+1, err)
			}
		}
	}
	if len(hunks) == 0 {
		return nil, errors.New("this is no unified diff: a hunk begins with a line such as @@ -1,3 +1,4 @@")
	}
	for i, h := range hunks {
		if !h.changes {
			return nil, fmt.Errorf("hunk %d of the patch changes nothing", i+1)
		}
	}
	return hunks, nil
}

func (h *hunk) line(line string, last bool) error {
	kind, text := byte(' '), ""
	switch {
	case line != "":
		kind, text = line[0], line[1:]
	case last: // what ends the patch
		return nil
	default: // editors strip the space of an empty line
	}
	switch kind {
	case ' ':
		h.old = append(h.old, text)
	case '-':
		h.old, h.changes = append(h.old, text), true
	case '+':
		h.changes = true
	case '\\': // "\ No newline at end of file"
		if len(h.steps) > 0 {
			h.steps[len(h.steps)-1].noEnd = true
		}
		return nil
	default:
		return errors.New("it begins with none of space, + and -")
	}
	h.steps = append(h.steps, step{kind: kind, text: text})
	return nil
}

// hunkStart reads a line such as "@@ -12,3 +14,4 @@"; negative when it has no
// numbers.
func hunkStart(line string) (int, error) {
	fields := strings.Fields(line)
	if len(fields) < 2 || !strings.HasPrefix(fields[1], "-") {
		return -1, nil
	}
	number, count, counted := strings.Cut(fields[1][1:], ",")
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is no start of a hunk", line)
	}
	if counted && count == "0" {
		return n, nil // new lines only: n is the line before
	}
	return max(n-1, 0), nil
}
