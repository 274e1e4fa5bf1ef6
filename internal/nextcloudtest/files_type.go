package nextcloudtest

import (
	"mime"
	"path"
	"strings"
)

// mimeTypes are those that Nextcloud derives from file names, where it differs from the system's table or does not want
// to depend on it.
var mimeTypes = map[string]string{
	".md": "text/markdown", ".markdown": "text/markdown", ".txt": "text/plain", ".org": "text/org", ".csv": "text/csv", ".html": "text/html",
	".bin": "application/x-bin", ".json": "application/json", ".pdf": "application/pdf", ".zip": "application/zip", ".tar": "application/x-tar",
	".gz": "application/gzip", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".svg": "image/svg+xml",
	".webp": "image/webp", ".mp3": "audio/mpeg", ".mp4": "video/mp4", ".eml": "message/rfc822", ".ics": "text/calendar", ".vcf": "text/vcard",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	".odt":  "application/vnd.oasis.opendocument.text", ".ods": "application/vnd.oasis.opendocument.spreadsheet", ".odp": "application/vnd.oasis.opendocument.presentation",
}

// typeOfName is the media type that Nextcloud derives from a file name.
func typeOfName(name string) string {
	extension := strings.ToLower(path.Ext(name))
	if t, ok := mimeTypes[extension]; ok {
		return t
	}
	if t := mime.TypeByExtension(extension); t != "" {
		return t
	}
	return "application/octet-stream"
}
