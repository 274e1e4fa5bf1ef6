package calendar

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// The views of tasks.
const (
	ViewOpen      = "open"      // what is to be done
	ViewToday     = "today"     // open and due or begun today or before
	ViewOverdue   = "overdue"   // open and its due time has passed
	ViewUpcoming  = "upcoming"  // open, not overdue, due in the next days
	ViewNoDate    = "no_date"   // open, without start and due
	ViewCompleted = "completed" // done
	ViewAll       = "all"
)

// The orders of tasks.
const (
	SortDue       = "due"      // then by priority; without due last
	SortPriority  = "priority" // then by due
	SortCreated   = "created"  // newest first
	SortManual    = "manual"   // as the person arranged them
	SortTitle     = "title"
	SortCompleted = "completed" // last first
)

// TaskQuery says which tasks to list. Its zero value is all that is open, by
// due time.
type TaskQuery struct {
	Calendar   string // name or display name; empty for all task lists
	View       string
	Days       int    // of ViewUpcoming; default 7
	DueFrom    string // date or time
	DueUntil   string // the same, inclusive
	TimeZone   string // IANA name; default the person's
	Status     string
	Priority   string // this high or higher: high, medium, low, or 1 to 9
	Categories string // comma-separated, any of them
	Title      string // text in the title
	Text       string // text in title, notes or location
	Sort       string
	Limit      int // default 50, at most MaxLimit
	Cursor     string
}

// filter is what a task has to pass; it completes the query with what it
// leaves out.
func (q *TaskQuery) filter(at clock, now time.Time) (func(*listedTask) bool, error) {
	status := strings.ToUpper(strings.TrimSpace(q.Status))
	if q.View == "" {
		q.View = ViewOpen
		if closed(status) {
			q.View = ViewAll
		}
	}
	if q.Days < 0 || q.Days > maxDays {
		return nil, invalidf(listTasksOp, "days has to be from 1 to %d", maxDays)
	}
	view, err := q.view(at, now)
	if err != nil {
		return nil, err
	}
	within, err := q.within(at)
	if err != nil {
		return nil, err
	}
	priority, err := readPriority(listTasksOp, q.Priority)
	if err != nil {
		return nil, err
	}
	if word := priorityWord(priority); priority > 0 && word != "" && !strings.ContainsAny(q.Priority, "123456789") {
		priority = map[string]int{"high": 4, "medium": 5, "low": 9}[word] // the word means all of its numbers
	}
	var wanted []string
	for c := range strings.SplitSeq(q.Categories, ",") {
		if c = strings.ToLower(strings.TrimSpace(c)); c != "" {
			wanted = append(wanted, c)
		}
	}
	title, words := strings.ToLower(q.Title), strings.ToLower(q.Text)
	return func(l *listedTask) bool {
		if !view(l) || !within(l) || (status != "" && l.Status != status) || (priority > 0 && (l.Priority == 0 || l.Priority > priority)) {
			return false
		}
		if len(wanted) > 0 && !slices.ContainsFunc(l.Categories, func(c string) bool { return slices.Contains(wanted, strings.ToLower(c)) }) {
			return false
		}
		return strings.Contains(strings.ToLower(l.Title), title) &&
			strings.Contains(strings.ToLower(l.Title+"\n"+l.Description+"\n"+l.Location), words)
	}, nil
}

func (q *TaskQuery) view(at clock, now time.Time) (func(*listedTask) bool, error) {
	here := now.In(at.loc)
	tomorrow := time.Date(here.Year(), here.Month(), here.Day()+1, 0, 0, 0, 0, at.loc)
	before := func(m, end time.Time) bool { return !m.IsZero() && m.Before(end) }
	days := cmp.Or(q.Days, 7)
	until := time.Date(here.Year(), here.Month(), here.Day()+days+1, 0, 0, 0, 0, at.loc)
	open := func(l *listedTask) bool { return !closed(l.Status) }
	switch q.View {
	case ViewOpen:
		return open, nil
	case ViewToday:
		return func(l *listedTask) bool {
			return open(l) && (before(l.due, tomorrow) || before(l.start, tomorrow))
		}, nil
	case ViewOverdue:
		return func(l *listedTask) bool { return l.Overdue }, nil
	case ViewUpcoming:
		return func(l *listedTask) bool { return open(l) && !l.Overdue && before(l.due, until) }, nil
	case ViewNoDate:
		return func(l *listedTask) bool { return open(l) && l.due.IsZero() && l.start.IsZero() }, nil
	case ViewCompleted:
		return func(l *listedTask) bool { return l.Status == statusDone }, nil
	case ViewAll:
		return func(*listedTask) bool { return true }, nil
	}
	return nil, invalidf(listTasksOp, "view has to be one of open, today, overdue, upcoming, no_date, completed, all")
}

// within is the part of the due times that is asked for.
func (q *TaskQuery) within(at clock) (func(*listedTask) bool, error) {
	var from, to time.Time
	if q.DueFrom != "" {
		w, err := parseWhen(listTasksOp, "due_from", q.DueFrom)
		if err != nil {
			return nil, err
		}
		from = at.instant(w)
	}
	if q.DueUntil != "" {
		w, err := parseWhen(listTasksOp, "due_until", q.DueUntil)
		if err != nil {
			return nil, err
		}
		if w.day {
			w.wall = w.wall.AddDate(0, 0, 1)
			to = at.instant(w).Add(-time.Second)
		} else {
			to = at.instant(w)
		}
	}
	return func(l *listedTask) bool {
		if l.due.IsZero() {
			return from.IsZero() && to.IsZero()
		}
		return !l.due.Before(from) && (to.IsZero() || !l.due.After(to))
	}, nil
}

// order compares by what the query asks for.
func (q *TaskQuery) order() (func(a, b *listedTask) int, error) {
	// What is missing comes last.
	soon := func(a, b time.Time) int {
		if a.IsZero() != b.IsZero() {
			return cmp.Compare(bit(a.IsZero()), bit(b.IsZero()))
		}
		return a.Compare(b)
	}
	urgent := func(a, b *listedTask) int {
		return cmp.Compare((a.Priority+9)%10, (b.Priority+9)%10) // 0 is none, and comes last
	}
	title := func(a, b *listedTask) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Title), strings.ToLower(b.Title)), cmp.Compare(a.path, b.path))
	}
	if q.Sort == "" {
		q.Sort = SortDue
		if q.View == ViewCompleted {
			q.Sort = SortCompleted
		}
	}
	switch q.Sort {
	case SortDue:
		return func(a, b *listedTask) int { return cmp.Or(soon(a.due, b.due), urgent(a, b), title(a, b)) }, nil
	case SortPriority:
		return func(a, b *listedTask) int { return cmp.Or(urgent(a, b), soon(a.due, b.due), title(a, b)) }, nil
	case SortCreated:
		return func(a, b *listedTask) int { return cmp.Or(b.created.Compare(a.created), title(a, b)) }, nil
	case SortCompleted:
		return func(a, b *listedTask) int { return cmp.Or(b.done.Compare(a.done), title(a, b)) }, nil
	case SortManual:
		return func(a, b *listedTask) int {
			return cmp.Or(cmp.Compare(a.CalendarName, b.CalendarName), cmp.Compare(a.order, b.order), title(a, b))
		}, nil
	case SortTitle:
		return title, nil
	}
	return nil, invalidf(listTasksOp, "sort has to be one of due, priority, created, manual, title, completed")
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
