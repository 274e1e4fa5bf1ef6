package nextcloudtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"slices"
	"strings"
)

// outgoingMail is a message as programs give it to the app.
type outgoingMail struct {
	AccountID   int           `json:"accountId"`
	AliasID     *int          `json:"aliasId"`
	FromEmail   string        `json:"fromEmail"`
	Subject     string        `json:"subject"`
	Body        string        `json:"body"`
	BodyPlain   *string       `json:"bodyPlain"`
	BodyHTML    *string       `json:"bodyHtml"`
	EditorBody  *string       `json:"editorBody"`
	IsHTML      bool          `json:"isHtml"`
	To          []mailAddress `json:"to"`
	CC          []mailAddress `json:"cc"`
	BCC         []mailAddress `json:"bcc"`
	InReplyTo   *string       `json:"inReplyToMessageId"`
	References  string        `json:"references"`
	SMIMESign   *bool         `json:"smimeSign"`
	SMIMECipher *bool         `json:"smimeEncrypt"`
}

// What becomes of a message of the outbox, in the app's own numbers.
const (
	mailRefused   = 10
	mailNotCopied = 11
	mailProcessed = 12
)

// Recipients whose mail goes wrong: the mail server refuses it, or the copy cannot be stored.
const (
	RefusedMail   = "nobody@refused.invalid"
	NotCopiedMail = "somebody@nocopy.invalid"
)

func (s *Server) routesOutbox() {
	const own = "/apps/mail/api/"
	s.handle("POST "+own+"outbox", familyApp, func(w http.ResponseWriter, r *http.Request, a *account) { s.storeMail(w, r, a, false) })
	s.handle("POST "+own+"drafts", familyApp, func(w http.ResponseWriter, r *http.Request, a *account) { s.storeMail(w, r, a, true) })
	s.handle("GET "+own+"outbox", familyApp, func(w http.ResponseWriter, _ *http.Request, a *account) {
		s.mail.mu.Lock()
		defer s.mail.mu.Unlock()
		list := []any{}
		for id := range s.mail.last.local + 1 {
			if l := s.mail.local[id]; l != nil && l.owner == a.id && !l.draft {
				list = append(list, l.answer())
			}
		}
		writeSuccess(w, http.StatusOK, map[string]any{"messages": list})
	})
	s.handle("POST "+own+"outbox/{id}", familyApp, s.sendMail)
	s.handle("POST "+own+"drafts/move/{id}", familyApp, s.moveDraft)
}

func writeSuccess(w http.ResponseWriter, status int, data any) {
	w.Header().Set("X-Mail-Response", "true")
	writeJSON(w, status, map[string]any{"status": "success", "data": data})
}

func (l *localMail) answer() map[string]any {
	people := func(list []mailAddress) []any {
		out := []any{}
		for i, a := range list {
			out = append(out, map[string]any{"id": i + 1, "messageId": nil, "type": 1, "localMessageId": l.id, "label": a.Label, "email": a.Email})
		}
		return out
	}
	kind := 0
	if l.draft {
		kind = 1
	}
	return map[string]any{
		"id": l.id, "type": kind, "accountId": l.account.id, "aliasId": l.fields.AliasID, "sendAt": nil, "updatedAt": nil,
		"subject": l.fields.Subject, "bodyPlain": l.fields.BodyPlain, "bodyHtml": l.fields.BodyHTML, "editorBody": l.fields.EditorBody,
		"isHtml": l.fields.IsHTML, "isPgpMime": false, "inReplyToMessageId": l.fields.InReplyTo, "attachments": noData, "from": noData,
		"to": people(l.fields.To), "cc": people(l.fields.CC), "bcc": people(l.fields.BCC), "failed": l.status == mailRefused,
		"smimeCertificateId": nil, "smimeSign": false, "smimeEncrypt": false, "status": l.status, "raw": nil, "requestMdn": false,
	}
}

func (s *Server) storeMail(w http.ResponseWriter, r *http.Request, a *account, draft bool) {
	var in outgoingMail
	body, _ := io.ReadAll(r.Body)
	if json.Unmarshal(body, &in) != nil || !draft && (in.SMIMESign == nil || in.SMIMECipher == nil) {
		// Nextcloud: parameters that have no default and are not there are null where PHP wants a bool.
		writePage(w, http.StatusInternalServerError, "Internal Server Error", "The server was unable to complete your request.")
		return
	}
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	m := s.mail.account(a.id, in.AccountID)
	if m == nil {
		writeFail(w, http.StatusBadRequest, "ClientException", "Account does not exist")
		return
	}
	s.mail.last.local++
	l := &localMail{id: s.mail.last.local, owner: a.id, account: m, draft: draft, fields: in}
	s.mail.local[l.id] = l
	writeSuccess(w, http.StatusCreated, l.answer())
}

