package nextcloudtest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// listMail answers a page of a mailbox. A limit is between 1 and 100 and is 1 when there is none.
func (s *Server) listMail(w http.ResponseWriter, r *http.Request, a *account, box string, ocs bool) {
	q := r.URL.Query()
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	m, b := s.mail.mailbox(a.id, intOf(box))
	switch {
	case b == nil && ocs:
		writeOCSFailure(w, r, http.StatusForbidden, "")
		return
	case b == nil:
		writeJSON(w, http.StatusForbidden, noData)
		return
	case !b.cached && ocs:
		writeOCSFailure(w, r, ocsServerError, "Internal Server Error\n")
		return
	case !b.cached:
		writeFail(w, http.StatusBadRequest, "MailboxNotCachedException", fmt.Sprintf("mailbox %d is not cached", b.id))
		return
	}
	limit := min(100, max(1, intOf(q.Get("limit"))))
	cursor, hasCursor := intOf(q.Get("cursor")), q.Get("cursor") != ""
	threads := map[string]bool{}
	list := []any{}
	for _, one := range b.newestFirst() {
		if hasCursor && int(one.at.Unix()) >= cursor || !s.mail.matches(a.id, one, q.Get("filter")) || len(list) == limit {
			continue
		}
		if root := m.root(one); q.Get("view") != "singleton" {
			if threads[root] {
				continue
			}
			threads[root] = true
		}
		list = append(list, s.mailHead(m, b, one))
		one.listed = true
	}
	if ocs {
		writeOCS(w, r, list)
		return
	}
	writeJSON(w, http.StatusOK, list)
}

// matches reports whether a message fits a filter. What the app does not understand it ignores.
func (p *postOffice) matches(uid string, m *mailMessage, filter string) bool {
	var texts, marks []bool
	anyOf := false
	for token := range strings.SplitSeq(filter, " ") {
		key, encoded, ok := strings.Cut(token, ":")
		value, err := url.QueryUnescape(encoded)
		if !ok || err != nil || strings.Contains(encoded, ":") {
			continue
		}
		value = strings.ToLower(value)
		in := func(list ...string) {
			texts = append(texts, strings.Contains(strings.ToLower(strings.Join(list, "\n")), value))
		}
		switch strings.ToLower(key) {
		case "from":
			in(headerOf(m.from))
		case "to":
			in(headerOf(m.to))
		case "cc":
			in(headerOf(m.cc))
		case "subject":
			in(m.subject)
		case "body":
			in(m.words())
		case "match":
			anyOf = value == "anyof"
		case "start":
			marks = append(marks, int(m.at.Unix()) >= intOf(value))
		case "end":
			marks = append(marks, int(m.at.Unix()) <= intOf(value))
		case "tags":
			marks = append(marks, slices.ContainsFunc(p.tags[uid], func(t *mailTag) bool {
				return slices.Contains(strings.Split(value, ","), strconv.Itoa(t.id)) && slices.Contains(m.tags, t.label)
			}))
		case "is", "not", "flags":
			for mark := range strings.SplitSeq(value, ",") {
				if on, known := m.marked(mark); known {
					marks = append(marks, on != (key == "not"))
				}
			}
		}
	}
	if slices.Contains(marks, false) {
		return false
	}
	if anyOf && len(texts) > 0 {
		return slices.Contains(texts, true)
	}
	return !slices.Contains(texts, false)
}

func (m *mailMessage) marked(mark string) (on, known bool) {
	switch mark {
	case "read":
		return m.flags["seen"], true
	case "unread":
		return !m.flags["seen"], true
	case "starred":
		return m.flags["flagged"], true
	case "answered", "important":
		return m.flags[mark], true
	case "attachments":
		return len(m.parts) > 0, true
	}
	return false, false
}

func (m *mailMessage) flagsAnswer(head bool) map[string]any {
	out := map[string]any{"hasAttachments": len(m.parts) > 0, "$mdnsent": m.flags["$mdnsent"]}
	names := []string{"seen", "flagged", "answered", "deleted", "draft", "forwarded", "important"}
	if head {
		names = append(names, "$junk", "$notjunk")
	}
	for _, name := range names {
		out[name] = m.flags[name]
	}
	return out
}

// mailHead is a message as lists have it.
func (s *Server) mailHead(a *mailAccount, b *mailbox, m *mailMessage) map[string]any {
	var tags any = noData
	if len(m.tags) > 0 {
		byLabel := map[string]any{}
		for _, t := range s.mail.tags[a.owner] {
			if slices.Contains(m.tags, t.label) {
				byLabel[t.label] = t.answer(a.owner)
			}
		}
		tags = byLabel
	}
	var inReplyTo any
	references := []string{}
	if m.inReplyTo != "" {
		inReplyTo, references = m.inReplyTo, []string{m.inReplyTo}
	}
	var mentions any = 0
	if !m.listed && b.role == "inbox" && m.uid > 1 {
		mentions = false // Nextcloud: until it is read from the database
	}
	words := []rune(strings.Join(strings.Fields(m.words()), " "))
	return map[string]any{
		"databaseId": m.id, "uid": m.uid, "remoteId": nil, "subject": m.subject, "dateInt": m.at.Unix(), "flags": m.flagsAnswer(true), "tags": tags,
		"from": addressesOf(m.from), "to": addressesOf(m.to), "cc": addressesOf(m.cc), "bcc": addressesOf(m.bcc), "mailboxId": b.id,
		"messageId": m.messageID, "inReplyTo": inReplyTo, "references": references, "threadRootId": a.root(m), "imipMessage": false,
		"previewText": string(words[:min(len(words), 255)]), "summary": nil, "encrypted": m.encrypted, "mentionsMe": mentions,
		"avatar": nil, "fetchAvatarFromClient": true, "attachments": noData,
	}
}

