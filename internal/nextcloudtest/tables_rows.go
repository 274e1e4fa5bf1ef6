package nextcloudtest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

func (r *tablesRequest) listRows() {
	if t := r.table("read"); t != nil {
		r.page(t, t.rows)
	}
}

// page answers rows within limit and offset. Nextcloud: without a limit it is all of them, and one below 1 breaks.
func (r *tablesRequest) page(t *tableNode, rows []*tableRow) {
	if _, given := r.params["limit"]; given {
		limit, _ := strconv.Atoi(r.text("limit"))
		if limit < 1 {
			writePage(r.w, http.StatusInternalServerError, "Internal Server Error", "The server was unable to complete your request.")
			return
		}
		offset, _ := strconv.Atoi(r.text("offset"))
		rows = rows[min(max(offset, 0), len(rows)):]
		rows = rows[:min(limit, len(rows))]
	}
	list := []any{}
	for _, row := range rows {
		list = append(list, r.row(t, row))
	}
	r.answer(list)
}

func (r *tablesRequest) row(t *tableNode, row *tableRow) map[string]any {
	return row.answer(t, func(c *tableColumn) any { return r.server.shownCell(c, row.cells[c.id]) })
}

func (row *tableRow) answer(t *tableNode, cell func(*tableColumn) any) map[string]any {
	list, alias := []any{}, map[string]any{}
	for _, c := range t.columns {
		if _, filled := row.cells[c.id]; filled {
			one := map[string]any{"columnId": c.id, "value": cell(c)}
			list = append(list, one)
			alias[fmt.Sprintf("column_%d", c.id)] = one
		}
	}
	return map[string]any{
		"id": row.id, "tableId": t.id, "createdBy": row.maker, "createdAt": tablesTime(row.made),
		"lastEditBy": row.editor, "lastEditAt": tablesTime(row.edited), "data": list, "dataByAlias": alias,
	}
}

// simpleRows are a line of titles and one for each row, with "" for what is empty.
func (r *tablesRequest) simpleRows() {
	t := r.table("read")
	if t == nil {
		return
	}
	head := []any{}
	for _, c := range t.columns {
		head = append(head, c.text("title"))
	}
	lines := []any{head}
	for _, row := range t.rows {
		line := []any{}
		for _, c := range t.columns {
			v := any("")
			if _, filled := row.cells[c.id]; filled {
				v = r.server.shownCell(c, row.cells[c.id])
			}
			line = append(line, v)
		}
		lines = append(lines, line)
	}
	r.answer(lines)
}

// write checks and stores values; the echoes are what the answer to a new row shows. When it fails, the answer is given.
func (r *tablesRequest) write(t *tableNode) (kept, echoes map[int]any, ok bool) {
	values, isData := r.data()
	if !isData {
		r.fail(http.StatusBadRequest, "Data is not valid")
		return nil, nil, false
	}
	kept, echoes = map[int]any{}, map[int]any{}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		id, _ := strconv.Atoi(key)
		c := t.column(id)
		if c == nil {
			r.fail(http.StatusInternalServerError, "Column with id %s is not part of table with id %d", key, t.id)
			return nil, nil, false
		}
		cell, echo, refusal := r.server.storeCell(c, values[key])
		if refusal != "" {
			r.fail(http.StatusBadRequest, "%s", refusal)
			return nil, nil, false
		}
		kept[id], echoes[id] = cell, echo
	}
	return kept, echoes, true
}

// emptied tells which mandatory column has nothing.
func emptied(t *tableNode, cells map[int]any, onlyGiven bool) *tableColumn {
	for _, c := range t.columns {
		v, given := cells[c.id]
		if c.text("mandatory") == "1" && (v == nil || v == "") && (given || !onlyGiven) {
			return c
		}
	}
	return nil
}

func (r *tablesRequest) createRow() {
	t := r.table("create")
	if t == nil {
		return
	}
	kept, echoes, ok := r.write(t)
	if !ok {
		return
	}
	if c := emptied(t, kept, false); c != nil {
		r.fail(http.StatusBadRequest, "Mandatory column \"%s\" cannot be empty.", c.text("title"))
		return
	}
	if len(t.rows) >= maxTableRows {
		r.fail(http.StatusInternalServerError, "the simulated table is full")
		return
	}
	row := r.store.addRow(r.user, t, kept)
	out := row.answer(t, func(c *tableColumn) any { return echoes[c.id] })
	out["createdBy"], out["createdAt"], out["lastEditBy"], out["lastEditAt"] = nil, nil, nil, nil
	r.answer(out)
}

func (r *tablesRequest) oneRow() {
	t, row := r.store.findRow(r.user, r.id)
	if row == nil {
		r.fail(http.StatusNotFound, rowNotFound)
		return
	}
	r.answer(r.row(t, row))
}

func (r *tablesRequest) updateRow() {
	t, row := r.store.findRow(r.user, r.id)
	switch {
	case row == nil:
		r.fail(http.StatusInternalServerError, rowNotThere, "updateSet")
		return
	case !t.rights(r.user)["update"]:
		r.nothing(http.StatusForbidden)
		return
	}
	kept, _, ok := r.write(t)
	if !ok {
		return
	}
	if c := emptied(t, kept, true); c != nil {
		r.fail(http.StatusBadRequest, "Mandatory column \"%s\" cannot be empty or invalid.", c.text("title"))
		return
	}
	maps.Copy(row.cells, kept)
	row.editor, row.edited = r.user.id, r.store.now()
	r.answer(r.row(t, row))
}

func (r *tablesRequest) deleteRow() {
	t, row := r.store.findRow(r.user, r.id)
	switch {
	case row == nil:
		r.fail(http.StatusInternalServerError, rowNotThere, "delete")
		return
	case !t.rights(r.user)["delete"]:
		r.nothing(http.StatusForbidden)
		return
	}
	t.rows = slices.DeleteFunc(t.rows, func(o *tableRow) bool { return o == row })
	r.answer(r.row(t, row))
}
