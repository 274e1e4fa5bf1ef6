package mail

import (
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/net/html"

	api "nextcloud-mcp-server/internal/nextcloud/mail"
)

// body is the text of a message for a model.
type body struct {
	text     string
	folded   int // quoted lines that are left out
	warnings []string
	cut      bool // the HTML was too large to be read to its end
}

// maxHTML is how much HTML of a message is read, in bytes: a tree of it takes
// many times its size.
const maxHTML = 2 << 20

// bodyOf is the text of a message, with quoted text only when it is asked for.
func bodyOf(m *api.Full, quoted bool) body {
	var b body
	text := m.Body
	if b.cut = len(text) > maxHTML; b.cut {
		text = strings.ToValidUTF8(text[:maxHTML], "")
	}
	if m.IsHTML {
		b.text, b.warnings = markdown(text)
	} else {
		b.text = plain(text)
		if m.Signature != "" {
			b.text += "\n-- \n" + plain(m.Signature[:min(len(m.Signature), maxHTML)])
		}
	}
	b.text = strings.TrimSpace(strings.ReplaceAll(b.text, "\r\n", "\n"))
	if !quoted {
		b.text, b.folded = fold(b.text)
	}
	return b
}

// plain is the plain text that the app escaped and put links into. The text of
// such a link is its target.
func plain(escaped string) string {
	var b strings.Builder
	for z := html.NewTokenizer(strings.NewReader(escaped)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			b.WriteString(html.UnescapeString(string(z.Raw())))
		case html.SelfClosingTagToken, html.StartTagToken:
			if name, _ := z.TagName(); string(name) == "br" {
				b.WriteByte('\n')
			}
		case html.EndTagToken, html.CommentToken, html.DoctypeToken:
		}
	}
}

// shortQuote is how many quoted lines in a row stay: what an answer in between
// refers to.
const shortQuote = 3

// wholeBelow is the line that some programs put above the whole message that
// they answer, whose lines bear no mark.
var wholeBelow = regexp.MustCompile(`(?i)^[-_\s]*-{2,} ?(original message|ursprüngliche nachricht|message d'origine|mensaje original|messaggio originale|oorspronkelijk bericht) ?-{2,}\s*$`)

// fold leaves out long runs of quoted lines, and says where.
func fold(text string) (out string, folded int) {
	lines := strings.Split(text, "\n")
	var kept []string
	for i := 0; i < len(lines); {
		if wholeBelow.MatchString(lines[i]) && strings.TrimSpace(strings.Join(kept, "")) != "" {
			rest := len(lines) - i
			return strings.Join(append(kept, mark(rest)), "\n"), folded + rest
		}
		end := i
		for end < len(lines) && isQuoted(lines[end]) {
			end++
		}
		switch n := end - i; {
		case n == 0:
			kept = append(kept, lines[i])
			i++
		case n <= shortQuote:
			kept = append(kept, lines[i:end]...)
			i = end
		default:
			kept = append(kept, mark(n))
			folded += n
			i = end
		}
	}
	return strings.Join(kept, "\n"), folded
}

func isQuoted(line string) bool {
	line = strings.TrimLeft(line, " \t")
	return strings.HasPrefix(line, ">") || strings.HasPrefix(line, "&gt;")
}

func mark(lines int) string { return fmt.Sprintf("> [%d quoted lines left out]", lines) }
