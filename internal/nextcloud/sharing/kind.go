package sharing

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind is who a share is for, by Nextcloud's own numbers.
type Kind int

// The kinds of shares (Nextcloud: OCP\Share\IShare).
const (
	User           Kind = 0
	Group          Kind = 1
	Link           Kind = 3 // everybody who has the address
	Mail           Kind = 4 // a link that one person gets by e-mail
	Federated      Kind = 6 // a person of another server, as name@host
	Team           Kind = 7 // a team, once called circle, by its id
	FederatedGroup Kind = 9
	Room           Kind = 10 // a Talk conversation, by its token
	DeckCard       Kind = 12
)

var kindNames = map[Kind]string{
	User: "user", Group: "group", Link: "link", Mail: "mail", Federated: "federated", Team: "team",
	FederatedGroup: "federated group", Room: "room", DeckCard: "deck card",
}

// String is the kind in one word, as ParseKind takes it.
func (k Kind) String() string {
	if name := kindNames[k]; name != "" {
		return name
	}
	return "type " + strconv.Itoa(int(k))
}

// public reports whether the share has an address that needs no account.
func (k Kind) public() bool { return k == Link || k == Mail }

// internal reports whether Nextcloud keeps one share of this kind for a file
// and a recipient, and answers it again when it is asked to make another.
func (k Kind) internal() bool { return k == User || k == Group || k == Team || k == Room }

// creatable are the kinds that Create makes, and other words for them.
var creatable = map[string]Kind{
	"user": User, "person": User, "group": Group, "link": Link, "public": Link, "public link": Link, "mail": Mail, "email": Mail, "e-mail": Mail,
	"federated": Federated, "remote": Federated, "team": Team, "circle": Team, "room": Room, "talk": Room, "conversation": Room,
	"0": User, "1": Group, "3": Link, "4": Mail, "6": Federated, "7": Team, "10": Room,
}

// ParseKind reads a kind that Create makes: its name or Nextcloud's number.
// Nothing is a user.
func ParseKind(text string) (Kind, error) {
	name := strings.ToLower(strings.TrimSpace(text))
	if name == "" {
		return User, nil
	}
	if k, ok := creatable[name]; ok {
		return k, nil
	}
	if name == "12" {
		return 0, invalid(opCreate, "a file is attached to a Deck card with the tools of Deck")
	}
	return 0, invalid(opCreate, fmt.Sprintf("no type of share is called %.40q: it is user (0), group (1), link (3), mail (4), federated (6), team (7) or room (10)", text))
}
