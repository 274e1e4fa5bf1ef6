package nextcloudtest

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// store is what the app keeps of a value, and what it answers to the write. A value of the wrong type is null without a
// word; refusal is the text of a 400.
func (s *Server) storeCell(c *tableColumn, v any) (kept, echo any, refusal string) {
	kind := c.kind()
	switch {
	case kind == "text-link":
		kept = keepLink(phpText(v))
		return kept, kept, ""
	case strings.HasPrefix(kind, "text"):
		if v == nil {
			return nil, nil, ""
		}
		return phpText(v), phpText(v), ""
	case strings.HasPrefix(kind, "number"):
		return keepNumber(c, v)
	case kind == "selection":
		id, err := strconv.Atoi(phpText(v))
		if err != nil || !c.hasOption(id) {
			return nil, nil, ""
		}
		// Nextcloud: the answer to the write has it as a text, later ones as a number.
		return id, strconv.Itoa(id), ""
	case kind == "selection-multi":
		list := keepMulti(c, v)
		return list, list, ""
	case kind == "selection-check":
		text := strconv.FormatBool(phpText(v) == "1" || phpText(v) == "true")
		return text, text, ""
	case strings.HasPrefix(kind, "datetime"):
		kept = keepTime(kind, v)
		return kept, kept, ""
	case kind == "usergroup":
		return s.keepPeople(v)
	}
	return nil, nil, ""
}

func keepNumber(c *tableColumn, v any) (kept, echo any, refusal string) {
	n, err := strconv.ParseFloat(phpText(v), 64)
	if err != nil {
		return nil, nil, ""
	}
	switch c.text("subtype") {
	case "stars", "progress":
		most := map[string]float64{"stars": 5, "progress": 100}[c.text("subtype")]
		if n < 0 || n > most {
			return nil, nil, ""
		}
		return math.Trunc(n), math.Trunc(n), ""
	}
	if most, ok := c.number("numberMax"); ok && n > most {
		return nil, nil, fmt.Sprintf("Value for column %s exceeds maximum allowed value of %g", c.text("title"), most)
	}
	if least, ok := c.number("numberMin"); ok && n < least {
		return nil, nil, fmt.Sprintf("Value for column %s is below minimum allowed value of %g", c.text("title"), least)
	}
	decimals, _ := c.number("numberDecimals")
	scale := math.Pow(10, decimals)
	return math.Round(n*scale) / scale, n, ""
}

func keepMulti(c *tableColumn, v any) any {
	if v == nil {
		return noData
	}
	if text, ok := v.(string); ok && json.Unmarshal([]byte(text), &v) != nil {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		return nil
	}
	ids := []any{}
	for _, item := range list {
		id, err := strconv.Atoi(fmt.Sprint(item))
		if err != nil || !c.hasOption(id) {
			return nil
		}
		ids = append(ids, id)
	}
	return ids
}

func keepTime(kind string, v any) any {
	if v == nil {
		return nil
	}
	form := map[string]string{"datetime": "2006-01-02 15:04", "datetime-date": time.DateOnly, "datetime-time": "15:04"}[kind]
	t, err := time.Parse(form, phpText(v))
	if err != nil {
		return ""
	}
	return t.Format(form)
}

var (
	exportedLink = regexp.MustCompile(`(.*) \((http.*)\)`)
	bareLink     = regexp.MustCompile(`(http|https)://[a-zA-Z0-9\-.]+\.[a-zA-Z]{2,3}(/\S*)?`)
)

func keepLink(text string) any {
	var link map[string]any
	switch {
	case exportedLink.MatchString(text):
		m := exportedLink.FindStringSubmatch(text)
		return linkText(m[1], m[2])
	case json.Unmarshal([]byte(text), &link) == nil:
		// Nextcloud: the provider has to be one that the column allows.
		if link["title"] == nil || link["value"] == nil || link["providerId"] != nil {
			return nil
		}
		return text
	}
	if found := bareLink.FindString(text); found != "" {
		return linkText(found, found)
	}
	return nil
}

func linkText(title, link string) string {
	return string(phpJSON(map[string]string{"title": title, "value": link, "providerId": "url"}))
}

func (s *Server) keepPeople(v any) (kept, echo any, refusal string) {
	if v == nil {
		return noData, noData, ""
	}
	list, ok := v.([]any)
	if !ok {
		return nil, nil, "Invalid value for usergroup column"
	}
	for _, item := range list {
		entry, _ := item.(map[string]any)
		if id := phpText(entry["id"]); phpText(entry["type"]) == "0" && s.account(id) == nil {
			return nil, nil, "User not found"
		}
	}
	return list, list, ""
}

// shown is a cell as reading answers it.
func (s *Server) shownCell(c *tableColumn, v any) any {
	switch {
	case strings.HasPrefix(c.kind(), "number") && v == nil:
		return 0 // Nextcloud: an empty number cannot be told from 0
	case c.kind() == "usergroup":
		list, _ := v.([]any)
		out := []any{}
		for _, item := range list {
			entry, _ := item.(map[string]any)
			id := phpText(entry["id"])
			name := id
			if a := s.account(id); a != nil {
				name = a.profile().DisplayName
			}
			out = append(out, map[string]any{"id": id, "type": entry["type"], "displayName": name})
		}
		return out
	}
	return v
}

// matches tells whether a row fits one rule of a view.
func (r *tableRow) matches(rule any) bool {
	m, _ := rule.(map[string]any)
	id, _ := strconv.Atoi(fmt.Sprint(m["columnId"]))
	have, want := strings.ToLower(fmt.Sprint(r.cells[id])), strings.ToLower(fmt.Sprint(m["value"]))
	if want == "@checked" || want == "@unchecked" {
		want = strconv.FormatBool(want == "@checked")
	}
	a, errA := strconv.ParseFloat(have, 64)
	b, errB := strconv.ParseFloat(want, 64)
	numbers := errA == nil && errB == nil
	switch m["operator"] {
	case "contains":
		return strings.Contains(have, want)
	case "begins-with":
		return strings.HasPrefix(have, want)
	case "ends-with":
		return strings.HasSuffix(have, want)
	case "is-equal":
		return have == want
	case "is-greater-than":
		return numbers && a > b
	case "is-lower-than":
		return numbers && a < b
	}
	return true
}

// visible are the rows of a view in its order.
func (t *tableNode) visible(v *tableView) []*tableRow {
	var rows []*tableRow
	for _, r := range t.rows {
		fits := len(v.filter) == 0
		for _, group := range v.filter {
			rules, _ := group.([]any)
			fits = fits || !slices.ContainsFunc(rules, func(rule any) bool { return !r.matches(rule) })
		}
		if fits {
			rows = append(rows, r)
		}
	}
	for _, order := range slices.Backward(v.sort) {
		m, _ := order.(map[string]any)
		id, _ := strconv.Atoi(fmt.Sprint(m["columnId"]))
		slices.SortStableFunc(rows, func(a, b *tableRow) int {
			x, errX := strconv.ParseFloat(fmt.Sprint(a.cells[id]), 64)
			y, errY := strconv.ParseFloat(fmt.Sprint(b.cells[id]), 64)
			order := strings.Compare(fmt.Sprint(a.cells[id]), fmt.Sprint(b.cells[id]))
			if errX == nil && errY == nil {
				order = int(math.Copysign(1, x-y))
				if x == y {
					order = 0
				}
			}
			if m["mode"] == "DESC" {
				return -order
			}
			return order
		})
	}
	return rows
}
