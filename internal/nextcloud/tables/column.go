package tables

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

var errCells = errors.New("has cells that cannot be read")

// The types of columns, as the app names them with their subtype.
const (
	typeLine     = "text-line"
	typeLong     = "text-long"
	typeRich     = "text-rich"
	typeLink     = "text-link"
	typeNumber   = "number"
	typeStars    = "number-stars"
	typeProgress = "number-progress"
	typeSelect   = "selection"
	typeMulti    = "selection-multi"
	typeCheck    = "selection-check"
	typeDateTime = "datetime"
	typeDate     = "datetime-date"
	typeTime     = "datetime-time"
	typePeople   = "usergroup"
)

// Column says what the cells of a column hold.
type Column struct {
	ID          int64    `json:"id"`
	Title       string   `json:"title"`
	Type        string   `json:"type"` // such as text-line, number, selection-multi, datetime-date, usergroup
	Description string   `json:"description,omitempty"`
	Mandatory   bool     `json:"mandatory,omitempty"`
	Options     []string `json:"options,omitempty"` // labels of a selection
	Decimals    int      `json:"decimals,omitempty"`
	Min         *float64 `json:"min,omitempty"`
	Max         *float64 `json:"max,omitempty"`
	Prefix      string   `json:"prefix,omitempty"`
	Suffix      string   `json:"suffix,omitempty"`
	MaxLength   int64    `json:"max_length,omitempty"` // in characters
	Pattern     string   `json:"pattern,omitempty"`
	Unique      bool     `json:"unique,omitempty"`
	Multiple    bool     `json:"multiple,omitempty"` // several people
	Holds       []string `json:"holds,omitempty"`    // user, group, team

	ids []int64 // of the options, in their order
}

type wireColumn struct {
	ID          lenient.Int              `json:"id"`
	Title       lenient.Text             `json:"title"`
	Type        lenient.Text             `json:"type"`
	Subtype     lenient.Text             `json:"subtype"`
	Description lenient.Text             `json:"description"`
	Mandatory   lenient.Bool             `json:"mandatory"`
	Decimals    lenient.Int              `json:"numberDecimals"`
	Min         *lenient.Float           `json:"numberMin"`
	Max         *lenient.Float           `json:"numberMax"`
	Prefix      lenient.Text             `json:"numberPrefix"`
	Suffix      lenient.Text             `json:"numberSuffix"`
	MaxLength   lenient.Int              `json:"textMaxLength"`
	Pattern     lenient.Text             `json:"textAllowedPattern"`
	Unique      lenient.Bool             `json:"textUnique"`
	Options     lenient.List[wireOption] `json:"selectionOptions"`
	Multiple    lenient.Bool             `json:"usergroupMultipleItems"`
	Users       lenient.Bool             `json:"usergroupSelectUsers"`
	Groups      lenient.Bool             `json:"usergroupSelectGroups"`
	Teams       lenient.Bool             `json:"usergroupSelectTeams"`
}

type wireOption struct {
	ID      *lenient.Int `json:"id"`
	Label   lenient.Text `json:"label"`
	Deleted lenient.Bool `json:"deleted"`
}

func (o *wireOption) Check() error {
	if o.ID == nil {
		return lenient.NoID()
	}
	return nil
}

func (c *wireColumn) Check() error {
	if c.Type == "" {
		return errors.New("has no type")
	}
	return checkID(c.ID)
}

func (c *wireColumn) column() Column {
	out := Column{
		ID: int64(c.ID), Title: string(c.Title), Type: string(c.Type), Description: string(c.Description), Mandatory: bool(c.Mandatory),
		Prefix: string(c.Prefix), Suffix: string(c.Suffix), MaxLength: int64(c.MaxLength), Pattern: string(c.Pattern), Unique: bool(c.Unique),
		Multiple: bool(c.Multiple),
	}
	if c.Subtype != "" {
		out.Type += "-" + string(c.Subtype)
	}
	if out.Type == "text" {
		out.Type = typeLine
	}
	if out.Type == typeNumber {
		out.Decimals, out.Min, out.Max = int(c.Decimals), (*float64)(c.Min), (*float64)(c.Max)
	}
	for _, o := range c.Options.Items {
		if !o.Deleted {
			out.Options, out.ids = append(out.Options, string(o.Label)), append(out.ids, int64(*o.ID))
		}
	}
	for word, yes := range map[string]lenient.Bool{"user": c.Users, "group": c.Groups, "team": c.Teams} {
		if yes {
			out.Holds = append(out.Holds, word)
		}
	}
	slices.Sort(out.Holds)
	return out
}

// Columns are the columns of one table or view. They translate between the
// cells that the server stores and values that people name.
type Columns struct {
	List    []Column
	Skipped []lenient.Skipped
	names   map[int64]string
}

