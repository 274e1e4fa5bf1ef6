package nextcloudtest

import (
	"strconv"
	"strings"
	"time"
)

// rules are what differs between Nextcloud versions, each seen on a real server of 28.0.2, 29.0.1, 30.0.5, 31.0.2 and
// 34.0.1 with the newest apps it takes.
type rules struct {
	major, minor, micro int

	bearerOnCORS    bool          // app REST APIs take bearer tokens when OCS-APIRequest is sent
	exchange        bool          // core/getapppassword takes a bearer token
	exchangedLife   time.Duration // after which an exchanged password is refused; zero: lasts
	pkce            bool          // advertised and enforced
	managedClients  bool          // token_type, resource_url and RFC 7592 management of clients
	introspection   bool
	idTokenAsBearer bool // APIs take ID tokens
}

// rulesOf reads a version such as "31.0.2"; parts that are missing or no number count as zero.
func rulesOf(version string) rules {
	var parts [3]int
	for i, part := range strings.SplitN(version, ".", 4) {
		if i < len(parts) {
			parts[i], _ = strconv.Atoi(part)
		}
	}
	r := rules{major: parts[0], minor: parts[1], micro: parts[2]}
	modern := r.major >= 30
	r.bearerOnCORS = modern
	r.exchange = modern
	r.pkce = modern
	r.managedClients = modern
	r.introspection = modern
	r.idTokenAsBearer = !modern
	// Nextcloud: nextcloud/server PR 48915 made exchanged passwords die, PR 51130 mended it after 31.0.2.
	if (r.major == 30 && (r.minor > 0 || r.micro >= 2)) || (r.major == 31 && r.minor == 0 && r.micro <= 2) {
		r.exchangedLife = 5 * time.Minute
	}
	return r
}
