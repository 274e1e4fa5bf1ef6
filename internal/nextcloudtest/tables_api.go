package nextcloudtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// What the app says about a row that is not there, a database query included.
const (
	noTableRow  = "Did expect one result but found none when executing: query \"SELECT * FROM `*PREFIX*tables_row_sleeves` WHERE `id` = :dcValue1\"; "
	rowNotFound = `OCA\Tables\Service\RowService - find: ` + noTableRow
	rowNotThere = `OCA\Tables\Service\RowService - %s: OCA\Tables\Service\RowService - getRowById: ` + noTableRow
)

// routesTables registers version 1 of the REST API, and what was recorded of version 2.
func (s *Server) routesTables() {
	const v1, v2 = "/apps/tables/api/1/", "/ocs/v2.php/apps/tables/api/2/"
	rest := func(pattern string, h func(*tablesRequest)) {
		method, path, _ := strings.Cut(pattern, " ")
		s.handle(method+" "+v1+path, familyCORS, func(w http.ResponseWriter, r *http.Request, a *account) { s.serveTables(w, r, a, false, h) })
	}
	ocs := func(pattern string, h func(*tablesRequest)) {
		method, path, _ := strings.Cut(pattern, " ")
		s.handle(method+" "+v2+path, familyOCSPublic, func(w http.ResponseWriter, r *http.Request, a *account) { s.serveTables(w, r, a, true, h) })
	}
	rest("GET tables", (*tablesRequest).listTables)
	rest("POST tables", (*tablesRequest).createTable)
	rest("GET tables/{id}", (*tablesRequest).oneTable)
	rest("PUT tables/{id}", (*tablesRequest).updateTable)
	rest("DELETE tables/{id}", (*tablesRequest).deleteTable)
	rest("GET tables/{id}/scheme", (*tablesRequest).scheme)
	rest("GET tables/{id}/columns", (*tablesRequest).listColumns)
	rest("POST tables/{id}/columns", (*tablesRequest).createColumn)
	rest("PUT columns/{id}", (*tablesRequest).updateColumn)
	rest("DELETE columns/{id}", (*tablesRequest).deleteColumn)
	rest("GET tables/{id}/rows", (*tablesRequest).listRows)
	rest("GET tables/{id}/rows/simple", (*tablesRequest).simpleRows)
	rest("POST tables/{id}/rows", (*tablesRequest).createRow)
	rest("GET rows/{id}", (*tablesRequest).oneRow)
	rest("PUT rows/{id}", (*tablesRequest).updateRow)
	rest("DELETE rows/{id}", (*tablesRequest).deleteRow)
	rest("GET tables/{id}/views", (*tablesRequest).listViews)
	rest("POST tables/{id}/views", (*tablesRequest).createView)
	rest("PUT views/{id}", (*tablesRequest).updateView)
	rest("GET views/{id}/rows", (*tablesRequest).viewRows)
	rest("GET views/{id}/columns", (*tablesRequest).viewColumns)
	rest("GET tables/{id}/shares", (*tablesRequest).listShares)
	rest("POST shares", (*tablesRequest).createShare)
	rest("DELETE shares/{id}", (*tablesRequest).deleteShare)
	ocs("GET tables", (*tablesRequest).listTables)
	ocs("POST tables", (*tablesRequest).createTable)
	ocs("GET tables/{id}", (*tablesRequest).oneTable)
	ocs("GET columns/table/{id}", (*tablesRequest).listColumns)
	ocs("POST columns/text", (*tablesRequest).createColumnV2)
	ocs("POST tables/{id}/rows", (*tablesRequest).createRow)
	ocs("GET init", (*tablesRequest).init)
	ocs("GET contexts", func(r *tablesRequest) { r.answer(noData) })
}

// tablesRequest is one request to the Tables app.
type tablesRequest struct {
	*http.Request
	w      http.ResponseWriter
	server *Server
	store  *tableStore
	user   *account
	ocs    bool
	id     int
	params map[string]any
}

func (s *Server) serveTables(w http.ResponseWriter, r *http.Request, a *account, ocs bool, h func(*tablesRequest)) {
	req := &tablesRequest{Request: r, w: w, server: s, store: s.tables, user: a, ocs: ocs, params: phpParams(r)}
	if a == nil {
		// Nextcloud: version 2 answers nothing to people who are not signed in, with 200.
		req.nothing(http.StatusOK)
		return
	}
	req.id, _ = strconv.Atoi(r.PathValue("id"))
	s.tables.mu.Lock()
	defer s.tables.mu.Unlock()
	h(req)
}

func (r *tablesRequest) answer(v any) {
	if r.ocs {
		writeOCS(r.w, r.Request, v)
		return
	}
	writeJSON(r.w, http.StatusOK, v)
}

