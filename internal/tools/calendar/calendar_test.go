package calendar

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestBudget keeps what every client pays for these tools on each connection.
func TestBudget(t *testing.T) {
	const budget = 10_000
	total := 0
	for _, tl := range Tools.Set().Tools {
		decl, err := tl.MCP()
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(decl)
		if err != nil {
			t.Fatal(err)
		}
		total += len(b)
		t.Logf("%4d %s", len(b), b)
		if strings.ContainsAny(tl.Description, ";→") {
			t.Errorf("%s: semicolon or arrow in the description", tl.Name)
		}
	}
	if total > budget {
		t.Errorf("tools take %d bytes of tools/list, more than %d", total, budget)
	}
	if n := len(Tools.Set().Tools); n != 7 {
		t.Errorf("%d tools, want 7", n)
	}
}
