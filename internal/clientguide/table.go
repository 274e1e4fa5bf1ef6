package clientguide

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
)

// clients is the only list of clients. Sources, read in November 2026:
// support.claude.com (custom connectors), code.claude.com (claude mcp),
// developers.openai.com (developer mode; Codex), cursor.com (MCP install links),
// code.visualstudio.com (MCP developer guide), docs.openwebui.com (MCP),
// geminicli.com (MCP servers), the README of the MCP Inspector.
var clients = []Client{
	{
		Key: "claude", Name: "Claude (web, desktop, mobile)", Hosted: true,
		steps: map[string]string{
			"en": "Open Customize, Connectors in Claude (in some versions: Settings, Connectors).\n" +
				"Press +, then “Add custom connector”. In a team, an owner does this once for everybody.\n" +
				"Enter a name and the address {url}, then press Add and Connect.",
			"de": "In Claude „Customize“, „Connectors“ öffnen (in manchen Versionen: Einstellungen, Konnektoren).\n" +
				"Auf + drücken, dann „Add custom connector“. In einem Team macht das einmal die Inhaberin oder der Inhaber für alle.\n" +
				"Einen Namen und die Adresse {url} eingeben, dann „Add“ und „Connect“ drücken.",
		},
	},
	{
		Key: "claude-code", Name: "Claude Code",
		Command: func(name, address string) []string {
			return []string{"claude", "mcp", "add", "--transport", "http", name, address}
		},
		File: File{Path: ".mcp.json", Syntax: "json", Text: func(name, address string) string {
			return servers("mcpServers", name, entry{Type: "http", URL: address})
		}},
		steps: map[string]string{
			"en": "Run the command.\nStart Claude Code, type /mcp, choose {name} and sign in.",
			"de": "Den Befehl ausführen.\nClaude Code starten, /mcp eingeben, {name} wählen und anmelden.",
		},
	},
	{
		Key: "chatgpt", Name: "ChatGPT", Hosted: true,
		steps: map[string]string{
			"en": "Open Settings, Apps, Advanced settings in ChatGPT on the web and switch on Developer mode. In a workspace, an administrator may have to allow it.\n" +
				"Press “Create app”, enter a name and the MCP server URL {url}, and choose OAuth.\n" +
				"Press Create and sign in. In a chat, choose the app under +.",
			"de": "In ChatGPT im Browser „Einstellungen“, „Apps“, „Erweiterte Einstellungen“ öffnen und den Entwicklermodus einschalten. In einem Workspace muss das eventuell die Administration erlauben.\n" +
				"„App erstellen“ drücken, einen Namen und die MCP-Server-URL {url} eingeben und OAuth wählen.\n" +
				"„Erstellen“ drücken und anmelden. Im Chat die App unter + auswählen.",
		},
	},
	{
		Key: "cursor", Name: "Cursor",
		DeepLink: func(name, address string) string {
			config := compact(entry{URL: address})
			return "cursor://anysphere.cursor-deeplink/mcp/install?name=" + component(name) +
				"&config=" + component(base64.StdEncoding.EncodeToString([]byte(config)))
		},
		File: File{Path: "~/.cursor/mcp.json", Syntax: "json", Text: func(name, address string) string {
			return servers("mcpServers", name, entry{URL: address})
		}},
		steps: map[string]string{
			"en": "Open the link, or write the file.\nIn Cursor's settings, under MCP, press Connect beside {name} and sign in.",
			"de": "Den Link öffnen oder die Datei schreiben.\nIn den Einstellungen von Cursor unter MCP bei {name} auf „Connect“ drücken und anmelden.",
		},
	},
	{
		Key: "vscode", Name: "VS Code",
		Command: func(name, address string) []string {
			return []string{"code", "--add-mcp", compact(entry{Name: name, Type: "http", URL: address})}
		},
		DeepLink: func(name, address string) string {
			return "vscode:mcp/install?" + component(compact(entry{Name: name, Type: "http", URL: address}))
		},
		File: File{Path: ".vscode/mcp.json", Syntax: "json", Text: func(name, address string) string {
			return servers("servers", name, entry{Type: "http", URL: address})
		}},
		steps: map[string]string{
			"en": "Open the link, or run the command.\nPress Install in VS Code, start the server and sign in.",
			"de": "Den Link öffnen oder den Befehl ausführen.\nIn VS Code auf „Installieren“ drücken, den Server starten und anmelden.",
		},
	},
	{
		Key: "open-webui", Name: "Open WebUI",
		steps: map[string]string{
			"en": "As administrator open Admin Settings, External Tools and press + (0.6.31 or newer, with WEBUI_SECRET_KEY set).\n" +
				"Choose the type “MCP (Streamable HTTP)”, enter {url}, choose OAuth 2.1, press “Register Client” and save.\n" +
				"In a chat, everybody switches the tool on under + and signs in.",
			"de": "Als Administratorin oder Administrator „Administration“, „Externe Werkzeuge“ öffnen und + drücken (ab 0.6.31, mit gesetztem WEBUI_SECRET_KEY).\n" +
				"Den Typ „MCP (Streamable HTTP)“ wählen, {url} eingeben, OAuth 2.1 wählen, „Register Client“ drücken und speichern.\n" +
				"Im Chat schalten alle das Werkzeug unter + selbst ein und melden sich an.",
		},
	},
	{
		Key: "gemini-cli", Name: "Gemini CLI",
		Command: func(name, address string) []string {
			return []string{"gemini", "mcp", "add", "--scope", "user", "--transport", "http", name, address}
		},
		File: File{Path: "~/.gemini/settings.json", Syntax: "json", Text: func(name, address string) string {
			return servers("mcpServers", name, entry{HTTPURL: address})
		}},
		steps: map[string]string{
			"en": "Run the command.\nStart Gemini CLI, type /mcp auth {name} and sign in.",
			"de": "Den Befehl ausführen.\nGemini CLI starten, /mcp auth {name} eingeben und anmelden.",
		},
	},
	{
		Key: "codex", Name: "Codex CLI",
		Command: func(name, address string) []string {
			return []string{"codex", "mcp", "add", name, "--url", address}
		},
		File: File{Path: "~/.codex/config.toml", Syntax: "toml", Text: func(name, address string) string {
			// Basic strings of TOML take the escapes of JSON.
			return "[mcp_servers." + key(name) + "]\nurl = " + compact(address) + "\n"
		}},
		steps: map[string]string{
			"en": "Run the command.\nRun codex mcp login {name} and sign in, if no browser has opened.",
			"de": "Den Befehl ausführen.\nWenn sich kein Browser geöffnet hat: codex mcp login {name} ausführen und anmelden.",
		},
	},
	{
		Key: "inspector", Name: "MCP Inspector",
		Command: func(string, string) []string {
			return []string{"npx", "@modelcontextprotocol/inspector"}
		},
		steps: map[string]string{
			"en": "Run the command.\nChoose the transport “Streamable HTTP”, enter {url}, press Connect and sign in.",
			"de": "Den Befehl ausführen.\nAls Transport „Streamable HTTP“ wählen, {url} eingeben, „Connect“ drücken und anmelden.",
		},
	},
}

// entry is a server as the configuration files name it.
type entry struct {
	Name    string `json:"name,omitempty"`
	Type    string `json:"type,omitempty"`
	URL     string `json:"url,omitempty"`
	HTTPURL string `json:"httpUrl,omitempty"`
}

// servers is a configuration file with one server under the given member.
func servers(member, name string, e entry) string {
	return encode(map[string]map[string]entry{member: {name: e}}, "  ")
}

func compact(v any) string { return strings.TrimSuffix(encode(v, ""), "\n") }

// encode leaves & as it is: addresses are read by people.
func encode(v any, indent string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	_ = e.Encode(v) // strings cannot fail to be encoded
	return b.String()
}

// component is encodeURIComponent of the links' makers: a space is %20, not +.
func component(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// key is a key of TOML: bare where it may be, else quoted.
func key(name string) string {
	bare := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_'
	}
	if name != "" && !strings.ContainsFunc(name, func(r rune) bool { return !bare(r) }) {
		return name
	}
	return compact(name)
}
