package nextcloudtest

import (
	"net/http"
	"slices"
)

func (v *tableView) answer(t *tableNode, fresh bool) map[string]any {
	out := map[string]any{
		"id": v.id, "uuid": tablesUUID("view", v.id), "tableId": t.id, "title": v.title, "technicalName": "view_" + phpString(v.id),
		"description": v.description, "emoji": v.emoji, "ownership": t.owner.id, "createdBy": t.owner.id, "createdAt": tablesTime(v.made),
		"lastEditBy": t.owner.id, "lastEditAt": tablesTime(v.edited), "columns": noData, "columnSettings": v.settings, "sort": v.sort,
		"isShared": false, "favorite": false, "onSharePermissions": nil, "hasShares": false, "rowsCount": len(t.visible(v)),
		"ownerDisplayName": t.owner.profile().DisplayName, "filter": v.filter,
	}
	if fresh {
		out["ownerDisplayName"], out["rowsCount"] = nil, 0
	}
	return out
}

func (t *tableNode) viewList() []any {
	list := []any{}
	for _, v := range t.views {
		list = append(list, v.answer(t, false))
	}
	return list
}

func (s *tableStore) addView(t *tableNode, title, emoji string) *tableView {
	s.lastView++
	v := &tableView{
		id: s.lastView, title: title, emoji: emoji, made: s.now(), edited: s.now(),
		settings: noData, sort: noData, filter: noData,
	}
	t.views = append(t.views, v)
	return v
}

func (r *tablesRequest) listViews() {
	if t := r.table("read"); t != nil {
		r.answer(t.viewList())
	}
}

func (r *tablesRequest) createView() {
	if t := r.table("manage"); t != nil {
		r.answer(r.store.addView(t, r.text("title"), r.text("emoji")).answer(t, true))
	}
}

func (r *tablesRequest) updateView() {
	t, v := r.store.findView(r.user, r.id)
	if v == nil || !t.rights(r.user)["manage"] {
		r.nothing(http.StatusNotFound)
		return
	}
	data, _ := r.data()
	for name, field := range map[string]*string{"title": &v.title, "emoji": &v.emoji, "description": &v.description} {
		if text, ok := data[name]; ok {
			*field = phpText(text)
		}
	}
	for name, field := range map[string]*[]any{"sort": &v.sort, "filter": &v.filter} {
		if list, ok := data[name].([]any); ok {
			*field = list
		}
	}
	if list, ok := data["columnSettings"].([]any); ok {
		v.settings = noData
		for _, item := range list {
			m, _ := item.(map[string]any)
			v.settings = append(v.settings, map[string]any{"columnId": m["columnId"], "order": m["order"], "readonly": false, "mandatory": false})
		}
	}
	v.edited = r.store.now()
	r.answer(v.answer(t, false))
}

func (r *tablesRequest) viewRows() {
	t, v := r.store.findView(r.user, r.id)
	if v == nil {
		r.nothing(http.StatusNotFound)
		return
	}
	r.page(t, t.visible(v))
}

func (r *tablesRequest) viewColumns() {
	t, v := r.store.findView(r.user, r.id)
	if v == nil {
		r.fail(http.StatusForbidden, "no read access to view id = %d", r.id)
		return
	}
	r.answer(t.columnList(v.settings))
}

func (share *tableShare) answer(t *tableNode) map[string]any {
	out := map[string]any{
		"id": share.id, "nodeId": t.id, "nodeType": "table", "sender": t.owner.id, "receiver": share.receiver.id,
		"receiverDisplayName": share.receiver.profile().DisplayName, "receiverType": "user", "token": nil, "password": nil,
		"createdAt": tablesTime(share.made), "lastEditAt": tablesTime(share.made),
	}
	for name, right := range shareRights {
		out[name] = share.rights[right]
	}
	return out
}

var shareRights = map[string]string{
	"permissionRead": "read", "permissionCreate": "create", "permissionUpdate": "update", "permissionDelete": "delete", "permissionManage": "manage",
}

func (r *tablesRequest) listShares() {
	t := r.table("manage")
	if t == nil {
		return
	}
	list := []any{}
	for _, share := range t.shares {
		list = append(list, share.answer(t))
	}
	r.answer(list)
}

func (r *tablesRequest) createShare() {
	receiver := r.server.account(r.text("receiver"))
	for _, t := range r.store.tables {
		if phpString(t.id) != r.text("nodeId") || r.text("nodeType") != "table" || !t.rights(r.user)["manage"] || receiver == nil {
			continue
		}
		r.store.lastShare++
		share := &tableShare{id: r.store.lastShare, receiver: receiver, rights: map[string]bool{}, made: r.store.now()}
		for name, right := range shareRights {
			share.rights[right] = r.text(name) == "1"
		}
		t.shares = append(t.shares, share)
		r.answer(share.answer(t))
		return
	}
	r.nothing(http.StatusNotFound)
}

func (r *tablesRequest) deleteShare() {
	for _, t := range r.store.tables {
		i := slices.IndexFunc(t.shares, func(share *tableShare) bool { return share.id == r.id })
		if i < 0 || !t.rights(r.user)["manage"] {
			continue
		}
		share := t.shares[i]
		t.shares = slices.Delete(t.shares, i, i+1)
		r.answer(share.answer(t))
		return
	}
	r.nothing(http.StatusNotFound)
}
