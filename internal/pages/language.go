package pages

import (
	"math"
	"strconv"
	"strings"
)

// maxLanguages bounds how many language ranges of a request are read; browsers
// send fewer.
const maxLanguages = 32

// choose is the language that a browser likes best of those that the pages
// speak (RFC 9110, 12.5.4, with basic filtering of RFC 4647 turned around: "de"
// serves "de-AT"); English when it likes none.
func choose(accept []string) *texts {
	best, bestQ := languages[0], 0.0
	others, refused, read := 0.0, map[*texts]bool{}, 0
	for _, line := range accept {
		for item := range strings.SplitSeq(line, ",") {
			if read++; read > maxLanguages {
				break
			}
			tag, q := languageRange(item)
			if tag == "*" {
				others = max(others, q)
				continue
			}
			for _, t := range languages {
				if !within(tag, t.tag) {
					continue
				}
				refused[t] = q == 0
				if q > bestQ {
					best, bestQ = t, q
				}
			}
		}
	}
	if others > bestQ {
		for _, t := range languages {
			if !refused[t] {
				return t
			}
		}
	}
	return best
}

// within reports whether a language range is a language or a variety of it.
func within(tag, language string) bool {
	first, _, _ := strings.Cut(tag, "-")
	return strings.EqualFold(first, language)
}

// languageRange reads one range with its weight, which is 1 when absent and 0
// when it is none.
func languageRange(item string) (tag string, q float64) {
	tag, parameters, _ := strings.Cut(item, ";")
	tag = strings.TrimSpace(tag)
	for p := range strings.SplitSeq(parameters, ";") {
		name, value, ok := strings.Cut(p, "=")
		if !ok || !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || math.IsNaN(q) || q < 0 || q > 1 {
			return tag, 0
		}
		return tag, q
	}
	return tag, 1
}
