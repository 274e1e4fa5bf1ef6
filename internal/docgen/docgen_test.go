package docgen_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nextcloud-mcp-server/internal/config"
	"nextcloud-mcp-server/internal/docgen"
)

func TestPagesAreUpToDate(t *testing.T) {
	for _, page := range docgen.Pages() {
		written, err := os.ReadFile(filepath.Join("..", "..", "docs", page.Name))
		if err != nil {
			t.Errorf("%v; run go generate ./...", err)
			continue
		}
		if diff := cmp.Diff(string(written), string(page.Text)); diff != "" {
			t.Errorf("docs/%s is not what the tables say; run go generate ./... (-file +table):\n%s", page.Name, diff)
		}
	}
}

func TestConfigurationNamesEverySetting(t *testing.T) {
	page := string(docgen.Configuration())
	for _, s := range config.Settings() {
		rows := strings.Count(page, "\n| `"+s.Env+"`")
		if rows != 1 {
			t.Errorf("%s has %d rows, want 1", s.Env, rows)
		}
		if s.Flag != "" && !strings.Contains(page, "`--"+s.Flag+"`") {
			t.Errorf("--%s is not on the page", s.Flag)
		}
		if s.Secret && !strings.Contains(page, "`"+s.FileEnv()+"`") {
			t.Errorf("%s is not on the page", s.FileEnv())
		}
	}
}

// A cell with a bare | would break its row in two.
func TestConfigurationRowsAreWhole(t *testing.T) {
	for line := range strings.Lines(string(docgen.Configuration())) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		bars := strings.Count(line, "|") - strings.Count(line, `\|`)
		if bars != 5 && bars != 3 {
			t.Errorf("row has %d bars: %s", bars, line)
		}
	}
}
