// Package document reads the text of documents as Markdown: PDF, the formats
// of Microsoft Office and OpenDocument, HTML, mail, RTF, CSV and plain text.
// It knows neither Nextcloud nor MCP.
//
// Files come from strangers, and the libraries that read them have bugs. So
// everything is bounded here (Limits), and an Extractor runs the reading in a
// process of its own, with limits of the operating system, that ends with the
// document. The decision is docs/decisions/0016-documents.md.
package document
