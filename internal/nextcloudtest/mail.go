package nextcloudtest

import (
	"cmp"
	"fmt"
	"html"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// postOffice is the Mail app with the mail servers behind it. Its ids are those of the whole server, as the app's are.
type postOffice struct {
	mu       sync.Mutex // guards the fields below
	accounts []*mailAccount
	tags     map[string][]*mailTag // by user id
	local    map[int]*localMail    // outbox and drafts
	last     struct{ account, mailbox, message, tag, local int }
}

// mailAccount is one account of the Mail app.
type mailAccount struct {
	id          int
	owner       string // user id
	email, name string
	boxes       []*mailbox
}

type mailbox struct {
	id      int
	name    string
	role    string // inbox, sent, drafts, trash, junk, archive or nothing
	cached  bool   // the app has seen it; what it has not, it cannot list
	lastUID int
	mail    []*mailMessage
}

// mailMessage is one message in one mailbox.
type mailMessage struct {
	id, uid     int
	subject     string
	at          time.Time
	from        []mailAddress
	to, cc, bcc []mailAddress
	messageID   string
	inReplyTo   string
	text, html  string
	parts       []mailPart
	flags       map[string]bool
	tags        []string // labels
	encrypted   bool
	listed      bool
}

type mailAddress struct {
	Label string `json:"label"`
	Email string `json:"email"`
}

type mailPart struct {
	id, name, mime string
	data           []byte
}

type mailTag struct {
	id                 int
	name, label, color string
}

// localMail is a message that Nextcloud keeps: to be sent, or a draft.
type localMail struct {
	id      int
	owner   string
	account *mailAccount
	draft   bool
	status  int
	fields  outgoingMail
}

// mailRoles are the mailboxes of a new account with their roles.
var mailRoles = []struct{ name, role string }{
	{"Drafts", "drafts"}, {"Junk", "junk"}, {"Sent", "sent"}, {"Trash", "trash"}, {"Archive", "archive"}, {"INBOX", "inbox"},
}

func newPostOffice() *postOffice {
	return &postOffice{tags: map[string][]*mailTag{}, local: map[int]*localMail{}}
}

// open makes an account with the usual mailboxes.
func (p *postOffice) open(u User) *mailAccount {
	p.last.account++
	a := &mailAccount{id: p.last.account, owner: u.ID, email: u.Email, name: u.DisplayName}
	for _, r := range mailRoles {
		p.addBox(a, r.name, r.role)
	}
	p.accounts = append(p.accounts, a)
	return a
}

func (p *postOffice) addBox(a *mailAccount, name, role string) *mailbox {
	p.last.mailbox++
	b := &mailbox{id: p.last.mailbox, name: name, role: role, cached: true}
	a.boxes = append(a.boxes, b)
	return b
}

func (a *mailAccount) box(role string) *mailbox {
	i := slices.IndexFunc(a.boxes, func(b *mailbox) bool { return b.role == role })
	if i < 0 {
		return nil
	}
	return a.boxes[i]
}

// account finds an account of a user.
func (p *postOffice) account(uid string, id int) *mailAccount {
	for _, a := range p.accounts {
		if a.owner == uid && a.id == id {
			return a
		}
	}
	return nil
}

// mailbox finds a mailbox of a user.
func (p *postOffice) mailbox(uid string, id int) (*mailAccount, *mailbox) {
	for _, a := range p.accounts {
		for _, b := range a.boxes {
			if a.owner == uid && b.id == id {
				return a, b
			}
		}
	}
	return nil, nil
}

// message finds a message of a user.
func (p *postOffice) message(uid string, id int) (*mailAccount, *mailbox, *mailMessage) {
	for _, a := range p.accounts {
		if a.owner != uid {
			continue
		}
		for _, b := range a.boxes {
			for _, m := range b.mail {
				if m.id == id {
					return a, b, m
				}
			}
		}
	}
	return nil, nil, nil
}

// put files a copy of a message, which gets an id of its own.
func (p *postOffice) put(b *mailbox, m *mailMessage) *mailMessage {
	copied := *m
	p.last.message++
	b.lastUID++
	copied.id, copied.uid = p.last.message, b.lastUID
	copied.flags = map[string]bool{}
	maps.Copy(copied.flags, m.flags)
	copied.tags = slices.Clone(m.tags)
	b.mail = append(b.mail, &copied)
	return &copied
}

func (b *mailbox) take(m *mailMessage) {
	b.mail = slices.DeleteFunc(b.mail, func(other *mailMessage) bool { return other == m })
}

// newestFirst are the messages in the order of the app.
func (b *mailbox) newestFirst() []*mailMessage {
	list := slices.Clone(b.mail)
	slices.SortFunc(list, func(x, y *mailMessage) int { return cmp.Or(y.at.Compare(x.at), cmp.Compare(y.id, x.id)) })
	return list
}

func (b *mailbox) unread() int {
	n := 0
	for _, m := range b.mail {
		if !m.flags["seen"] {
			n++
		}
	}
	return n
}

// root is the Message-ID of the message that a thread of an account began with.
func (a *mailAccount) root(m *mailMessage) string {
	for range 50 {
		if m.inReplyTo == "" {
			break
		}
		parent := a.byMessageID(m.inReplyTo)
		if parent == nil {
			return m.inReplyTo
		}
		m = parent
	}
	return m.messageID
}

func (a *mailAccount) byMessageID(id string) *mailMessage {
	for _, b := range a.boxes {
		for _, m := range b.mail {
			if m.messageID == id {
				return m
			}
		}
	}
	return nil
}

// deliver puts a message into the inboxes of everybody here that it is for.
func (p *postOffice) deliver(m *mailMessage) {
	blind := *m
	blind.bcc = nil
	for _, to := range slices.Concat(m.to, m.cc, m.bcc) {
		for _, a := range p.accounts {
			if strings.EqualFold(a.email, to.Email) {
				p.put(a.box("inbox"), &blind)
			}
		}
	}
}

func addressesOf(list []mailAddress) []any {
	out := []any{}
	for _, a := range list {
		out = append(out, a)
	}
	return out
}

func headerOf(list []mailAddress) string {
	var parts []string
	for _, a := range list {
		parts = append(parts, fmt.Sprintf("%s <%s>", a.Label, a.Email))
	}
	return strings.Join(parts, ", ")
}

// source is the message as the mail server has it.
func (m *mailMessage) source() string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			b.WriteString(name + ": " + value + "\r\n")
		}
	}
	line("From", headerOf(m.from))
	line("To", headerOf(m.to))
	line("Cc", headerOf(m.cc))
	line("Subject", m.subject)
	line("Message-ID", m.messageID)
	line("In-Reply-To", m.inReplyTo)
	line("References", m.inReplyTo)
	line("Date", m.at.UTC().Format(time.RFC1123Z))
	line("MIME-Version", "1.0")
	if m.html != "" {
		line("Content-Type", "text/html; charset=utf-8")
	} else {
		line("Content-Type", "text/plain; charset=utf-8")
	}
	b.WriteString("\r\n" + m.html + m.text + "\r\n")
	return b.String()
}

