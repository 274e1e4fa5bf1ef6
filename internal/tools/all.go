// Package tools is the list of all areas. It is the only one: what is
// registered, checked, documented and tested comes from here.
package tools

import (
	"nextcloud-mcp-server/internal/tool"
	"nextcloud-mcp-server/internal/tools/calendar"
	"nextcloud-mcp-server/internal/tools/connection"
	"nextcloud-mcp-server/internal/tools/contacts"
	"nextcloud-mcp-server/internal/tools/deck"
	"nextcloud-mcp-server/internal/tools/files"
	"nextcloud-mcp-server/internal/tools/mail"
	"nextcloud-mcp-server/internal/tools/notes"
	"nextcloud-mcp-server/internal/tools/notifications"
	"nextcloud-mcp-server/internal/tools/search"
	"nextcloud-mcp-server/internal/tools/sharing"
	"nextcloud-mcp-server/internal/tools/tables"
	"nextcloud-mcp-server/internal/tools/talk"
	"nextcloud-mcp-server/internal/tools/tasks"
)

// All are the areas in the order of the documentation.
func All() []tool.Set {
	return []tool.Set{
		notes.Tools.Set(),
		calendar.Tools.Set(),
		tasks.Tools.Set(),
		contacts.Tools.Set(),
		files.Tools.Set(),
		sharing.Tools.Set(),
		deck.Tools.Set(),
		tables.Tools.Set(),
		talk.Tools.Set(),
		mail.Tools.Set(),
		notifications.Tools.Set(),
		search.Tools.Set(),
		connection.Tools.Set(),
	}
}
