// Package clientguide knows how a person adds an MCP server to each client: the
// steps, the command line, the link that the client opens, and the text of its
// configuration file. It is apart because the web pages, the documentation and
// the command line all tell people the same thing, and it is a leaf so that any
// of them can.
package clientguide

import (
	"slices"
	"strings"
)

// Client is one MCP client.
type Client struct {
	Key  string // how the command line names it: "claude-code"
	Name string // how its makers name it: "Claude Code"
	// Hosted says that the connection comes from its provider's servers: the
	// address has to be reachable from the internet with https, even when the
	// person's own browser reaches it without.
	Hosted bool
	// Command is what to run in a terminal, as arguments; nil when it has no
	// command line. CommandLine quotes it for people.
	Command func(name, url string) []string
	// DeepLink is a link that makes the client add the server; nil when it has none.
	DeepLink func(name, url string) string
	// File is its configuration file; the zero value when it has none that
	// people are meant to edit.
	File File

	steps map[string]string // by language; a step a line, see Steps
}

// File is a configuration file.
type File struct {
	Path   string                        // as people write it, with ~ for the home folder
	Syntax string                        // "json" or "toml"
	Text   func(name, url string) string // a whole file that holds nothing but this server
}

// Languages are those that Steps speaks, as BCP 47 tags.
func Languages() []string { return []string{"en", "de"} }

// Steps are what to do, one sentence or two each, in plain text. A language
// that Languages does not list is answered in English.
func (c Client) Steps(language, name, url string) []string {
	text, ok := c.steps[language]
	if !ok {
		text = c.steps["en"]
	}
	lines := strings.Split(text, "\n")
	// A Replacer never looks into what it put in.
	fill := strings.NewReplacer("{name}", name, "{url}", url)
	for i, line := range lines {
		lines[i] = fill.Replace(line)
	}
	return lines
}

// CommandLine is Command as it is typed into a POSIX shell; empty when there is none.
func (c Client) CommandLine(name, url string) string {
	if c.Command == nil {
		return ""
	}
	return ShellLine(c.Command(name, url))
}

// ShellLine is a command as it is typed into a POSIX shell.
func ShellLine(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = quote(word)
	}
	return strings.Join(quoted, " ")
}

// quote writes one word for a POSIX shell.
func quote(word string) string {
	plain := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_./:@=+,%", r)
	}
	if word != "" && !strings.ContainsFunc(word, func(r rune) bool { return !plain(r) }) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Find is the client with that key.
func Find(key string) (Client, bool) {
	i := slices.IndexFunc(clients, func(c Client) bool { return c.Key == key })
	if i < 0 {
		return Client{}, false
	}
	return clients[i], true
}

// All are the clients, the most used first.
func All() []Client { return slices.Clone(clients) }
