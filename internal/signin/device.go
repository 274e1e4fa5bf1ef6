package signin

import "strings"

// maxDevice is how long a device name may be, in bytes; Nextcloud cuts longer
// ones.
const maxDevice = 120

// DeviceName is how Nextcloud lists an app password in the person's security
// settings, and names the application that asks in Login Flow: "Claude via
// mcp.example.org (nextcloud-mcp-server)". client is the name of the MCP
// client, which may be empty, and server the host name of this server. It is
// printable ASCII of at most 120 bytes, and never hides the server's part,
// whatever a client calls itself.
func DeviceName(client, server string) string {
	const program = "nextcloud-mcp-server"
	client, server = plain(client), plain(server)
	switch {
	case server == "" && client == "":
		return program
	case client == "":
		return program + " (" + cut(server, maxDevice-len(program)-3) + ")"
	case server == "":
		return cut(client, maxDevice-len(program)-3) + " (" + program + ")"
	}
	server = cut(server, 60)
	tail := " via " + server + " (" + program + ")"
	return cut(client, maxDevice-len(tail)) + tail
}

// plain is the printable ASCII of s with single spaces.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r > '~':
			return -1
		case r < ' ':
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.TrimSpace(s[:n])
}
