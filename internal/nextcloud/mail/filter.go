package mail

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The words of the app's search. Those that it does not know it ignores without
// a word, which would find everything.
var (
	filterKeys  = []string{"from", "to", "cc", "bcc", "subject", "body", "is", "not", "flags", "tags", "start", "end", "match", "mentions"}
	filterMarks = []string{"read", "unread", "starred", "answered", "important"}
)

// Filter turns a search as people write it, such as
//
//	from:bob subject:"the budget" is:unread start:2026-11-01
//
// into the form of the app: values encoded, days as Unix times (UTC; an end
// holds its day).
func Filter(text string) (string, error) {
	const op = "search mail"
	words, err := filterWords(text)
	if err != nil {
		return "", err
	}
	var out []string
	for _, word := range words {
		key, value, ok := strings.Cut(word, ":")
		key = strings.ToLower(key)
		if !ok || !slices.Contains(filterKeys, key) {
			return "", invalid(op, fmt.Sprintf("%q says not where to look: write subject:%s, or one of %s", word, word, strings.Join(filterKeys, ", ")))
		}
		if value == "" {
			return "", invalid(op, key+": has no value")
		}
		switch key {
		case "is", "not":
			if !slices.Contains(filterMarks, value) {
				return "", invalid(op, fmt.Sprintf("%s:%s is unknown: there are %s", key, value, strings.Join(filterMarks, ", ")))
			}
		case "flags":
			for mark := range strings.SplitSeq(value, ",") {
				if mark != "attachments" && !slices.Contains(filterMarks, mark) {
					return "", invalid(op, fmt.Sprintf("flags:%s is unknown: there are attachments, %s", mark, strings.Join(filterMarks, ", ")))
				}
			}
		case "match":
			if value != "allof" && value != "anyof" {
				return "", invalid(op, "match: is allof or anyof")
			}
		case "mentions":
			if value != "true" {
				return "", invalid(op, "mentions: is true")
			}
		case "start", "end":
			if value, err = filterTime(value, key == "end"); err != nil {
				return "", err
			}
		}
		out = append(out, key+":"+url.QueryEscape(value))
	}
	return strings.Join(out, " "), nil
}

// filterTime is a day, a time of RFC 3339 or Unix seconds as Unix seconds.
func filterTime(value string, end bool) (string, error) {
	if strings.Trim(value, "0123456789") == "" && len(value) > 4 && len(value) < 12 {
		return value, nil
	}
	if day, err := time.Parse(time.DateOnly, value); err == nil {
		if end {
			day = day.AddDate(0, 0, 1).Add(-time.Second)
		}
		return number(day.Unix()), nil
	}
	if t, err := time.Parse(time.RFC3339, value); err == nil {
		return number(t.Unix()), nil
	}
	return "", invalid("search mail", fmt.Sprintf("%q is no day such as 2026-11-30", value))
}

// maxFilter bounds a search, in bytes.
const maxFilter = 1000

// filterWords splits at spaces outside of quotes.
func filterWords(text string) ([]string, error) {
	if len(text) > maxFilter {
		return nil, invalid("search mail", "the search is too long")
	}
	var words []string
	var word strings.Builder
	quoted, some := false, false
	for _, r := range text {
		switch {
		case r == '"':
			quoted, some = !quoted, true
		case !quoted && (r == ' ' || r == '\t' || r == '\n'):
			if some {
				words = append(words, word.String())
			}
			word.Reset()
			some = false
		default:
			word.WriteRune(r)
			some = true
		}
	}
	if quoted {
		return nil, invalid("search mail", "a quote is not closed")
	}
	if some {
		words = append(words, word.String())
	}
	return words, nil
}
