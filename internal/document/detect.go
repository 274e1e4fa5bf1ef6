package document

import (
	"archive/zip"
	"bytes"
	"io"
	"mime"
	"path"
	"strings"
)

// Format is the format of a file, as its extension.
type Format string

// The formats.
const (
	PDF   Format = "pdf"
	DOCX  Format = "docx"
	XLSX  Format = "xlsx"
	PPTX  Format = "pptx"
	ODT   Format = "odt"
	ODS   Format = "ods"
	ODP   Format = "odp"
	HTML  Format = "html"
	EML   Format = "eml"
	RTF   Format = "rtf"
	CSV   Format = "csv"
	Text  Format = "text"
	Image Format = "image"
)

// Supports reports whether a file of this name or media type is a document
// that becomes Markdown here. Plain text is not one: it is text already.
func Supports(name, mediaType string) bool {
	f := named(name, mediaType)
	return f != "" && f != Text && f != Image
}

// byExtension are the extensions that say a format. Templates and documents
// with macros have the structure of their kind.
var byExtension = map[string]Format{
	".pdf":  PDF,
	".docx": DOCX, ".docm": DOCX, ".dotx": DOCX, ".dotm": DOCX,
	".xlsx": XLSX, ".xlsm": XLSX, ".xltx": XLSX, ".xltm": XLSX,
	".pptx": PPTX, ".pptm": PPTX, ".potx": PPTX, ".ppsx": PPTX, ".ppsm": PPTX,
	".odt": ODT, ".ott": ODT, ".fodt": "", ".ods": ODS, ".ots": ODS, ".odp": ODP, ".otp": ODP,
	".html": HTML, ".htm": HTML, ".xhtml": HTML,
	".eml": EML, ".rtf": RTF, ".csv": CSV, ".tsv": CSV,
}

// byType are the media types that say a format.
var byType = map[string]Format{
	"application/pdf": PDF,
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document":   DOCX,
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":         XLSX,
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": PPTX,
	"application/vnd.oasis.opendocument.text":                                   ODT,
	"application/vnd.oasis.opendocument.spreadsheet":                            ODS,
	"application/vnd.oasis.opendocument.presentation":                           ODP,
	"text/html":                 HTML,
	"application/xhtml+xml":     HTML,
	"message/rfc822":            EML,
	"application/rtf":           RTF,
	"text/rtf":                  RTF,
	"text/csv":                  CSV,
	"text/tab-separated-values": CSV,
}

func named(name, mediaType string) Format {
	if f := byExtension[strings.ToLower(path.Ext(name))]; f != "" {
		return f
	}
	kind, _, err := mime.ParseMediaType(mediaType)
	if err != nil {
		return ""
	}
	if f := byType[kind]; f != "" {
		return f
	}
	switch {
	case strings.HasPrefix(kind, "image/") && kind != "image/svg+xml":
		return Image
	case strings.HasPrefix(kind, "text/"):
		return Text
	}
	return ""
}

// detect finds out what a file is. Its bytes outrank its name, and its name
// outranks the media type, which Nextcloud takes from the name as well.
func detect(data []byte, name, mediaType string) Format {
	head := data[:min(len(data), 1024)]
	switch {
	case bytes.Contains(head, []byte("%PDF-")):
		return PDF
	case bytes.HasPrefix(data, []byte("PK\x03\x04")), bytes.HasPrefix(data, []byte("PK\x05\x06")):
		return detectPackage(data, named(name, mediaType))
	case bytes.HasPrefix(data, []byte(`{\rtf`)):
		return RTF
	case pictured(head):
		return Image
	}
	f := named(name, mediaType)
	switch f {
	case DOCX, XLSX, PPTX, ODT, ODS, ODP:
		if bytes.HasPrefix(data, []byte(cfbMagic)) {
			return "" // an old format, or a new one with a password, under a new name
		}
		return f // what is wrong with it is said by its reader
	case PDF:
		return f
	case HTML, EML, CSV:
		if binary(head) {
			return ""
		}
		return f
	default:
	}
	if binary(head) {
		return ""
	}
	lower := bytes.ToLower(bytes.TrimLeft(head, "\ufeff \t\r\n"))
	if f != Text && (bytes.HasPrefix(lower, []byte("<!doctype html")) || bytes.HasPrefix(lower, []byte("<html"))) {
		return HTML
	}
	return Text
}

// detectPackage finds out what a zip archive holds.
func detectPackage(data []byte, otherwise Format) Format {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return otherwise
	}
	for i, f := range z.File {
		if i >= DefaultLimits.Entries {
			break
		}
		switch f.Name {
		case "mimetype":
			if kind := packageType(f); kind != "" {
				return kind
			}
		case "word/document.xml":
			return DOCX
		case "xl/workbook.xml", "xl/workbook.bin":
			return XLSX
		case "ppt/presentation.xml":
			return PPTX
		}
	}
	switch otherwise {
	case DOCX, XLSX, PPTX, ODT, ODS, ODP:
		return otherwise
	default:
		return ""
	}
}

// packageType reads the entry "mimetype" (OpenDocument 1.3 part 2, 3.3).
func packageType(f *zip.File) Format {
	r, err := f.Open()
	if err != nil {
		return ""
	}
	defer r.Close()
	kind, err := io.ReadAll(io.LimitReader(r, 200))
	if err != nil {
		return ""
	}
	return byType[strings.TrimSuffix(strings.TrimSpace(string(kind)), "-template")]
}

func pictured(head []byte) bool {
	for _, magic := range []string{"\x89PNG\r\n\x1a\n", "\xff\xd8\xff", "GIF87a", "GIF89a", "II*\x00", "MM\x00*"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	return len(head) > 12 && (string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP" || string(head[:2]) == "BM" && string(head[6:10]) == "\x00\x00\x00\x00")
}
