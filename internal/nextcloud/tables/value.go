package tables

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

// encode is a value as the server wants it for this column; nil empties it.
// Errors continue a sentence that begins with the column.
func (c *Column) encode(v any) (any, error) {
	if v == nil {
		return nil, nil //nolint:nilnil // nothing is a value here
	}
	switch c.Type {
	case typeLine, typeLong, typeRich:
		return c.encodeText(v)
	case typeLink:
		return encodeLink(v)
	case typeNumber, typeStars, typeProgress:
		return c.encodeNumber(v)
	case typeSelect:
		return c.option(v)
	case typeMulti:
		return c.encodeMulti(v)
	case typeCheck:
		return encodeCheck(v)
	case typeDate, typeTime, typeDateTime:
		return c.encodeTime(v)
	case typePeople:
		return c.encodePeople(v)
	}
	return nil, fmt.Errorf("is of the type %q, which can only be changed in Nextcloud", c.Type)
}

// decode is a cell as encode takes it again; nil for an empty one. What cannot
// be told in that form is answered as the server has it.
func (c *Column) decode(data json.RawMessage) any {
	if raw(data) == nil {
		return nil
	}
	var text lenient.Text
	isText := json.Unmarshal(data, &text) == nil
	switch c.Type {
	case typeNumber, typeStars, typeProgress:
		if n := json.Number(strings.TrimSpace(string(text))); isText && number(n.String()) != nil {
			return n
		}
	case typeSelect:
		if isText {
			return c.label(string(text))
		}
	case typeMulti:
		return c.decodeMulti(data)
	case typeCheck:
		switch string(data) {
		case "true", `"true"`, "1", `"1"`:
			return true
		}
		return false
	case typeLink:
		if isText {
			return decodeLink(string(text))
		}
	case typePeople:
		return decodePeople(data)
	}
	if isText {
		return string(text)
	}
	return data
}

func (c *Column) encodeText(v any) (any, error) {
	var text string
	switch v := v.(type) {
	case string:
		text = v
	case json.Number:
		text = v.String()
	default:
		return nil, errors.New("takes a text")
	}
	if n := int64(utf8.RuneCountInString(text)); c.MaxLength > 0 && n > c.MaxLength {
		return nil, fmt.Errorf("takes at most %d characters, these are %d", c.MaxLength, n)
	}
	return text, nil
}

// webLink is what the app takes for a web address (its TextLinkBusiness); it
// stores nothing for any other.
var webLink = regexp.MustCompile(`^https?://[a-zA-Z0-9.-]+\.[a-zA-Z]{2,}(:\d+)?(/\S*)?$`)

func encodeLink(v any) (any, error) {
	link, title := "", ""
	switch v := v.(type) {
	case string:
		link = v
		// This is how the app exports links.
		if before, after, found := strings.Cut(v, " (http"); found && strings.HasSuffix(after, ")") {
			link, title = "http"+strings.TrimSuffix(after, ")"), before
		}
	case map[string]any:
		link, _ = v["url"].(string)
		title, _ = v["title"].(string)
	default:
		return nil, errors.New(`takes a web address, or {"url", "title"}`)
	}
	if link == "" && title == "" {
		return "", nil
	}
	if _, err := url.Parse(link); err != nil || !webLink.MatchString(link) {
		return nil, fmt.Errorf("takes a web address that begins with http:// or https://, and %q is none", link)
	}
	if title == "" {
		title = link
	}
	// Nextcloud: with a providerId, the app wants it to be among those that
	// the column allows, and says nothing when it is not.
	text, err := json.Marshal(struct {
		Title string `json:"title"`
		Value string `json:"value"`
	}{title, link})
	return string(text), err
}

func decodeLink(text string) any {
	var link struct{ Title, Value string }
	if json.Unmarshal([]byte(text), &link) != nil || link.Value == "" {
		return text
	}
	if link.Title == "" || link.Title == link.Value {
		return link.Value
	}
	return map[string]string{"url": link.Value, "title": link.Title}
}