// compose is the message that leaves.
func (s *Server) compose(m *mailAccount, in *outgoingMail) *mailMessage {
	out := &mailMessage{
		subject: in.Subject, at: s.now(), from: []mailAddress{{m.name, m.email}}, to: in.To, cc: in.CC, bcc: in.BCC,
		messageID: fmt.Sprintf("<%s@mail.example>", md5Hex(fmt.Sprint(s.mail.last, s.now().UnixNano()))), flags: map[string]bool{},
	}
	if in.InReplyTo != nil {
		out.inReplyTo = *in.InReplyTo
	}
	switch {
	case in.IsHTML && in.BodyHTML != nil:
		out.html = *in.BodyHTML
	case in.BodyPlain != nil:
		out.text = *in.BodyPlain
	}
	return out
}

// post sends and keeps a copy; what it answers is a status of the outbox.
func (s *Server) post(m *mailAccount, in *outgoingMail) int {
	all := slices.Concat(in.To, in.CC, in.BCC)
	to := func(address string) bool {
		return slices.ContainsFunc(all, func(a mailAddress) bool { return a.Email == address })
	}
	if to(RefusedMail) {
		return mailRefused
	}
	out := s.compose(m, in)
	s.mail.deliver(out)
	if to(NotCopiedMail) {
		return mailNotCopied
	}
	s.mail.put(m.box("sent"), out).flags["seen"] = true
	return mailProcessed
}

func (s *Server) sendMail(w http.ResponseWriter, r *http.Request, a *account) {
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	l := s.mail.local[intOf(r.PathValue("id"))]
	if l == nil || l.owner != a.id || l.draft {
		writeFail(w, http.StatusNotFound, "", "")
		return
	}
	if l.status = s.post(l.account, &l.fields); l.status != mailProcessed {
		writeJSON(w, http.StatusInternalServerError, map[string]any{"status": "error", "message": "Could not send message", "data": []any{l.answer()}, "code": 0})
		return
	}
	delete(s.mail.local, l.id)
	writeSuccess(w, http.StatusAccepted, "Message sent")
}

func (s *Server) moveDraft(w http.ResponseWriter, r *http.Request, a *account) {
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	l := s.mail.local[intOf(r.PathValue("id"))]
	if l == nil || l.owner != a.id || !l.draft {
		writeFail(w, http.StatusNotFound, "", "")
		return
	}
	m := s.mail.put(l.account.box("drafts"), s.compose(l.account, &l.fields))
	m.flags["draft"], m.flags["seen"] = true, true
	delete(s.mail.local, l.id)
	writeSuccess(w, http.StatusAccepted, "Message moved to IMAP")
}

// sendMailOCS sends in one step.
func (s *Server) sendMailOCS(w http.ResponseWriter, r *http.Request, a *account) {
	var in outgoingMail
	_ = json.NewDecoder(r.Body).Decode(&in)
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	m := s.mail.account(a.id, in.AccountID)
	switch {
	case m == nil:
		writeEnvelope(w, r, http.StatusNotFound, "", "Account not found.")
		return
	case !strings.EqualFold(in.FromEmail, m.email):
		writeEnvelope(w, r, http.StatusNotFound, "", "Could not find alias "+in.FromEmail+". Please check the logs.")
		return
	case len(in.To) == 0:
		writeEnvelope(w, r, http.StatusBadRequest, "", "Recipients cannot be empty.")
		return
	}
	for _, to := range slices.Concat(in.To, in.CC, in.BCC) {
		if _, err := mail.ParseAddress(to.Email); err != nil {
			writeEnvelope(w, r, http.StatusBadRequest, "", "Email address "+to.Email+" not valid.")
			return
		}
	}
	in.BodyPlain, in.BodyHTML = &in.Body, &in.Body
	if in.References != "" {
		in.InReplyTo = &in.References
	}
	if s.post(m, &in) != mailProcessed {
		writeEnvelope(w, r, http.StatusInternalServerError, "", "SMTP error: could not send message. Message sending will be retried. Please check the logs.")
		return
	}
	writeEnvelope(w, r, http.StatusOK, "OK", "")
}