func (r *tablesRequest) nothing(status int) {
	r.w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	r.w.Header().Set("Content-Length", "0")
	r.w.WriteHeader(status)
}

func (r *tablesRequest) fail(status int, format string, args ...any) {
	writeJSON(r.w, status, map[string]string{"message": fmt.Sprintf(format, args...)})
}

func (r *tablesRequest) text(name string) string { return phpText(r.params[name]) }

// table is the one of the path with a right to it; otherwise the answer is given.
func (r *tablesRequest) table(right string) *tableNode {
	t := r.store.find(r.user, r.id)
	switch {
	case t == nil:
		r.nothing(http.StatusNotFound)
	case !t.rights(r.user)[right]:
		r.nothing(http.StatusForbidden)
	default:
		return t
	}
	return nil
}

func (r *tablesRequest) listTables() { r.answer(r.all()) }

func (r *tablesRequest) all() []any {
	list := []any{}
	for _, t := range r.store.tables {
		if t.rights(r.user)["read"] {
			list = append(list, t.answer(r.user))
		}
	}
	return list
}

func (r *tablesRequest) init() { r.answer(map[string]any{"tables": r.all(), "views": noData}) }

func (r *tablesRequest) createTable() {
	t := r.store.create(r.user, r.text("title"), r.text("emoji"), r.text("description"))
	if r.text("template") == "todo" {
		for _, title := range []string{"Task", "Description", "Target", "Progress", "Comments", "Proofed"} {
			r.store.addColumn(r.user, t, map[string]any{"title": title, "type": "text", "subtype": "line"})
		}
		for range 4 {
			r.store.addRow(r.user, t, map[int]any{t.columns[0].id: "A task"})
		}
	}
	r.answer(t.answer(r.user))
}

func (r *tablesRequest) oneTable() {
	if t := r.table("read"); t != nil {
		r.answer(t.answer(r.user))
	}
}

func (r *tablesRequest) updateTable() {
	t := r.table("manage")
	if t == nil {
		return
	}
	for name, field := range map[string]*string{"title": &t.title, "emoji": &t.emoji, "description": &t.description} {
		if v, ok := r.params[name]; ok {
			*field = phpText(v)
		}
	}
	if v, ok := r.params["archived"].(bool); ok {
		t.archived = v
	}
	t.edited = r.store.now()
	r.answer(t.answer(r.user))
}

func (r *tablesRequest) deleteTable() {
	t := r.table("manage")
	if t == nil {
		return
	}
	r.store.tables = slices.DeleteFunc(r.store.tables, func(o *tableNode) bool { return o == t })
	t.rows, t.columns, t.views = nil, nil, nil
	gone := t.answer(r.user)
	gone["ownerDisplayName"], gone["onSharePermissions"] = "", nil
	r.answer(gone)
}

func (r *tablesRequest) scheme() {
	if t := r.table("read"); t != nil {
		r.w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", t.title+".json"))
		r.answer(map[string]any{"title": t.title, "emoji": t.emoji, "columns": t.columnList(nil), "views": t.viewList(), "description": t.description})
	}
}

func (t *tableNode) answer(a *account) map[string]any {
	may := map[string]bool{}
	for _, right := range tableRights {
		may[right] = t.rights(a)[right] && t.owner != a || right == "read"
	}
	out := map[string]any{
		"id": t.id, "title": t.title, "emoji": t.emoji, "ownership": t.owner.id, "ownerDisplayName": t.owner.profile().DisplayName,
		"createdBy": t.owner.id, "createdAt": tablesTime(t.made), "lastEditBy": t.owner.id, "lastEditAt": tablesTime(t.edited),
		"archived": t.archived, "isShared": t.owner != a, "favorite": false, "onSharePermissions": may, "hasShares": len(t.shares) > 0,
		"rowsCount": len(t.rows), "columnsCount": len(t.columns), "description": t.description, "views": noData, "columnOrder": noData, "sort": noData,
	}
	// Nextcloud: views are shared on their own.
	if t.owner == a {
		out["views"] = t.viewList()
	}
	if t.emoji == "" {
		out["emoji"] = nil
	}
	return out
}

func (r *tablesRequest) listColumns() {
	t := r.store.find(r.user, r.id)
	if t == nil {
		r.fail(http.StatusForbidden, "no read access to table id = %d", r.id)
		return
	}
	r.answer(t.columnList(nil))
}

func (r *tablesRequest) createColumn() {
	t := r.store.find(r.user, r.id)
	switch kind := r.text("type"); {
	case t == nil || !t.rights(r.user)["manage"]:
		r.fail(http.StatusForbidden, "create column at the table id = %d is not allowed.", r.id)
		return
	case !slices.Contains([]string{"text", "number", "selection", "datetime", "usergroup"}, kind):
		r.fail(http.StatusBadRequest, `"%s" is not a valid backing value for enum OCA\Tables\Constants\ColumnType`, kind)
		return
	}
	r.answer(r.store.addColumn(r.user, t, r.params).answer(t, true, nil))
}

