package calendar

import (
	"context"
	"net/url"
	"strings"

	"nextcloud-mcp-server/internal/nextcloud"
)

// Export is iCalendar text, or a part of it.
type Export struct {
	CalendarName string `json:"calendar_name"`
	UID          string `json:"uid,omitempty"`
	ICS          string `json:"ics"`
	Chars        int    `json:"total_chars"`
	NextOffset   int    `json:"next_offset,omitempty"` // where the rest begins
}

const (
	exportOp = "export calendar"
	// MaxExport is the most characters of one part.
	MaxExport     = 500_000
	defaultExport = 50_000 // when nothing is said
)

// Export is a calendar, or one event with its whole series, as iCalendar
// text. Parts end at the end of a line.
func (c *Client) Export(ctx context.Context, calendar, uid string, offset, most int) (*Export, error) {
	cal, err := c.Resolve(ctx, exportOp, calendar)
	if err != nil {
		return nil, err
	}
	if most <= 0 {
		most = defaultExport
	}
	if offset < 0 || most > MaxExport {
		return nil, invalidf(exportOp, "offset has to be 0 or more, max_chars at most %d", MaxExport)
	}
	out := &Export{CalendarName: cal.Name, UID: uid}
	var data []byte
	if uid != "" {
		o, err := c.find(ctx, exportOp, cal, "VEVENT", uid)
		if err != nil {
			return nil, err
		}
		data = o.Object.Encode()
	} else {
		res, err := c.nc.Do(ctx, nextcloud.Request{
			Op: exportOp, Path: cal.path, Query: url.Values{"export": {""}}, Header: webcal(true), Accept: "text/calendar", MaxBody: 64 << 20,
		})
		if err != nil {
			return nil, c.explain(ctx, err)
		}
		data = res.Body
		if !strings.HasPrefix(strings.TrimPrefix(string(data[:min(len(data), 64)]), "\ufeff"), "BEGIN:VCALENDAR") {
			return nil, &nextcloud.Error{Op: exportOp, Kind: nextcloud.ErrBadAnswer, Status: res.Status, Message: "the answer is no calendar"}
		}
	}
	text := []rune(strings.ReplaceAll(strings.ToValidUTF8(string(data), "\ufffd"), "\r\n", "\n"))
	out.Chars = len(text)
	rest := text[min(offset, len(text)):]
	if len(rest) > most {
		cut := most
		for cut > 0 && rest[cut-1] != '\n' {
			cut--
		}
		if cut == 0 {
			cut = most
		}
		rest = rest[:cut]
		out.NextOffset = offset + cut
	}
	out.ICS = string(rest)
	return out, nil
}
