// Command write writes the generated pages of package docgen; go generate
// runs it.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"nextcloud-mcp-server/internal/docgen"
)

func main() {
	dir := flag.String("dir", "docs", "directory of the pages")
	flag.Parse()
	for _, page := range docgen.Pages() {
		name := filepath.Join(*dir, page.Name)
		if err := os.WriteFile(name, page.Text, 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "docgen:", err)
			os.Exit(1)
		}
	}
}
