package tool

import (
	"encoding/json"
	"strings"
	"unicode"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/auth"
)

// Entry is one thing that a connection did, for the person to read later. It
// holds no contents, no queries and no texts.
type Entry struct {
	Principal *auth.Principal
	Tool      string // or "resources/read"
	// Object is what was touched, as the caller named it: ids, paths, names; at
	// most 200 characters, none of them a control character. May be empty.
	Object  string
	Outcome string // "ok", or one of the words of the metrics
}

// audit reports a finished call, when somebody wants to know and there is a
// person's connection to report it for.
func (b *Binding) audit(extra *mcp.RequestExtra, name, outcome string, object func() string) {
	if b.Audit == nil {
		return
	}
	if p := b.principal(extra); p != nil && p.GrantID != "" {
		b.Audit(Entry{Principal: p, Tool: name, Object: object(), Outcome: outcome})
	}
}

// object is what a call with the given arguments touches.
func (t *Tool) object(arguments json.RawMessage) string {
	if len(t.Object) == 0 {
		return ""
	}
	var args map[string]json.RawMessage
	if json.Unmarshal(arguments, &args) != nil {
		return ""
	}
	for old, name := range t.Aliases {
		value, ok := args[old]
		if _, both := args[name]; ok && !both {
			args[name] = value
		}
	}
	var parts []string
	for _, name := range t.Object {
		if value := scalar(args[name]); value != "" {
			parts = append(parts, value)
		}
	}
	return plain(strings.Join(parts, ", "))
}

// scalar is a JSON text or number as text; empty for everything else.
func scalar(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String()
	}
	return ""
}

// maxObject bounds an object in the audit, in characters.
const maxObject = 200

// plain is text in one line of bounded length that shows in the order in which
// it is written.
func plain(text string) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	n := 0
	for i := range clean {
		if n == maxObject-1 && len([]rune(clean[i:])) > 1 {
			return clean[:i] + "…"
		}
		n++
	}
	return clean
}
