// Package calendar is the typed client of Nextcloud's calendars over CalDAV
// (RFC 4791): it lists and finds events, expands recurring ones in their own
// zone, and changes them in place with conditional writes, so that nothing
// that another program wrote is lost. Tasks are calendar objects in calendar
// collections as well, and have a client of their own on the same ground.
// Editing of iCalendar itself is in package
// ical below, which knows nothing of servers.
package calendar
