package talk

import (
	"maps"
	"slices"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

// object is what stands behind a placeholder: a rich object of Nextcloud.
type object struct {
	Type      lenient.Text `json:"type"`
	ID        lenient.Text `json:"id"`
	Name      lenient.Text `json:"name"`
	MentionID lenient.Text `json:"mention-id"`
	Path      lenient.Text `json:"path"`
}

// named are the types of objects of which a text says the name alone.
var named = []lenient.Text{"user", "guest", "group", "user-group", "circle", "call", "email", "federated_user", "highlight"}

// shown is an object as a text for people.
func (o object) shown(key string) string {
	switch {
	case strings.HasPrefix(key, "mention-"):
		return "@" + string(o.Name)
	case slices.Contains(named, o.Type):
		return string(o.Name)
	}
	kind := strings.TrimPrefix(string(o.Type), "talk-")
	return "[" + strings.TrimSpace(kind+": "+string(o.Name)) + "]"
}

// source is an object as one writes it.
func (o object) source(key string) string {
	id := o.MentionID
	if id == "" {
		id = o.ID
	}
	if strings.HasPrefix(key, "mention-") && id != "" {
		return `@"` + string(id) + `"`
	}
	return o.shown(key)
}

// fill puts the objects into the places that a text has for them. What an
// object brings is not looked through again.
func fill(text string, params map[string]lenient.Maybe[object], as func(object, string) string) string {
	if len(params) == 0 || !strings.Contains(text, "{") {
		return text
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		key, after, closed := strings.Cut(rest, "}")
		if o := params[key].Value; closed && o != nil {
			b.WriteString(as(*o, key))
			text = after
			continue
		}
		b.WriteByte('{')
		text = rest
	}
}

func sortedKeys(params map[string]lenient.Maybe[object]) []string {
	return slices.Sorted(maps.Keys(params))
}