// fullAnswer is a message with its text, as both APIs have it.
func (m *mailMessage) fullAnswer(base string, own bool) map[string]any {
	check := func(kind string) map[string]any {
		return map[string]any{"type": kind, "isPhishing": false, "message": "", "additionalData": noData}
	}
	parts := []any{}
	for _, p := range m.parts {
		one := map[string]any{
			"id": p.id, "messageId": m.uid, "fileName": p.name, "mime": p.mime, "size": len(p.data) * 4 / 3, "cid": nil, "disposition": "attachment",
			"downloadUrl": fmt.Sprintf("%s/ocs/v2.php/apps/mail/message/%d/attachment/%s", base, m.id, p.id),
		}
		if own {
			one["downloadUrl"] = fmt.Sprintf("%s/apps/mail/api/messages/%d/attachment/%s", base, m.id, p.id)
			one["mimeUrl"], one["isImage"], one["isCalendarEvent"] = "/core/img/filetypes/file.svg", strings.HasPrefix(p.mime, "image/"), p.mime == "text/calendar"
		}
		parts = append(parts, one)
	}
	out := map[string]any{
		"uid": m.uid, "messageId": m.messageID, "from": addressesOf(m.from), "to": addressesOf(m.to), "replyTo": addressesOf(m.from),
		"cc": addressesOf(m.cc), "bcc": addressesOf(m.bcc), "subject": m.subject, "dateInt": m.at.Unix(), "flags": m.flagsAnswer(false),
		"hasHtmlBody": m.html != "", "dispositionNotificationTo": "", "hasDkimSignature": false,
		"phishingDetails": map[string]any{"checks": []any{check("Contacts"), check("Date"), check("IMAP Flag"), check("Link")}, "warning": false},
		"unsubscribeUrl":  nil, "isOneClickUnsubscribe": false, "unsubscribeMailto": nil, "scheduling": noData, "isPgpMimeEncrypted": false,
		"attachments": parts, "inlineAttachments": noData, "isSenderTrusted": false,
		"smime": map[string]any{"isSigned": false, "signatureIsValid": nil, "isEncrypted": m.encrypted},
	}
	if !m.encrypted {
		body, signature := m.body(base)
		out["body"] = body
		if m.html == "" {
			out["signature"] = nil
			if signature != "" {
				out["signature"] = signature
			}
		}
	}
	return out
}

func (s *Server) mailFull(w http.ResponseWriter, r *http.Request, a *account) {
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	_, _, m := s.mail.message(a.id, intOf(r.PathValue("id")))
	if m == nil {
		writeEnvelope(w, r, http.StatusNotFound, "", "Account not found.")
		return
	}
	base := s.base(r)
	out := m.fullAnswer(base, false)
	out["id"], out["rawUrl"] = m.id, fmt.Sprintf("%s/ocs/v2.php/apps/mail/message/%d/raw", base, m.id)
	if m.encrypted {
		writeEnvelope(w, r, http.StatusPartialContent, "OK", out)
		return
	}
	writeOCS(w, r, out)
}

func (s *Server) mailBody(w http.ResponseWriter, _ *http.Request, in *mailCall) {
	if in.message.encrypted {
		writeJSON(w, http.StatusInternalServerError, map[string]any{"status": "error", "message": "Server error", "data": noData, "code": 0})
		return
	}
	out := in.message.fullAnswer(in.base, true)
	out["accountId"], out["mailboxId"], out["databaseId"] = in.account.id, in.box.id, in.message.id
	w.Header().Set("Cache-Control", "private, max-age=3600, immutable")
	writeJSON(w, http.StatusOK, out)
}

func (s *Server) mailRaw(w http.ResponseWriter, r *http.Request, a *account) {
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	_, _, m := s.mail.message(a.id, intOf(r.PathValue("id")))
	if m == nil {
		writeEnvelope(w, r, http.StatusNotFound, "", "Message, Account or Mailbox not found")
		return
	}
	writeOCS(w, r, m.source())
}

func (s *Server) mailThread(w http.ResponseWriter, _ *http.Request, in *mailCall) {
	root := in.account.root(in.message)
	list := []any{}
	for _, b := range in.account.boxes {
		for _, m := range b.newestFirst() {
			if in.account.root(m) == root {
				list = append(list, s.mailHead(in.account, b, m))
			}
		}
	}
	writeJSON(w, http.StatusOK, list)
}

// findMail is the source of the unified search: subjects of all mailboxes.
func findMail(s *Server, base string, a *account, term string) []searchEntry {
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	var out []searchEntry
	for _, account := range s.mail.accounts {
		for _, b := range account.boxes {
			for _, m := range b.newestFirst() {
				if account.owner == a.id && strings.Contains(strings.ToLower(m.subject+"\n"+headerOf(m.from)), term) {
					out = append(out, searchEntry{
						Title: m.subject, Subline: "From " + headerOf(m.from), Icon: "icon-mail", ResourceURL: fmt.Sprintf("%s/index.php/apps/mail/box/%d/thread/%d", base, b.id, m.id),
					})
				}
			}
		}
	}
	return out
}
