package nextcloudtest

import "strings"

// loadSampleContacts fills the address book of one user, and adds one of work.
func (s *Server) loadSampleContacts(uid string) {
	for _, c := range sampleContacts {
		book, file := "contacts", c.uid+".vcf"
		if c.work {
			book = "work"
		}
		lines := append([]string{"BEGIN:VCARD", "VERSION:3.0", "PRODID:-//Example//Sample data//EN", "UID:" + c.uid}, c.lines...)
		s.AddCard(uid, book, file, strings.Join(append(lines, "END:VCARD", ""), "\r\n"))
	}
	home := s.account(uid).cards
	home.lock.Lock()
	defer home.lock.Unlock()
	work := home.find("work").addressBook
	name := leaf(nsDAV, "displayname", "Work")
	work.props[name.name] = name
}

// sampleContact is a contact of the demo.
type sampleContact struct {
	uid   string
	work  bool
	lines []string
}

var sampleContacts = []sampleContact{
	{uid: "dora", lines: []string{
		"FN:Dora Lindqvist", "N:Lindqvist;Dora;;;", "NICKNAME:Dodo", "EMAIL;TYPE=HOME:dora@example.net", "TEL;TYPE=CELL:+46 70 123 45 67",
		"BDAY:1990-05-12", "ADR;TYPE=HOME:;;Storgatan 4;Uppsala;;753 20;Sverige", "CATEGORIES:Friends,Book club", "NOTE:Likes long walks and short books.",
	}},
	{uid: "emil", lines: []string{
		"FN:Emil Novák", "N:Novák;Emil;;;", "EMAIL;TYPE=HOME,PREF:emil@example.net", "EMAIL;TYPE=WORK:e.novak@example.com", "TEL;TYPE=CELL:+420 601 123 456",
		"item1.TEL:+420 377 123 456", "item1.X-ABLabel:Cottage", "CATEGORIES:Friends",
	}},
	{uid: "fatima", lines: []string{
		"FN:Fatima Zahra El Amrani", "N:El Amrani;Fatima Zahra;;;", "EMAIL;TYPE=HOME:fatima@example.net", "TEL;TYPE=CELL:+212 6 12 34 56 78", "CATEGORIES:Book club",
		"BDAY;X-APPLE-OMIT-YEAR=1604:1604-11-30", "X-SOCIALPROFILE;TYPE=MASTODON:https://social.example/@fatima",
	}},
	{uid: "grandma", lines: []string{
		"FN:Grandma Ilse", "N:Brandt;Ilse;;;", "TEL;TYPE=HOME,VOICE:+49 4131 55 66 77", "ADR;TYPE=HOME:;;Am Deich 12;Lüneburg;;21335;Deutschland", "BDAY:1938-02-03", "CATEGORIES:Family",
		"NOTE:Call on Sundays\\, never before ten.",
	}},
	{uid: "dentist", lines: []string{
		"FN:Dr. med. dent. Yuki Tanaka", "N:Tanaka;Yuki;;Dr. med. dent.;", "ORG:Zahnarztpraxis am Markt", "TEL;TYPE=WORK,VOICE:+49 30 99 88 77 66",
		"ADR;TYPE=WORK:;;Marktstraße 4;Berlin;;10317;Deutschland", "URL:https://praxis.example.org",
	}},
	{uid: "emil-old", lines: []string{
		"FN:Emil Novak", "N:Novak;Emil;;;", "TEL;TYPE=CELL:00420601123456", "NOTE:Old entry from the phone.",
	}},
	{uid: "carol", work: true, lines: []string{
		"FN:Carol Example", "N:Example;Carol;;;", "ORG:Example Inc.;Sales", "TITLE:Head of Sales", "EMAIL;TYPE=WORK:carol@example.net", "TEL;TYPE=WORK:+1 555 0100", "CATEGORIES:Customers",
	}},
	{uid: "mueller-soehne", work: true, lines: []string{
		"FN:Müller & Söhne", "N:;;;;", "ORG:Müller & Söhne", "X-ABShowAs:COMPANY", "EMAIL;TYPE=WORK:studio@mueller-soehne.example", "TEL;TYPE=WORK:+49 40 12 34 56",
		"URL:https://mueller-soehne.example", "CATEGORIES:Suppliers", "NOTE:Photographs for the website.",
	}},
	{uid: "hosting", work: true, lines: []string{
		"FN:Hosting support", "N:support;Hosting;;;", "ORG:Example Hosting;Support", "EMAIL;TYPE=WORK:support@hosting.example", "TEL;TYPE=WORK:+49 800 123 45 67", "CATEGORIES:Suppliers", "NOTE:Customer number 48213.",
	}},
	{uid: "ben", work: true, lines: []string{
		"FN:Ben Okri", "N:Okri;Ben;;;", "ORG:Example Inc.;Design", "TITLE:Designer", "EMAIL;TYPE=WORK:ben@example.net", "IMPP;TYPE=WORK:xmpp:ben@chat.example.net", "CATEGORIES:Team,Customers",
	}},
}
