package tables

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
)

// Types are the types of columns that can be made, in the order to show.
var Types = []string{
	typeLine, typeRich, typeLink, typeNumber, typeStars, typeProgress, typeSelect, typeMulti, typeCheck, typeDateTime, typeDate, typeTime, typePeople,
}

// Draft is a column to be made. What does not belong to its type is refused.
type Draft struct {
	Title       string
	Type        string // one of Types
	Description string
	Mandatory   bool
	Options     []string // of a selection, in their order
	Decimals    int      // of a number
	Min, Max    *float64 // of a number
	Prefix      string   // of a number
	Suffix      string   // of a number
	MaxLength   int64    // of a text-line, in characters; 0 for no bound
	Multiple    bool     // several people
	Holds       []string // user, group, team; empty for users
}

// Check says what is wrong with a draft; nil when nothing is.
func (d *Draft) Check() error {
	selection := d.Type == typeSelect || d.Type == typeMulti
	problem := ""
	switch {
	case strings.TrimSpace(d.Title) == "":
		problem = "it needs a title"
	case !slices.Contains(Types, d.Type):
		problem = fmt.Sprintf("there is no type %q, take one of %s", short(d.Type), strings.Join(Types, ", "))
	case selection && len(d.Options) == 0:
		problem = "a selection needs options"
	case !selection && len(d.Options) > 0:
		problem = "only a selection has options"
	case d.Type != typeNumber && (d.Decimals != 0 || d.Min != nil || d.Max != nil || d.Prefix != "" || d.Suffix != ""):
		problem = "only a number has decimals, min, max, prefix or suffix"
	case d.Decimals < 0 || d.Decimals > 10:
		problem = "decimals have to be between 0 and 10"
	case d.Min != nil && d.Max != nil && *d.Min > *d.Max:
		problem = "min is above max"
	case d.MaxLength != 0 && d.Type != typeLine || d.MaxLength < 0:
		problem = "only a text-line has a max_length, from 1"
	case d.Type != typePeople && (d.Multiple || len(d.Holds) > 0):
		problem = "only a usergroup holds people"
	}
	for i, o := range d.Options {
		if strings.TrimSpace(o) == "" || slices.Contains(d.Options[:i], o) {
			problem = fmt.Sprintf("the option %q is empty or there twice", o)
		}
	}
	for _, kind := range d.Holds {
		if !slices.Contains(kinds, kind) {
			problem = "people are user, group or team"
		}
	}
	if problem != "" {
		return invalid(fmt.Sprintf("make column %q", short(d.Title)), problem)
	}
	return nil
}

// CreateColumn adds a column to a table.
func (c *Client) CreateColumn(ctx context.Context, table int64, d Draft) (*Column, error) {
	if err := d.Check(); err != nil {
		return nil, err
	}
	kind, subtype, _ := strings.Cut(d.Type, "-")
	body := map[string]any{"title": d.Title, "type": kind, "subtype": subtype, "mandatory": d.Mandatory, "description": d.Description}
	switch kind {
	case "number":
		if d.Type == typeNumber {
			body["numberDecimals"], body["numberMin"], body["numberMax"] = d.Decimals, d.Min, d.Max
			body["numberPrefix"], body["numberSuffix"] = d.Prefix, d.Suffix
		}
	case "selection":
		options := make([]map[string]any, len(d.Options))
		for i, label := range d.Options {
			options[i] = map[string]any{"id": i, "label": label}
		}
		if subtype != "check" {
			// Nextcloud: the list is a text inside of the JSON.
			body["selectionOptions"] = string(nextcloud.JSONBody(options))
		}
	case "usergroup":
		holds := d.Holds
		if len(holds) == 0 {
			holds = kinds[:1]
		}
		body["usergroupMultipleItems"] = d.Multiple
		body["usergroupSelectUsers"] = slices.Contains(holds, "user")
		body["usergroupSelectGroups"] = slices.Contains(holds, "group")
		body["usergroupSelectTeams"] = slices.Contains(holds, "team")
	case "text":
		if d.MaxLength > 0 {
			body["textMaxLength"] = d.MaxLength
		}
	}
	var w wireColumn
	err := c.one(ctx, nextcloud.Request{
		Op: fmt.Sprintf("make column %q", short(d.Title)), Method: http.MethodPost, Path: tablePath(table) + "/columns",
		Body: nextcloud.JSONBody(body), Type: "application/json",
	}, &w)
	if err != nil {
		return nil, err
	}
	column := w.column()
	return &column, nil
}

// Key is what cells call the column.
func (c *Column) Key() string { return strconv.FormatInt(c.ID, 10) }
