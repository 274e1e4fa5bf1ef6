package doctor

import (
	"fmt"
	"io"
	"strings"
)

// titleWidth is that of the longest title.
const titleWidth = 28

// Print writes a result for people: what was seen, and below it what to do.
func (r Result) Print(w io.Writer) {
	fmt.Fprintf(w, "%-8s %-*s  %s\n", r.Status, titleWidth, r.Title, r.Detail)
	if r.Fix != "" {
		fmt.Fprintf(w, "%s-> %s\n", strings.Repeat(" ", 9), r.Fix)
	}
}

// Count is how many results have a status.
func (r Report) Count(s Status) int {
	n := 0
	for _, c := range r.Checks {
		if c.Status == s {
			n++
		}
	}
	return n
}