// number is text as an exact number; nil when it is none, or too long to be one.
func number(text string) *big.Rat {
	const most = 40
	if text == "" || len(text) > most || strings.Trim(text, "+-.0123456789") != "" {
		return nil
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil
	}
	return r
}

func (c *Column) encodeNumber(v any) (any, error) {
	var text string
	switch v := v.(type) {
	case json.Number:
		text = v.String()
	case string:
		// People and spreadsheets write units where the column has them.
		text = strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(v), c.Prefix), c.Suffix))
		if v == "" {
			return nil, nil //nolint:nilnil // empty
		}
	default:
		return nil, errors.New("takes a number")
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && strings.ContainsAny(text, "eE") {
		text = strconv.FormatFloat(f, 'f', -1, 64)
	}
	n := number(text)
	if n == nil {
		return nil, fmt.Errorf("takes a number such as 12.5, and %q is none", short(text))
	}
	shown := strings.TrimSuffix(strings.TrimRight(n.FloatString(20), "0"), ".")
	if _, decimals, _ := strings.Cut(shown, "."); len(decimals) > c.Decimals {
		return nil, fmt.Errorf("takes %d decimals, and %s has more", c.Decimals, short(text))
	}
	low, high := c.Min, c.Max
	switch c.Type {
	case typeStars:
		low, high = new(float64), new(5.0)
	case typeProgress:
		low, high = new(float64), new(100.0)
	}
	f, _ := n.Float64()
	if low != nil && f < *low || high != nil && f > *high {
		return nil, fmt.Errorf("takes numbers %s, and not %s", bounds(low, high), short(text))
	}
	return json.Number(shown), nil
}

func bounds(low, high *float64) string {
	switch {
	case low == nil:
		return fmt.Sprintf("up to %g", *high)
	case high == nil:
		return fmt.Sprintf("from %g", *low)
	}
	return fmt.Sprintf("from %g to %g", *low, *high)
}

// option is the id of an option that is named by its label, or by its id where
// no label is like it.
func (c *Column) option(v any) (any, error) {
	var name string
	switch v := v.(type) {
	case string:
		name = v
	case json.Number:
		name = v.String()
	default:
		return nil, fmt.Errorf("takes one of %s", c.choices())
	}
	if name == "" {
		return nil, nil //nolint:nilnil // none is chosen
	}
	for _, same := range []func(i int) bool{
		func(i int) bool { return c.Options[i] == name },
		func(i int) bool { return strings.EqualFold(strings.TrimSpace(c.Options[i]), strings.TrimSpace(name)) },
		func(i int) bool { return "#"+strconv.FormatInt(c.ids[i], 10) == name },
		func(i int) bool { return strconv.FormatInt(c.ids[i], 10) == name },
	} {
		var found []int64
		for i := range c.Options {
			if same(i) {
				found = append(found, c.ids[i])
			}
		}
		if len(found) == 1 {
			return found[0], nil
		}
		if len(found) > 1 {
			return nil, fmt.Errorf("has several options %q: give the id, one of #%v", name, found)
		}
	}
	return nil, fmt.Errorf("takes one of %s, and not %q", c.choices(), short(name))
}

func (c *Column) choices() string {
	var words []string
	for _, o := range c.Options {
		words = append(words, strconv.Quote(o))
	}
	return some(words)
}

// label is the option of an id. One that was removed meanwhile, or shares its
// label with another, is called by its id.
func (c *Column) label(id string) any {
	for i := range c.ids {
		if strconv.FormatInt(c.ids[i], 10) != id {
			continue
		}
		label := c.Options[i]
		if v, err := c.option(label); err == nil && v == c.ids[i] {
			return label
		}
	}
	return "#" + id
}

func (c *Column) encodeMulti(v any) (any, error) {
	ids := []int64{}
	for _, item := range list(v) {
		id, err := c.option(item)
		if err != nil {
			return nil, err
		}
		if n, ok := id.(int64); ok && !slices.Contains(ids, n) {
			ids = append(ids, n)
		}
	}
	return ids, nil
}

