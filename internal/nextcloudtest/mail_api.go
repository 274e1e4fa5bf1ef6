package nextcloudtest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func (s *Server) routesMail() {
	const ocs, own = "/ocs/v2.php/apps/mail/", "/apps/mail/api/"
	s.handle("GET "+ocs+"account/list", familyOCS, s.mailAccounts)
	s.handle("GET "+ocs+"ocs/mailboxes", familyOCS, s.mailBoxes)
	s.handle("GET "+ocs+"ocs/mailboxes/{id}/messages", familyOCS, func(w http.ResponseWriter, r *http.Request, a *account) {
		s.listMail(w, r, a, r.PathValue("id"), true)
	})
	s.handle("GET "+ocs+"message/{id}", familyOCS, s.mailFull)
	s.handle("GET "+ocs+"message/{id}/raw", familyOCS, s.mailRaw)
	s.handle("POST "+ocs+"message/send", familyOCS, s.sendMailOCS)

	s.handle("GET "+own+"accounts", familyApp, s.ownMailAccounts)
	s.handle("GET "+own+"mailboxes", familyApp, s.ownMailBoxes)
	s.handle("POST "+own+"mailboxes", familyApp, s.createMailBox)
	s.handle("GET "+own+"mailboxes/{id}/stats", familyApp, s.mailBoxStats)
	s.handle("POST "+own+"mailboxes/{id}/sync", familyApp, s.syncMailBox)
	s.handle("GET "+own+"messages", familyApp, func(w http.ResponseWriter, r *http.Request, a *account) {
		s.listMail(w, r, a, r.URL.Query().Get("mailboxId"), false)
	})
	message := func(pattern string, h func(w http.ResponseWriter, r *http.Request, in *mailCall)) {
		method, rest, _ := strings.Cut(pattern, " ")
		s.handle(method+" "+own+"messages/{id}"+rest, familyApp, func(w http.ResponseWriter, r *http.Request, a *account) {
			s.mail.mu.Lock()
			defer s.mail.mu.Unlock()
			in := &mailCall{user: a.id, base: s.base(r)}
			in.account, in.box, in.message = s.mail.message(a.id, intOf(r.PathValue("id")))
			if in.message == nil {
				// Nextcloud: what is not there, or is somebody else's, is forbidden.
				writeJSON(w, http.StatusForbidden, noData)
				return
			}
			h(w, r, in)
		})
	}
	message("GET ", func(w http.ResponseWriter, _ *http.Request, in *mailCall) {
		writeJSON(w, http.StatusOK, s.mailHead(in.account, in.box, in.message))
	})
	message("GET /body", s.mailBody)
	message("GET /thread", s.mailThread)
	message("GET /export", func(w http.ResponseWriter, _ *http.Request, in *mailCall) {
		writeDownload(w, in.message.subject+".eml", "message/rfc822", []byte(in.message.source()))
	})
	message("GET /attachment/{part}", func(w http.ResponseWriter, r *http.Request, in *mailCall) {
		for _, p := range in.message.parts {
			if p.id == r.PathValue("part") {
				writeDownload(w, p.name, p.mime, p.data)
				return
			}
		}
		writeFail(w, http.StatusNotFound, "", "")
	})
	message("PUT /flags", s.flagMail)
	message("PUT /tags/{label}", s.tagMail)
	message("DELETE /tags/{label}", s.tagMail)
	message("POST /move", s.moveMail)
	message("DELETE ", s.deleteMail)
	s.handle("POST "+own+"tags", familyApp, s.createMailTag)
	s.routesOutbox()
}

// mailCall is a request about one message.
type mailCall struct {
	user, base string
	account    *mailAccount
	box        *mailbox
	message    *mailMessage
}

func intOf(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}

