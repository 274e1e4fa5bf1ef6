// Package tasks declares the tools of tasks, which Nextcloud's Tasks app shows.
// They have scopes of their own, so that an assistant can be given the tasks
// without the calendars; below, both are CalDAV and share one client.
package tasks

import (
	"fmt"
	"time"

	api "nextcloud-mcp-server/internal/nextcloud/calendar"
	"nextcloud-mcp-server/internal/tool"
)

// Tools is the Tasks area.
var Tools = tool.Group[*api.Tasks]{
	Name: "tasks", Title: "Tasks", Client: api.NewTasks,
	Tools: []tool.Of[*api.Tasks]{
		list, search, get, create, update, completeTask, reopen, remove, restore, move, clearCompleted,
		listLists, createList, updateList, removeList, restoreList,
	},
}

// View is which tasks a listing shows.
type View string

// Values are the views.
func (View) Values() []string {
	return []string{api.ViewOpen, api.ViewToday, api.ViewOverdue, api.ViewUpcoming, api.ViewNoDate, api.ViewCompleted, api.ViewAll}
}

// Sort is the order of a listing.
type Sort string

// Values are the orders.
func (Sort) Values() []string {
	return []string{api.SortDue, api.SortPriority, api.SortCreated, api.SortManual, api.SortTitle, api.SortCompleted}
}

// Status is the status of a task.
type Status string

// Values are the statuses of RFC 5545, 3.8.1.11.
func (Status) Values() []string {
	return []string{"NEEDS-ACTION", "IN-PROCESS", "COMPLETED", "CANCELLED"}
}

// keeping is how long the trash keeps something.
func keeping(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return fmt.Sprintf(" within %d days", int(d/(24*time.Hour)))
}