func (c *Column) decodeMulti(data json.RawMessage) any {
	var inner string
	if json.Unmarshal(data, &inner) == nil {
		data = json.RawMessage(inner) // older versions answer the list as a text
	}
	var ids []lenient.Int
	if json.Unmarshal(data, &ids) != nil {
		return raw(data)
	}
	labels := []any{}
	for _, id := range ids {
		labels = append(labels, c.label(strconv.FormatInt(int64(id), 10)))
	}
	if len(labels) == 0 {
		return nil
	}
	return labels
}

// list is v as a list; one value is a list of one.
func list(v any) []any {
	if l, ok := v.([]any); ok {
		return l
	}
	return []any{v}
}

func encodeCheck(v any) (any, error) {
	var text string
	switch v := v.(type) {
	case bool:
		text = strconv.FormatBool(v)
	case json.Number:
		text = v.String()
	case string:
		text = strings.ToLower(strings.TrimSpace(v))
	}
	switch text {
	case "true", "1", "yes":
		return "true", nil
	case "false", "0", "no", "":
		return "false", nil
	}
	return nil, errors.New("takes true or false")
}

func (c *Column) encodeTime(v any) (any, error) {
	text, ok := v.(string)
	form, example := time.DateOnly, "2026-12-24"
	switch c.Type {
	case typeTime:
		form, example = "15:04", "14:30"
	case typeDateTime:
		form, example = "2006-01-02 15:04", "2026-12-24 14:30"
	}
	if text == "" && ok {
		return nil, nil //nolint:nilnil // empty
	}
	// A time with an offset is refused: the app keeps none, so that what it
	// shows would be another hour.
	plain := strings.TrimSuffix(strings.Replace(strings.TrimSpace(text), "T", " ", 1), ":00")
	for _, candidate := range []string{strings.TrimSpace(text), strings.Replace(strings.TrimSpace(text), "T", " ", 1), plain} {
		if t, err := time.Parse(form, candidate); ok && err == nil {
			return t.Format(form), nil
		}
	}
	return nil, fmt.Errorf("takes a text like %s, without a time zone", example)
}

// person is an entry of a usergroup column.
type person struct {
	ID   string `json:"id"`
	Type int    `json:"type"`
}

// kinds are the types of people's entries, by number.
var kinds = []string{"user", "group", "team"}

func (c *Column) encodePeople(v any) (any, error) {
	people := []person{}
	for _, item := range list(v) {
		text, ok := item.(string)
		if !ok {
			return nil, errors.New(`takes user ids, "group:id" or "team:id"`)
		}
		if text == "" {
			continue
		}
		p := person{ID: text}
		for i, kind := range kinds {
			if id, found := strings.CutPrefix(text, kind+":"); found {
				p = person{id, i}
			}
		}
		if len(c.Holds) > 0 && !slices.Contains(c.Holds, kinds[p.Type]) {
			return nil, fmt.Errorf("takes no %s, only %s", kinds[p.Type], strings.Join(c.Holds, ", "))
		}
		people = append(people, p)
	}
	if len(people) > 1 && !c.Multiple {
		return nil, errors.New("takes only one")
	}
	return people, nil
}

func decodePeople(data json.RawMessage) any {
	var wire []struct {
		ID   lenient.Text `json:"id"`
		Type lenient.Int  `json:"type"`
	}
	if json.Unmarshal(data, &wire) != nil {
		return data
	}
	people := []any{}
	for _, p := range wire {
		name := string(p.ID)
		switch {
		case p.Type < 0 || int(p.Type) >= len(kinds):
			return data
		case p.Type > 0 || strings.Contains(name, ":"):
			name = kinds[p.Type] + ":" + name
		}
		people = append(people, name)
	}
	return people
}

// short bounds what an error repeats.
func short(text string) string {
	const most = 60
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}
