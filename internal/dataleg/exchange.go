package dataleg

import (
	"strings"
	"time"
)

// dying is the age after which some versions end an exchanged password
// (Nextcloud 30.0.5, 31.0.2: five minutes), less what two clocks may differ.
const dying = 5*time.Minute - 15*time.Second

// settled is an age at which a password that still works is there to stay.
const settled = 5*time.Minute + 30*time.Second

// lasting reports whether exchanged passwords are known to last on a version
// (as OCS and status.php spell it, "34.0.1").
func lasting(version string) bool {
	major, _, _ := strings.Cut(version, ".")
	return len(major) == 2 && major >= "34"
}