func (r *tablesRequest) createColumnV2() {
	r.params["type"] = "text"
	r.id, _ = strconv.Atoi(r.text("baseNodeId"))
	t := r.store.find(r.user, r.id)
	if t == nil || !t.rights(r.user)["manage"] {
		writeOCSFailure(r.w, r.Request, http.StatusForbidden, "")
		return
	}
	r.params["textUnique"] = r.text("textUnique") == "1"
	out := r.store.addColumn(r.user, t, r.params).answer(t, true, nil)
	out["datetimeDefault"] = nil
	r.answer(out)
}

func (r *tablesRequest) updateColumn() {
	t, c := r.store.findColumn(r.user, r.id)
	if c == nil {
		r.nothing(http.StatusNotFound)
		return
	}
	// Nextcloud: what the request does not name is emptied, but for these.
	fields := r.params
	for _, name := range []string{"title", "type", "subtype", "mandatory", "selectionOptions"} {
		if _, ok := fields[name]; !ok {
			fields[name] = c.fields[name]
		}
	}
	c.fields, c.edited = fields, r.store.now()
	out := c.answer(t, true, nil)
	out["datetimeDefault"], out["description"] = fields["datetimeDefault"], fields["description"]
	r.answer(out)
}

func (r *tablesRequest) deleteColumn() {
	t, c := r.store.findColumn(r.user, r.id)
	if c == nil {
		r.nothing(http.StatusNotFound)
		return
	}
	t.columns = slices.DeleteFunc(t.columns, func(o *tableColumn) bool { return o == c })
	for _, row := range t.rows {
		delete(row.cells, c.id)
	}
	r.answer(c.answer(t, false, nil))
}

// columnList are the columns as the app answers them, by the text of their ids; those of a view when there are settings.
func (t *tableNode) columnList(settings []any) []any {
	columns := slices.Clone(t.columns)
	slices.SortFunc(columns, func(a, b *tableColumn) int { return strings.Compare(strconv.Itoa(a.id), strconv.Itoa(b.id)) })
	list := []any{}
	for _, c := range columns {
		if settings == nil {
			list = append(list, c.answer(t, false, nil))
			continue
		}
		for _, setting := range settings {
			if m, _ := setting.(map[string]any); fmt.Sprint(m["columnId"]) == strconv.Itoa(c.id) {
				list = append(list, c.answer(t, false, m))
			}
		}
	}
	return list
}

// answer is a column; a fresh one has null where others have false and 0.
func (c *tableColumn) answer(t *tableNode, fresh bool, inView map[string]any) map[string]any {
	name := c.owner.profile().DisplayName
	out := map[string]any{
		"id": c.id, "uuid": tablesUUID("column", c.id), "tableId": t.id, "title": c.text("title"), "technicalName": fmt.Sprintf("column_%d", c.id),
		"createdBy": c.owner.id, "createdByDisplayName": name, "createdAt": tablesTime(c.made),
		"lastEditBy": c.owner.id, "lastEditByDisplayName": name, "lastEditAt": tablesTime(c.edited),
		"viewColumnInformation": nil, "type": c.text("type"), "subtype": c.text("subtype"), "mandatory": c.text("mandatory") == "1",
		"description": c.text("description"), "numberPrefix": c.text("numberPrefix"), "numberSuffix": c.text("numberSuffix"),
		"selectionOptions": c.options(), "selectionDefault": "null", "datetimeDefault": c.text("datetimeDefault"),
		"usergroupDefault": noData, "customSettings": struct{}{},
	}
	if inView != nil {
		out["viewColumnInformation"] = inView
	}
	if text := c.text("selectionDefault"); text != "" {
		out["selectionDefault"] = text
	}
	for _, field := range []string{"numberDefault", "numberMin", "numberMax", "numberDecimals", "textDefault", "textAllowedPattern", "textMaxLength"} {
		out[field] = c.fields[field]
	}
	for _, field := range []string{"textUnique", "usergroupMultipleItems", "usergroupSelectUsers", "usergroupSelectGroups", "usergroupSelectTeams", "showUserStatus"} {
		out[field] = c.fields[field]
		if out[field] == nil && !fresh {
			out[field] = false
		}
	}
	if out["numberDecimals"] == nil && !fresh {
		out["numberDecimals"] = 0
	}
	return out
}

// data turns what a request calls data into values by column; ok is false when it is none.
func (r *tablesRequest) data() (values map[string]any, ok bool) {
	v := r.params["data"]
	if text, isText := v.(string); isText {
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		if decoder.Decode(&v) != nil {
			return nil, false
		}
	}
	values, ok = v.(map[string]any)
	return values, ok
}