var (
	scriptElement = regexp.MustCompile(`(?is)<(script|style)\b.*?</(script|style)>`)
	imageSource   = regexp.MustCompile(`(?i)<img([^>]*?)src="([^"]*)"([^>]*)>`)
	plainAddress  = regexp.MustCompile(`https?://[^\s<>"]+`)
	signatureMark = regexp.MustCompile(`-- \r?\n`)
)

// body is the text as the app gives it to its pages: HTML without scripts, whose images are blocked, or plain text that
// is escaped and has links. The signature of plain text is apart.
func (m *mailMessage) body(base string) (body, signature string) {
	if m.html != "" {
		out := scriptElement.ReplaceAllString(m.html, "")
		return imageSource.ReplaceAllString(out, fmt.Sprintf(`<img${1}src="/custom_apps/mail/img/blocked-image.png"${3} data-original-src="%s/apps/mail/proxy?id=%d&amp;src=${2}" style="display: none;" />`, base, m.id)), ""
	}
	out := html.EscapeString(m.text)
	out = plainAddress.ReplaceAllStringFunc(out, func(address string) string {
		return fmt.Sprintf(`<a href="%[1]s" target="_blank" rel="noopener noreferrer">%[1]s</a>`, address)
	})
	parts := signatureMark.Split(out, -1)
	if len(parts) > 1 {
		return strings.Join(parts[:len(parts)-1], "-- \r\n"), parts[len(parts)-1]
	}
	return out, ""
}

var anyTag = regexp.MustCompile(`(?s)<[^>]*>`)

// words is what a person reads of the text.
func (m *mailMessage) words() string {
	if m.html == "" {
		return m.text
	}
	return html.UnescapeString(anyTag.ReplaceAllString(scriptElement.ReplaceAllString(m.html, ""), ""))
}
