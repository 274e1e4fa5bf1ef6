// Package ical edits iCalendar objects (RFC 5545) in place and without loss:
// an object is kept as the content lines that came from the server, in their
// order, and only the lines that an edit names are written anew. Unknown
// properties, parameters and components, duplicates, and the order of all of
// them survive. On top of that it reads values (text, times, durations),
// resolves and writes time zones, and expands recurrence sets within bounds.
//
// It is separate from package calendar because it knows nothing of servers.
// The go-ical library is not used: it keeps properties and parameters in maps,
// so their order is lost, and refuses lines that real calendars contain.
package ical
