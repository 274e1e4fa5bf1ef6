// Package tables declares the tools of the Tables app. It is separate from the
// client below it because only this side knows what a model needs to be told.
package tables

import (
	"bytes"
	"encoding/json"
	"fmt"

	api "nextcloud-mcp-server/internal/nextcloud/tables"
	"nextcloud-mcp-server/internal/tool"
)

// Tools is the area.
var Tools = tool.Group[*api.Client]{
	Name: "tables", Title: "Tables", Client: api.New, App: "tables",
	Tools: []tool.Of[*api.Client]{
		listTables, getSchema, readTable, insertRow, updateRow, deleteRow, importRows, createTable, createColumn,
	},
}

// Values are cells by column, with their numbers exact.
type Values map[string]any

// UnmarshalJSON implements json.Unmarshaler.
func (v *Values) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var m map[string]any
	if err := dec.Decode(&m); err != nil {
		return fmt.Errorf("values: %w", err)
	}
	*v = m
	return nil
}

// bounded is a limit within its bounds.
func bounded(limit, usual, most int) (int, error) {
	switch {
	case limit == 0:
		return usual, nil
	case limit < 0, limit > most:
		return 0, tool.Invalidf("limit has to be between 1 and %d", most)
	}
	return limit, nil
}
