// Package docgen writes the reference pages under docs/ from the tables that
// the program itself runs on, so that they cannot say anything else. It is
// separate because neither table should know about Markdown.
package docgen

//go:generate go run ./write -dir ../../docs

// Page is one generated page.
type Page struct {
	Name string // file name within docs/
	Text []byte
}

// Pages are all generated pages.
func Pages() []Page {
	return []Page{
		{Name: "configuration.md", Text: Configuration()},
		{Name: "tools.md", Text: Tools()},
	}
}
