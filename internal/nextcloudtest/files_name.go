package nextcloudtest

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"path"
	"strings"
	"unicode/utf8"
)

// maxFileName is what Nextcloud's database takes, in characters.
const maxFileName = 250

// checkFileName is what Nextcloud refuses for a new file or folder. inside is the path that its storage sees.
func checkFileName(name, inside string) *davFailure {
	lower := strings.ToLower(name)
	switch {
	case lower == ".htaccess":
		return &davFailure{
			status: http.StatusInternalServerError, exception: `OCP\Files\ForbiddenException`,
			message: "Invalid path: files" + inside, anonymous: true,
		}
	case strings.TrimSpace(name) == "":
		return davInvalidPath("Filename must not be empty")
	case strings.Contains(name, `\`):
		return davInvalidPath(`"\" is not allowed inside a file or folder name.`)
	case strings.ContainsFunc(name, func(c rune) bool { return c < 0x20 }):
		return davInvalidPath("File name contains at least one invalid character")
	case utf8.RuneCountInString(name) > maxFileName || len(name) > 255:
		return davInvalidPath("Filename is too long")
	case path.Ext(lower) == ".part", path.Ext(lower) == ".filepart":
		return davInvalidPath(fmt.Sprintf("%q is a forbidden file type.", path.Ext(lower)))
	}
	return nil
}

func davInvalidPath(message string) *davFailure {
	own := func(local, text string) *xmlNode {
		// Nextcloud declares a namespace of its own making where each of the two stands.
		n := leaf("", "o:"+local, text)
		n.attrs = []xml.Attr{{Name: xml.Name{Local: "xmlns:o"}, Value: "o:"}}
		return n
	}
	return &davFailure{
		status: http.StatusBadRequest, exception: `OCA\DAV\Connector\Sabre\Exception\InvalidPath`, message: message, ownCloud: true,
		extra: []*xmlNode{own("retry", "false"), own("reason", message)},
	}
}

func davInsufficientStorage(name string, needed, free int64) *davFailure {
	return &davFailure{
		status: http.StatusInsufficientStorage, exception: `Sabre\DAV\Exception\InsufficientStorage`,
		message: fmt.Sprintf("Insufficient space in %s, %d required, %d available", strings.TrimPrefix(name, "/"), needed, free),
	}
}

func davLocked(name string) *davFailure {
	return &davFailure{
		status: http.StatusLocked, exception: `OCA\DAV\Connector\Sabre\Exception\FileLocked`,
		message: fmt.Sprintf(`"%s" is locked`, strings.TrimPrefix(name, "/")),
	}
}

// davUnaccepted is how an account that is full answers.
func davUnaccepted(err error) *davFailure {
	return &davFailure{status: http.StatusInsufficientStorage, exception: `Sabre\DAV\Exception\InsufficientStorage`, message: err.Error()}
}
