package nextcloudtest

import (
	"strings"
	"testing"
)

// TestReplayTables begins where the recordings did: with the table that the app gives to everybody.
func TestReplayTables(t *testing.T) {
	s := startRecorded(t, nil)
	s.AddTable("alice", "Welcome to Nextcloud Tables!", []SampleColumn{
		{"title": "What", "type": "text", "subtype": "line"},
		{"title": "How", "type": "text", "subtype": "rich"},
		{"title": "Ease of use", "type": "number", "subtype": "stars"},
		{"title": "Done", "type": "selection", "subtype": "check"},
	}, []any{"Open the app", nil, 5, "true"}, []any{"Add a row", nil, 4, "false"})
	welcome := s.tables.tables[0]
	welcome.emoji = "🚀"
	v := s.tables.addView(welcome, "Check yourself!", "🏁")
	for i, c := range welcome.columns {
		v.settings = append(v.settings, map[string]any{"columnId": c.id, "order": i, "readonly": false, "mandatory": false})
	}
	v.filter = []any{[]any{map[string]any{"columnId": 4, "operator": "is-equal", "value": "@unchecked"}}}
	s.tables.lastTable, s.tables.lastView = 4, 2
	plan := replayPlan{area: "tables", before: func(_ *shapeReplay, x *exchange) {
		switch x.name[:2] {
		case "06":
			s.tables.lastColumn = 25
		case "19":
			s.tables.lastRow = 19
		case "34":
			s.tables.lastView = 2
		}
		if strings.HasPrefix(x.name, "39") {
			s.tables.lastShare = 1
		}
	}}
	replayArea(t, s, plan)
}
