package app

import (
	"os"
	"strings"

	"nextcloud-mcp-server/internal/config"
	"nextcloud-mcp-server/internal/document"
)

// ExtractCommand is the hidden command that reads one document and ends.
const ExtractCommand = "extract"

// documents reads the text of files, each in a process of its own. Where this
// program cannot be started again, it is done in this process.
func documents(cfg config.Documents) *document.Extractor {
	opts := &document.Options{Timeout: cfg.Timeout, MaxSize: int64(cfg.MaxMiB) << 20}
	if cfg.Converters {
		opts.Tools = document.FindTools(cfg.OCR, cfg.OCRLanguages)
	} else if cfg.OCR {
		opts.Tools = document.FindTools(true, cfg.OCRLanguages)
		opts.Tools.PDFToText = ""
	}
	// A test is another program under this name.
	if self, err := os.Executable(); err == nil && !strings.HasSuffix(strings.TrimSuffix(self, ".exe"), ".test") {
		opts.Command = []string{self, ExtractCommand}
	}
	return document.NewExtractor(opts)
}