// writeFail is a failure that the app explains (JSend); exception is the last part of its class.
func writeFail(w http.ResponseWriter, status int, exception, message string) {
	var data any = noData
	if exception != "" {
		data = map[string]string{"message": message, "type": `OCA\Mail\Exception\` + exception}
	}
	w.Header().Set("X-Mail-Response", "true")
	writeJSON(w, status, map[string]any{"status": "fail", "data": data})
}

func writeDownload(w http.ResponseWriter, name, kind string, data []byte) {
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(data)
}

func (s *Server) mailAccounts(w http.ResponseWriter, r *http.Request, a *account) {
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	list := []any{}
	for _, m := range s.mail.accounts {
		if m.owner == a.id {
			list = append(list, map[string]any{"id": m.id, "email": m.email, "isDelegated": false, "aliases": noData})
		}
	}
	writeOCS(w, r, list)
}

func (s *Server) ownMailAccounts(w http.ResponseWriter, _ *http.Request, a *account) {
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	list := []any{}
	for _, m := range s.mail.accounts {
		if m.owner != a.id {
			continue
		}
		out := map[string]any{
			"id": m.id, "accountId": m.id, "name": m.name, "order": len(list) + 1, "emailAddress": m.email, "authMethod": "password",
			"imapHost": "mail.example", "imapPort": 993, "imapUser": m.email, "imapSslMode": "ssl",
			"smtpHost": "mail.example", "smtpPort": 465, "smtpUser": m.email, "smtpSslMode": "ssl",
			"signature": "", "editorMode": "plaintext", "provisioningId": nil, "showSubscribedOnly": false, "personalNamespace": nil,
			"snoozeMailboxId": nil, "sieveEnabled": false, "signatureAboveQuote": false, "signatureMode": 0, "smimeCertificateId": nil,
			"quotaPercentage": nil, "trashRetentionDays": nil, "searchBody": false, "outOfOfficeFollowsSystem": false, "debug": false,
			"classificationEnabled": true, "imipCreate": false, "protocol": "imap", "path": nil, "aliases": noData, "isDelegated": false,
		}
		for _, role := range []string{"drafts", "sent", "trash", "archive", "junk"} {
			out[role+"MailboxId"] = nil
			if b := m.box(role); b != nil {
				out[role+"MailboxId"] = b.id
			}
		}
		list = append(list, out)
	}
	writeJSON(w, http.StatusOK, list)
}

func (b *mailbox) answer(a *mailAccount) map[string]any {
	var role any = 0
	special, attributes := []string{}, []string{}
	if b.role != "" {
		role, special, attributes = b.role, []string{b.role}, []string{`\subscribed`}
	}
	return map[string]any{
		"databaseId": b.id, "id": base64.StdEncoding.EncodeToString([]byte(b.name)), "name": b.name, "accountId": a.id, "displayName": b.name,
		"attributes": attributes, "delimiter": ".", "specialUse": special, "specialRole": role, "mailboxes": noData, "syncInBackground": false,
		"unread": b.unread(), "myAcls": nil, "shared": false, "cacheBuster": md5Hex(fmt.Sprint(b.id, b.lastUID, b.unread())),
	}
}

func (a *mailAccount) answers() []any {
	list := []any{}
	for _, b := range a.boxes {
		list = append(list, b.answer(a))
	}
	return list
}

func (s *Server) mailBoxes(w http.ResponseWriter, r *http.Request, a *account) {
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	m := s.mail.account(a.id, intOf(r.URL.Query().Get("accountId")))
	if m == nil {
		writeOCSFailure(w, r, http.StatusNotFound, "")
		return
	}
	writeOCS(w, r, m.answers())
}

func (s *Server) ownMailBoxes(w http.ResponseWriter, r *http.Request, a *account) {
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	m := s.mail.account(a.id, intOf(r.URL.Query().Get("accountId")))
	if m == nil {
		writeFail(w, http.StatusBadRequest, "ClientException", "no Delegated account with that id exists for user <"+a.id+">")
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"id": m.id, "email": m.email, "mailboxes": m.answers(), "delimiter": "."})
}

func (s *Server) createMailBox(w http.ResponseWriter, r *http.Request, a *account) {
	var in struct {
		AccountID int    `json:"accountId"`
		Name      string `json:"name"`
	}
	_ = json.NewDecoder(r.Body).Decode(&in)
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	m := s.mail.account(a.id, in.AccountID)
	if m == nil {
		writeFail(w, http.StatusBadRequest, "ClientException", "Account does not exist")
		return
	}
	writeJSON(w, http.StatusOK, s.mail.addBox(m, in.Name, "").answer(m))
}

func (s *Server) mailBoxStats(w http.ResponseWriter, r *http.Request, a *account) {
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	_, b := s.mail.mailbox(a.id, intOf(r.PathValue("id")))
	if b == nil {
		writeJSON(w, http.StatusForbidden, noData)
		return
	}
	writeJSON(w, http.StatusOK, map[string]int{"total": len(b.mail), "unread": b.unread()})
}

func (s *Server) syncMailBox(w http.ResponseWriter, r *http.Request, a *account) {
	var in struct {
		IDs  []int `json:"ids"`
		Init bool  `json:"init"`
	}
	_ = json.NewDecoder(r.Body).Decode(&in)
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	m, b := s.mail.mailbox(a.id, intOf(r.PathValue("id")))
	switch {
	case b == nil:
		writeJSON(w, http.StatusForbidden, noData)
		return
	case !b.cached && !in.Init:
		writeJSON(w, http.StatusPreconditionRequired, noData)
		return
	}
	b.cached = true
	changed := []any{}
	for _, one := range b.newestFirst() {
		if slices.Contains(in.IDs, one.id) {
			changed = append(changed, s.mailHead(m, b, one))
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"newMessages": noData, "changedMessages": changed, "vanishedMessages": noData, "stats": map[string]int{"total": len(b.mail), "unread": b.unread()},
	})
}

func (s *Server) flagMail(w http.ResponseWriter, r *http.Request, in *mailCall) {
	var body struct {
		Flags map[string]any `json:"flags"`
	}
	if json.NewDecoder(r.Body).Decode(&body) != nil || body.Flags == nil {
		writePage(w, http.StatusInternalServerError, "Internal Server Error", "The server was unable to complete your request.")
		return
	}
	for name, v := range body.Flags {
		in.message.flags[name] = slices.Contains([]any{true, "true", "1", 1.0}, v)
	}
	writeJSON(w, http.StatusOK, noData)
}

func (s *Server) tagMail(w http.ResponseWriter, r *http.Request, in *mailCall) {
	label := r.PathValue("label")
	i := slices.IndexFunc(s.mail.tags[in.user], func(t *mailTag) bool { return t.label == label })
	if i < 0 {
		writeJSON(w, http.StatusForbidden, noData)
		return
	}
	in.message.tags = slices.DeleteFunc(in.message.tags, func(l string) bool { return l == label })
	if r.Method == http.MethodPut {
		in.message.tags = append(in.message.tags, label)
	}
	writeJSON(w, http.StatusOK, s.mail.tags[in.user][i].answer(in.user))
}

func (t *mailTag) answer(uid string) map[string]any {
	return map[string]any{"id": t.id, "userId": uid, "displayName": t.name, "imapLabel": t.label, "color": t.color, "isDefaultTag": false}
}

func (s *Server) createMailTag(w http.ResponseWriter, r *http.Request, a *account) {
	var in struct {
		Name  string `json:"displayName"`
		Color string `json:"color"`
	}
	_ = json.NewDecoder(r.Body).Decode(&in)
	if len([]rune(in.Name)) > 128 || len(in.Color) > 9 {
		writeFail(w, http.StatusBadRequest, "ClientException", "The maximum length for displayName is 128")
		return
	}
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	writeJSON(w, http.StatusOK, s.mail.tag(a.id, in.Name, in.Color).answer(a.id))
}

// tag makes a tag, or finds the one that the mail server could not tell from it.
func (p *postOffice) tag(uid, name, color string) *mailTag {
	label := strings.ReplaceAll(strings.ReplaceAll(name, " ", "_"), "&", "&-")
	label = "$" + strings.ToLower(label[:min(len(label), 63)])
	for _, t := range p.tags[uid] {
		if t.label == label {
			return t
		}
	}
	p.last.tag++
	t := &mailTag{id: p.last.tag, name: name, label: label, color: color}
	p.tags[uid] = append(p.tags[uid], t)
	return t
}

func (s *Server) moveMail(w http.ResponseWriter, r *http.Request, in *mailCall) {
	var body struct {
		To int `json:"destFolderId"`
	}
	_ = json.NewDecoder(r.Body).Decode(&body)
	_, to := s.mail.mailbox(in.user, body.To)
	if to == nil {
		writeFail(w, http.StatusBadRequest, "ClientException", "mailbox does not exist")
		return
	}
	in.box.take(in.message)
	s.mail.put(to, in.message)
	writeJSON(w, http.StatusOK, noData)
}

// deleteMail moves to the trash; what is there already is gone for good.
func (s *Server) deleteMail(w http.ResponseWriter, _ *http.Request, in *mailCall) {
	trash := in.account.box("trash")
	if trash == nil {
		writeFail(w, http.StatusBadRequest, "TrashMailboxNotSetException", "No trash folder set")
		return
	}
	in.box.take(in.message)
	if in.box != trash {
		s.mail.put(trash, in.message)
	}
	writeJSON(w, http.StatusOK, noData)
}
