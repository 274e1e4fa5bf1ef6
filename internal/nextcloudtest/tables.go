package nextcloudtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// maxTableRows bounds one table.
const maxTableRows = 100_000

// tableStore is the Tables app of the whole server.
type tableStore struct {
	mu     sync.Mutex // guards everything below it
	now    func() time.Time
	tables []*tableNode

	lastTable, lastColumn, lastRow, lastView, lastShare int
}

// tableNode is a table.
type tableNode struct {
	id                        int
	title, emoji, description string
	owner                     *account
	made, edited              time.Time
	archived                  bool
	columns                   []*tableColumn
	rows                      []*tableRow
	views                     []*tableView
	shares                    []*tableShare
}

// tableColumn is a column as the app answers it; fields are what a request said.
type tableColumn struct {
	id           int
	owner        *account
	made, edited time.Time
	fields       map[string]any
}

// tableRow holds cells by column.
type tableRow struct {
	id            int
	maker, editor string
	made, edited  time.Time
	cells         map[int]any
}

type tableView struct {
	id                        int
	title, emoji, description string
	made, edited              time.Time
	settings, sort, filter    []any
}

type tableShare struct {
	id       int
	receiver *account
	rights   map[string]bool
	made     time.Time
}

func newTableStore(now func() time.Time) *tableStore { return &tableStore{now: now} }

// tableRights are what somebody may do, in the app's order.
var tableRights = []string{"read", "create", "update", "delete", "manage"}

// rights are those of a person; nil when the table is not theirs to see.
func (t *tableNode) rights(a *account) map[string]bool {
	if t.owner == a {
		return map[string]bool{"read": true, "create": true, "update": true, "delete": true, "manage": true}
	}
	for _, s := range t.shares {
		if s.receiver == a {
			return s.rights
		}
	}
	return nil
}

// find is a table that a person may read, or nil.
func (s *tableStore) find(a *account, id int) *tableNode {
	for _, t := range s.tables {
		if t.id == id && t.rights(a)["read"] {
			return t
		}
	}
	return nil
}

func (s *tableStore) findView(a *account, id int) (*tableNode, *tableView) {
	for _, t := range s.tables {
		for _, v := range t.views {
			if v.id == id && t.owner == a {
				return t, v
			}
		}
	}
	return nil, nil
}

func (s *tableStore) findRow(a *account, id int) (*tableNode, *tableRow) {
	for _, t := range s.tables {
		for _, r := range t.rows {
			if r.id == id && t.rights(a)["read"] {
				return t, r
			}
		}
	}
	return nil, nil
}

func (s *tableStore) findColumn(a *account, id int) (*tableNode, *tableColumn) {
	for _, t := range s.tables {
		if c := t.column(id); c != nil && t.rights(a)["manage"] {
			return t, c
		}
	}
	return nil, nil
}

func (t *tableNode) column(id int) *tableColumn {
	if i := slices.IndexFunc(t.columns, func(c *tableColumn) bool { return c.id == id }); i >= 0 {
		return t.columns[i]
	}
	return nil
}

func (s *tableStore) create(a *account, title, emoji, description string) *tableNode {
	s.lastTable++
	t := &tableNode{id: s.lastTable, title: title, emoji: emoji, description: description, owner: a, made: s.now(), edited: s.now()}
	s.tables = append(s.tables, t)
	return t
}

func (s *tableStore) addColumn(a *account, t *tableNode, fields map[string]any) *tableColumn {
	s.lastColumn++
	c := &tableColumn{id: s.lastColumn, owner: a, made: s.now(), edited: s.now(), fields: fields}
	t.columns = append(t.columns, c)
	return c
}

func (s *tableStore) addRow(a *account, t *tableNode, cells map[int]any) *tableRow {
	s.lastRow++
	r := &tableRow{id: s.lastRow, maker: a.id, editor: a.id, made: s.now(), edited: s.now(), cells: cells}
	t.rows = append(t.rows, r)
	return r
}

// SampleColumn is a column for AddTable: the fields of the app's API, such as title, type, subtype and selectionOptions.
type SampleColumn map[string]any

// AddTable gives a user a table with columns and rows, whose values are in the order of the columns, nil for an empty
// cell. It answers the table's id, 0 when there is no such user.
func (s *Server) AddTable(userID, title string, columns []SampleColumn, rows ...[]any) int {
	a := s.account(userID)
	if a == nil {
		return 0
	}
	s.tables.mu.Lock()
	defer s.tables.mu.Unlock()
	t := s.tables.create(a, title, "", "")
	for _, c := range columns {
		s.tables.addColumn(a, t, c)
	}
	for _, values := range rows {
		cells := map[int]any{}
		for i, v := range values {
			if v != nil {
				cells[t.columns[i].id] = v
			}
		}
		s.tables.addRow(a, t, cells)
	}
	return t.id
}

func (c *tableColumn) text(name string) string { return phpText(c.fields[name]) }

// kind is the type with its subtype.
func (c *tableColumn) kind() string {
	kind := c.text("type")
	if sub := c.text("subtype"); sub != "" {
		kind += "-" + sub
	}
	return kind
}

// number is a number among the fields; ok is false when there is none.
func (c *tableColumn) number(name string) (n float64, ok bool) {
	switch v := c.fields[name].(type) {
	case json.Number:
		n, err := v.Float64()
		return n, err == nil
	case float64:
		return v, true
	case int:
		return float64(v), true
	}
	return 0, false
}

// options are those of a selection, by id.
func (c *tableColumn) options() []any {
	var list []any
	if json.Unmarshal([]byte(c.text("selectionOptions")), &list) != nil {
		return noData
	}
	return list
}

func (c *tableColumn) hasOption(id int) bool {
	return slices.ContainsFunc(c.options(), func(o any) bool {
		option, _ := o.(map[string]any)
		n, _ := option["id"].(float64)
		return int(n) == id
	})
}

// tablesTime is how the app writes times: in UTC, without saying so.
func tablesTime(t time.Time) string { return t.UTC().Format(time.DateTime) }

func tablesUUID(kind string, id int) string {
	sum := md5Hex(kind + strconv.Itoa(id))
	return fmt.Sprintf("%s-%s-%s-%s-%s", sum[:8], sum[8:12], sum[12:16], sum[16:20], sum[20:32])
}

// ShareTable lets another user have rights to a table: read, create, update, delete, manage.
func (s *Server) ShareTable(table int, userID string, rights ...string) {
	a := s.account(userID)
	s.tables.mu.Lock()
	defer s.tables.mu.Unlock()
	for _, t := range s.tables.tables {
		if t.id == table && a != nil {
			s.tables.lastShare++
			share := &tableShare{id: s.tables.lastShare, receiver: a, rights: map[string]bool{}, made: s.now()}
			for _, right := range rights {
				share.rights[right] = true
			}
			t.shares = append(t.shares, share)
		}
	}
}
