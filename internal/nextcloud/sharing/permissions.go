package sharing

import (
	"fmt"
	"strconv"
	"strings"
)

// Permissions are what the receiver of a share may do, as Nextcloud's bits.
type Permissions int

// The bits (Nextcloud: OCP\Constants).
const (
	Read    Permissions = 1
	Edit    Permissions = 2  // change what is there
	Create  Permissions = 4  // put something new into a folder
	Delete  Permissions = 8  // remove something from a folder
	Reshare Permissions = 16 // share it on; of a link: take it into an account elsewhere
	All     Permissions = 31

	// UploadOnly is a file drop: people of a link put files into a folder and see
	// nothing of it.
	UploadOnly = Create
)

var permissionWords = []struct {
	bit  Permissions
	word string
}{
	{Read, "read"},
	{Edit, "edit"},
	{Create, "create"},
	{Delete, "delete"},
	{Reshare, "share"},
}

// String is the permissions in words, as ParsePermissions takes them; empty
// for none.
func (p Permissions) String() string {
	if p == UploadOnly {
		return "upload only"
	}
	var words []string
	for _, w := range permissionWords {
		if p&w.bit != 0 {
			words = append(words, w.word)
		}
	}
	return strings.Join(words, ", ")
}

// Of is the permissions as they matter for a kind of share. Of links and mails
// it leaves Reshare out, which Nextcloud adds by itself.
func (p Permissions) Of(k Kind) Permissions {
	if k.public() {
		return p &^ Reshare
	}
	return p
}

var permissionSynonyms = map[string]Permissions{
	"read": Read, "view": Read, "see": Read, "download": Read, "read only": Read, "view only": Read, "readonly": Read,
	"edit": Edit, "update": Edit, "write": Edit, "change": Edit, "modify": Edit,
	"create": Create, "upload": Create, "add": Create,
	"delete": Delete, "remove": Delete,
	"share": Reshare, "reshare": Reshare, "share on": Reshare,
	"all": All, "full": All, "everything": All,
}

// ParsePermissions reads permissions in words ("read, edit", "upload only",
// "all") or as the number of Nextcloud's bits. Whoever may do anything may also
// read, unless it is upload only.
func ParsePermissions(text string) (Permissions, error) {
	clean := strings.ToLower(strings.TrimSpace(text))
	if n, err := strconv.Atoi(clean); err == nil {
		if n < 1 || n > int(All) {
			return 0, badPermissions(text)
		}
		return Permissions(n), nil
	}
	clean = strings.NewReplacer("-", " ", "_", " ", "can ", "").Replace(clean)
	switch strings.Join(strings.Fields(clean), " ") {
	case "upload only", "file drop", "filedrop", "create only":
		return UploadOnly, nil
	}
	clean = strings.ReplaceAll(clean, " and ", ",")
	p := Read
	parts := strings.FieldsFunc(clean, func(r rune) bool { return strings.ContainsRune(",+&/;|", r) })
	if len(parts) == 0 {
		return 0, badPermissions(text)
	}
	for _, part := range parts {
		part = strings.Join(strings.Fields(part), " ")
		if bit, ok := permissionSynonyms[part]; ok {
			p |= bit
			continue
		}
		words := strings.Fields(part)
		if len(words) == 0 {
			continue
		}
		for _, word := range words {
			bit, ok := permissionSynonyms[word]
			if !ok {
				return 0, badPermissions(text)
			}
			p |= bit
		}
	}
	return p, nil
}

func badPermissions(text string) error {
	return invalid(opCreate, fmt.Sprintf("%.60q are no permissions: give read, edit, create, delete, share or all, separated by commas, or upload only, or the number 1 to 31", text))
}
