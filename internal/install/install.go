// Package install adds this server to the configuration of an MCP client on
// the same machine: which file that is, what belongs into it, and how to change
// it without touching anything else. It is apart from the command because a
// file of another program is at stake.
package install

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Server is what a client has to know of this server: its address, or else the
// program to start.
type Server struct {
	Name    string // the client's name for it
	URL     string
	Command string // absolute path
	Args    []string
	Env     map[string]string // never secrets: the file is not a safe place for them
}

// System is the machine and the person's folders on it.
type System struct {
	OS      string // as runtime.GOOS
	Home    string
	Config  string // XDG_CONFIG_HOME; empty for its default
	AppData string // APPDATA of Windows
}

// Client is one MCP client.
type Client struct {
	Key    string // how the command line names it
	Name   string // how its makers name it
	After  string // what the person does next
	files  map[string]string
	member string // of the file, which holds the servers by name
	typed  bool   // each server says its type

	// OnlyCommands says that the file takes programs to start and no addresses.
	OnlyCommands bool
}

// clients are the clients with a file, and claude-code, which has a command
// for it. Sources, read in November 2026: modelcontextprotocol.io (connect to
// local servers), cursor.com (MCP), code.visualstudio.com (MCP configuration
// reference), code.claude.com (claude mcp).
var clients = []Client{
	{
		Key: "claude-desktop", Name: "Claude Desktop", member: "mcpServers", OnlyCommands: true,
		After: "Quit Claude Desktop and start it again.",
		files: map[string]string{
			"linux":   "{config}/Claude/claude_desktop_config.json",
			"darwin":  "{home}/Library/Application Support/Claude/claude_desktop_config.json",
			"windows": "{appdata}/Claude/claude_desktop_config.json",
		},
	},
	{Key: "claude-code", Name: "Claude Code", After: "Start Claude Code and type /mcp."},
	{
		Key: "cursor", Name: "Cursor", member: "mcpServers",
		After: "In Cursor's settings, under MCP, the server can be switched on.",
		files: map[string]string{
			"linux": "{home}/.cursor/mcp.json", "darwin": "{home}/.cursor/mcp.json", "windows": "{home}/.cursor/mcp.json",
		},
	},
	{
		Key: "vscode", Name: "VS Code", member: "servers", typed: true,
		After: "In VS Code, run the command \"MCP: List Servers\" and start the server.",
		files: map[string]string{
			"linux":   "{config}/Code/User/mcp.json",
			"darwin":  "{home}/Library/Application Support/Code/User/mcp.json",
			"windows": "{appdata}/Code/User/mcp.json",
		},
	},
}

// Clients are all clients.
func Clients() []Client { return slices.Clone(clients) }

// Find is the client with that key.
func Find(key string) (Client, bool) {
	i := slices.IndexFunc(clients, func(c Client) bool { return c.Key == key })
	if i < 0 {
		return Client{}, false
	}
	return clients[i], true
}

// HasFile reports whether the client is configured by a file, and not by a
// command of its own.
func (c Client) HasFile() bool { return c.files != nil }

// File is the path of the client's configuration. The error is a sentence that
// names the variable that is missing.
func (c Client) File(s System) (string, error) {
	pattern, ok := c.files[s.OS]
	if !ok {
		pattern = c.files["linux"] // the other Unix systems
	}
	base, rest, _ := strings.Cut(pattern, "/")
	var folder, variable string
	switch base {
	case "{appdata}":
		folder, variable = s.AppData, "APPDATA"
	case "{config}":
		// XDG Base Directory Specification: relative paths are ignored.
		if filepath.IsAbs(s.Config) {
			folder = s.Config
			break
		}
		rest = ".config/" + rest
		folder, variable = s.Home, "HOME"
	default:
		folder, variable = s.Home, "HOME"
		if s.OS == "windows" {
			variable = "USERPROFILE"
		}
	}
	if !filepath.IsAbs(folder) {
		return "", fmt.Errorf("the configuration of %s cannot be found, because %s is not set", c.Name, variable)
	}
	return filepath.Join(folder, filepath.FromSlash(rest)), nil
}

// entry is a server in a client's file.
type entry struct {
	Type    string            `json:"type,omitempty"`
	URL     string            `json:"url,omitempty"`
	Command string            `json:"command,omitempty"`
	Args    []string          `json:"args,omitempty"`
	Env     map[string]string `json:"env,omitempty"`
}

func (c Client) entry(s Server) entry {
	e := entry{URL: s.URL}
	if s.URL == "" {
		e = entry{Command: s.Command, Args: s.Args, Env: s.Env}
	}
	switch {
	case !c.typed:
	case s.URL != "":
		e.Type = "http"
	default:
		e.Type = "stdio"
	}
	return e
}

// Snippet is a whole file that holds nothing but the server.
func (c Client) Snippet(s Server) string {
	return encode(map[string]map[string]entry{c.member: {s.Name: c.entry(s)}}, "", "  ") + "\n"
}

// Command is how Claude Code is told of a server (claude mcp add), for all of
// the person's projects.
func Command(s Server) []string {
	words := []string{"claude", "mcp", "add"}
	for _, name := range sortedKeys(s.Env) {
		words = append(words, "--env", name+"="+s.Env[name])
	}
	// --env takes as many words as come, so another option follows it.
	words = append(words, "--scope", "user")
	if s.URL != "" {
		return append(words, "--transport", "http", s.Name, s.URL)
	}
	return append(append(words, s.Name, "--", s.Command), s.Args...)
}

// Removal undoes Command.
func Removal(s Server) []string {
	return []string{"claude", "mcp", "remove", "--scope", "user", s.Name}
}

func sortedKeys(m map[string]string) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// encode leaves & and < as they are: people read it.
func encode(v any, prefix, indent string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent(prefix, indent)
	_ = e.Encode(v) // strings cannot fail to be encoded
	return strings.TrimSuffix(b.String(), "\n")
}