func newColumns(wire []wireColumn, skipped []lenient.Skipped) *Columns {
	c := &Columns{List: make([]Column, 0, len(wire)), Skipped: skipped, names: map[int64]string{}}
	titles := map[string]int{}
	for i := range wire {
		column := wire[i].column()
		c.List = append(c.List, column)
		titles[column.Title]++
	}
	sortByID(c.List)
	for _, column := range c.List {
		name := column.Title
		if titles[name] > 1 || name == "" {
			name = strings.TrimSpace(fmt.Sprintf("%s #%d", name, column.ID))
		}
		c.names[column.ID] = name
	}
	return c
}

// Name is what values call a column: its title, with #id where several columns
// have that title or it is not known.
func (c *Columns) Name(id int64) string {
	if name, ok := c.names[id]; ok {
		return name
	}
	return "#" + strconv.FormatInt(id, 10)
}

// Find is the column of a name: a title, an id, #id or "title #id".
func (c *Columns) Find(name string) (*Column, error) {
	var found []*Column
	for _, same := range []func(*Column) bool{
		func(col *Column) bool { return col.Title == name },
		func(col *Column) bool { return c.names[col.ID] == name || "#"+strconv.FormatInt(col.ID, 10) == name },
		func(col *Column) bool { return strconv.FormatInt(col.ID, 10) == name },
		func(col *Column) bool {
			return strings.EqualFold(strings.TrimSpace(col.Title), strings.TrimSpace(name))
		},
	} {
		for i := range c.List {
			if same(&c.List[i]) {
				found = append(found, &c.List[i])
			}
		}
		switch {
		case len(found) == 1:
			return found[0], nil
		case len(found) > 1:
			var names []string
			for _, col := range found {
				names = append(names, strconv.Quote(c.names[col.ID]))
			}
			return nil, fmt.Errorf("several columns are called %q: name one of %s", name, strings.Join(names, ", "))
		}
	}
	var names []string
	for _, col := range c.List {
		names = append(names, strconv.Quote(c.names[col.ID]))
	}
	return nil, fmt.Errorf("there is no column %q: the columns are %s", name, some(names))
}

// some are the first of many words.
func some(words []string) string {
	const most = 30
	if n := len(words); n > most {
		words = append(words[:most:most], fmt.Sprintf("and %d more", n-most))
	}
	return strings.Join(words, ", ")
}

// Cells are values as the server wants them, by column id.
type Cells map[string]any

// Encode checks values, which are named by column, and makes cells of them.
// Numbers are json.Number, and nil empties a cell. complete says that the row
// is new, so that every mandatory column is needed. All that is wrong is said
// at once, with nextcloud.ErrInvalid.
func (c *Columns) Encode(op string, values map[string]any, complete bool) (Cells, error) {
	cells, wrong := Cells{}, []string{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		col, err := c.Find(name)
		if err != nil {
			wrong = append(wrong, err.Error())
			continue
		}
		id := col.Key()
		if _, twice := cells[id]; twice {
			wrong = append(wrong, fmt.Sprintf("column %q is given twice", c.names[col.ID]))
			continue
		}
		cell, err := col.encode(values[name])
		switch {
		case err != nil:
			wrong = append(wrong, fmt.Sprintf("column %q %s", c.names[col.ID], err))
		case col.Mandatory && blank(cell):
			wrong = append(wrong, fmt.Sprintf("column %q must not be empty", c.names[col.ID]))
		}
		cells[id] = cell
	}
	for i := range c.List {
		col := &c.List[i]
		if _, given := cells[col.Key()]; complete && col.Mandatory && !given {
			wrong = append(wrong, fmt.Sprintf("column %q is mandatory", c.names[col.ID]))
		}
	}
	switch {
	case len(wrong) > 0:
		return nil, invalid(op, strings.Join(wrong, "; "))
	case len(cells) == 0:
		return nil, invalid(op, "there is no value: name columns and their values, as in {\"Title\": \"x\"}")
	}
	return cells, nil
}

// blank reports whether a cell holds nothing.
func blank(cell any) bool {
	switch v := cell.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []int64:
		return len(v) == 0
	case []person:
		return len(v) == 0
	}
	return false
}

// Decode are the values of a row by column, empty cells left out.
func (c *Columns) Decode(r *Row) map[string]any {
	out := map[string]any{}
	for _, cell := range r.cells {
		var v any
		if i := slices.IndexFunc(c.List, func(col Column) bool { return col.ID == int64(cell.Column) }); i >= 0 {
			v = c.List[i].decode(cell.Value)
		} else {
			v = raw(cell.Value)
		}
		if v != nil {
			out[c.Name(int64(cell.Column))] = v
		}
	}
	return out
}

// Lost are the columns of cells that were sent with a value and that the
// server, which says nothing of it, did not keep.
func (c *Columns) Lost(sent Cells, r *Row) []string {
	kept := c.Decode(r)
	var lost []string
	for i := range c.List {
		name := c.names[c.List[i].ID]
		cell, given := sent[c.List[i].Key()]
		if _, there := kept[name]; given && !there && !blank(cell) {
			lost = append(lost, name)
		}
	}
	return lost
}

// raw is a JSON value as it is; nil for null and empty ones.
func raw(data json.RawMessage) any {
	switch string(data) {
	case "", "null", `""`, "[]":
		return nil
	}
	return data
}
