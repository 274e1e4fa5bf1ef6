package nextcloudtest

// loadSampleTables gives an account a table to look at.
func (s *Server) loadSampleTables(id string) {
	if s.opts.DisableTables {
		return
	}
	table := s.AddTable(id, "Inventory", []SampleColumn{
		{"title": "Item", "type": "text", "subtype": "line", "mandatory": true, "textMaxLength": 80},
		{"title": "Price", "type": "number", "numberDecimals": 2, "numberMin": 0, "numberSuffix": "€"},
		{"title": "Place", "type": "selection", "selectionOptions": `[{"id":0,"label":"Office"},{"id":1,"label":"Storage"},{"id":2,"label":"Lent"}]`},
		{"title": "Tags", "type": "selection", "subtype": "multi", "selectionOptions": `[{"id":0,"label":"Electronics"},{"id":1,"label":"Furniture"}]`},
		{"title": "Bought", "type": "datetime", "subtype": "date"},
		{"title": "Insured", "type": "selection", "subtype": "check"},
		{"title": "Manual", "type": "text", "subtype": "link"},
		{"title": "Keeper", "type": "usergroup", "usergroupSelectUsers": true},
	},
		[]any{"Projector", 649.9, 0, []any{0}, "2024-03-12", "true", linkText("Manual", "https://example.org/projector"), people(id)},
		[]any{"Standing desk", 420, 0, []any{1}, "2023-11-02", "false", nil, nil},
		[]any{"Camera", 899, 2, []any{0}, "2025-01-20", "true", nil, people(id)},
		[]any{"Whiteboard", 89.5, 1, []any{1}, "2022-06-30", "false", nil, nil},
		[]any{"Cable box", nil, 1, nil, nil, "false", nil, nil},
	)
	s.tables.mu.Lock()
	defer s.tables.mu.Unlock()
	for _, t := range s.tables.tables {
		if t.id == table {
			t.emoji = "📦"
			v := s.tables.addView(t, "Insured things", "")
			for i, c := range t.columns {
				v.settings = append(v.settings, map[string]any{"columnId": c.id, "order": i, "readonly": false, "mandatory": false})
			}
			v.filter = []any{[]any{map[string]any{"columnId": t.columns[5].id, "operator": "is-equal", "value": "@checked"}}}
			v.sort = []any{map[string]any{"columnId": t.columns[1].id, "mode": "DESC"}}
		}
	}
}

func people(id string) []any { return []any{map[string]any{"id": id, "type": 0}} }
