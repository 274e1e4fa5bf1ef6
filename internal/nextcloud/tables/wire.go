package tables

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

// Table is a table as lists show it.
type Table struct {
	ID          int64    `json:"id"`
	Title       string   `json:"title"`
	Emoji       string   `json:"emoji,omitempty"`
	Description string   `json:"description,omitempty"`
	Owner       string   `json:"owner,omitempty"`
	Rows        int64    `json:"rows"`
	Columns     int64    `json:"columns"`
	Archived    bool     `json:"archived,omitempty"`
	May         []string `json:"may,omitempty"` // of a table that somebody else shares: read, create, update, delete, manage
	Views       []View   `json:"views,omitempty"`
	URL         string   `json:"url,omitempty"`
}

// View is a filtered and sorted look at a table.
type View struct {
	ID          int64    `json:"id"`
	Title       string   `json:"title"`
	Emoji       string   `json:"emoji,omitempty"`
	Description string   `json:"description,omitempty"`
	Rows        int64    `json:"rows"`
	Filters     [][]Rule `json:"-"` // any of them, each all of its rules
	Sort        []Order  `json:"-"`
}

// Rule is one condition of a view.
type Rule struct {
	Column   int64
	Operator string
	Value    string
}

// Order is one column that a view sorts by.
type Order struct {
	Column     int64
	Descending bool
}

// Row is one row with its cells as the server stores them; see Columns.Decode.
type Row struct {
	ID        int64
	Table     int64
	CreatedBy string
	CreatedAt string // RFC 3339
	EditedBy  string
	EditedAt  string // RFC 3339
	cells     []wireCell
}

type wireTable struct {
	ID          lenient.Int                  `json:"id"`
	Title       lenient.Text                 `json:"title"`
	Emoji       lenient.Text                 `json:"emoji"`
	Description lenient.Text                 `json:"description"`
	Owner       lenient.Text                 `json:"ownership"`
	Archived    lenient.Bool                 `json:"archived"`
	Shared      lenient.Bool                 `json:"isShared"`
	Rows        lenient.Int                  `json:"rowsCount"`
	Columns     lenient.Int                  `json:"columnsCount"`
	May         lenient.Object[lenient.Bool] `json:"onSharePermissions"`
	Views       lenient.List[wireView]       `json:"views"`
}

func (t *wireTable) Check() error { return checkID(t.ID) }

type wireView struct {
	ID          lenient.Int                          `json:"id"`
	Title       lenient.Text                         `json:"title"`
	Emoji       lenient.Text                         `json:"emoji"`
	Description lenient.Text                         `json:"description"`
	Rows        lenient.Int                          `json:"rowsCount"`
	Filters     lenient.List[lenient.List[wireRule]] `json:"filter"`
	Sort        lenient.List[wireOrder]              `json:"sort"`
}

func (v *wireView) Check() error { return checkID(v.ID) }

type wireRule struct {
	Column   lenient.Int     `json:"columnId"`
	Operator lenient.Text    `json:"operator"`
	Value    json.RawMessage `json:"value"`
}

type wireOrder struct {
	Column lenient.Int  `json:"columnId"`
	Mode   lenient.Text `json:"mode"`
}

type wireRow struct {
	ID        lenient.Int            `json:"id"`
	Table     lenient.Int            `json:"tableId"`
	CreatedBy lenient.Text           `json:"createdBy"`
	CreatedAt lenient.Text           `json:"createdAt"`
	EditedBy  lenient.Text           `json:"lastEditBy"`
	EditedAt  lenient.Text           `json:"lastEditAt"`
	Cells     lenient.List[wireCell] `json:"data"`
}

// Check wants every cell: a row that lacks one would look as if it were empty.
func (r *wireRow) Check() error {
	if len(r.Cells.Skipped) > 0 {
		return errCells
	}
	return checkID(r.ID)
}

type wireCell struct {
	Column lenient.Int     `json:"columnId"`
	Value  json.RawMessage `json:"value"`
}

func (c *wireCell) Check() error { return checkID(c.Column) }

func checkID(id lenient.Int) error {
	if id <= 0 {
		return lenient.NoID()
	}
	return nil
}

func (r *wireRow) row() Row {
	return Row{
		ID: int64(r.ID), Table: int64(r.Table), CreatedBy: string(r.CreatedBy), CreatedAt: moment(r.CreatedAt),
		EditedBy: string(r.EditedBy), EditedAt: moment(r.EditedAt), cells: r.Cells.Items,
	}
}

// moment is a time of the server, which it writes in UTC without saying so.
func moment(text lenient.Text) string {
	t, err := time.Parse(time.DateTime, string(text))
	if err != nil {
		return string(text)
	}
	return t.Format(time.RFC3339)
}

func (c *Client) table(w *wireTable) Table {
	t := Table{
		ID: int64(w.ID), Title: string(w.Title), Emoji: string(w.Emoji), Description: string(w.Description), Owner: string(w.Owner),
		Rows: int64(w.Rows), Columns: int64(w.Columns), Archived: bool(w.Archived),
		URL: c.nc.Host().PublicURL("/index.php/apps/tables/#/table/" + strconv.FormatInt(int64(w.ID), 10)),
	}
	if w.Shared {
		for _, right := range []string{"read", "create", "update", "delete", "manage"} {
			if w.May[right] {
				t.May = append(t.May, right)
			}
		}
	}
	for i := range w.Views.Items {
		t.Views = append(t.Views, w.Views.Items[i].view())
	}
	return t
}

func (v *wireView) view() View {
	out := View{ID: int64(v.ID), Title: string(v.Title), Emoji: string(v.Emoji), Description: string(v.Description), Rows: int64(v.Rows)}
	for _, group := range v.Filters.Items {
		var rules []Rule
		for _, r := range group.Items {
			rules = append(rules, Rule{int64(r.Column), string(r.Operator), plainText(r.Value)})
		}
		out.Filters = append(out.Filters, rules)
	}
	for _, o := range v.Sort.Items {
		out.Sort = append(out.Sort, Order{int64(o.Column), string(o.Mode) == "DESC"})
	}
	return out
}

// plainText is a JSON value without the quotes of a string.
func plainText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

func sortByID(columns []Column) {
	slices.SortFunc(columns, func(a, b Column) int { return int(a.ID - b.ID) })
}
