// Package tools is the list of all areas. It is the only one: what is
// registered, checked, documented and tested comes from here.
package tools

import (
	"nextcloud-mcp-server/internal/tool"
	"nextcloud-mcp-server/internal/tools/calendar"
	"nextcloud-mcp-server/internal/tools/connection"
	"nextcloud-mcp-server/internal/tools/files"
	"nextcloud-mcp-server/internal/tools/notes"
)

// All are the areas in the order of the documentation.
func All() []tool.Set {
	return []tool.Set{
		notes.Tools.Set(),
		calendar.Tools.Set(),
		files.Tools.Set(),
		connection.Tools.Set(),
	}
}
