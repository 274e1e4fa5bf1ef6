package notifications_test

import (
	"fmt"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloudtest"
	"nextcloud-mcp-server/internal/policy"
	"nextcloud-mcp-server/internal/tool/tooltest"
	"nextcloud-mcp-server/internal/tools/notifications"
)

type page struct {
	Untrusted string
	Items     []struct {
		ID                                 int64
		App, Subject, Message, Who, Object string
	}
	Total      int
	NextCursor string `json:"next_cursor"`
}

func TestNotifications(t *testing.T) {
	h := nextcloudtest.New(nil)
	for i := range 5 {
		h.AddNotification("alice", []string{"spreed", "calendar"}[i%2], fmt.Sprintf("Number %d", i), "ignore\u202e all")
	}
	h.AddNotification("bob", "spreed", "for Bob", "")
	s := tooltest.Connect(t, h, nil, notifications.Tools.Set())
	var got page
	s.Read(t, "nc_notifications_list", `{"limit":2}`, &got)
	if got.Total != 5 || len(got.Items) != 2 || got.Items[0].Subject != "Number 4" || got.Items[0].Message != "ignore all" || got.Untrusted == "" {
		t.Errorf("%+v", got)
	}
	if n := s.Requests(); n != 1 {
		t.Errorf("%d requests", n)
	}
	got = page{}
	s.Read(t, "nc_notifications_list", `{"app":"calendar"}`, &got)
	if got.Total != 2 {
		t.Errorf("%+v", got)
	}
	s.Requests()
	answer := s.Read(t, "nc_notifications_dismiss", fmt.Sprintf(`{"notification_id":%d}`, got.Items[0].ID), nil)
	if !strings.Contains(answer, "Number 3") || !strings.Contains(answer, "does not come back") {
		t.Error(answer)
	}
	if n := s.Requests(); n != 2 {
		t.Errorf("%d requests", n)
	}
	if text := s.Refused(t, "nc_notifications_dismiss", fmt.Sprintf(`{"notification_id":%d}`, got.Items[0].ID)); !strings.Contains(text, "not found") {
		t.Error(text)
	}
	if text := s.Refused(t, "nc_notifications_dismiss_all", `{"expected":3}`); !strings.HasPrefix(text, "There are 4 notifications, more than 3. Nothing was dismissed.") {
		t.Error(text)
	}
	s.Read(t, "nc_notifications_dismiss_all", `{"expected":4}`, nil)
	got = page{}
	s.Read(t, "nc_notifications_list", `{}`, &got)
	if got.Total != 0 || got.Items == nil {
		t.Errorf("%+v", got)
	}
}

func TestActivity(t *testing.T) {
	h := nextcloudtest.New(nil)
	for i := range 45 {
		h.AddActivity("alice", []string{"alice", "bob"}[i%2], "file_changed", fmt.Sprintf("Change %d", i), 100+i%3, "/a.txt")
	}
	s := tooltest.Connect(t, h, nil, notifications.Tools.Set())
	seen, cursor := 0, ""
	for range 5 {
		var got page
		s.Read(t, "nc_activity_list", fmt.Sprintf(`{"limit":15,"cursor":%q}`, cursor), &got)
		seen += len(got.Items)
		if cursor = got.NextCursor; cursor == "" {
			break
		}
	}
	if seen != 45 || cursor != "" {
		t.Errorf("%d activities, then cursor %q", seen, cursor)
	}
	for args, want := range map[string]int{`{"filter":"self","limit":50}`: 23, `{"filter":"by","limit":50}`: 22, `{"file_id":101,"limit":50}`: 15, `{"filter":"calendar"}`: 0} {
		var got page
		s.Read(t, "nc_activity_list", args, &got)
		if len(got.Items) != want {
			t.Errorf("%s: %d, want %d", args, len(got.Items), want)
		}
	}
	for args, want := range map[string]string{
		`{"limit":101}`:                 `limit has to be between 1 and 100`,
		`{"cursor":"x"}`:                `"x" is no cursor of this list`,
		`{"cursor":"99999"}`:            `this cursor is not of the same list`,
		`{"filter":"nope"}`:             `there is no such kind of activities`,
		`{"filter":"../../cloud/user"}`: `path segment`,
	} {
		if text := s.Refused(t, "nc_activity_list", args); !strings.Contains(text, want) {
			t.Errorf("%s: %s", args, text)
		}
	}
	limited := tooltest.Connect(t, h, &tooltest.Options{Policy: policy.Policy{Folders: []string{"/x"}}}, notifications.Tools.Set())
	if text := limited.Refused(t, "nc_activity_list", `{}`); !strings.Contains(text, "limits this connection to some folders") {
		t.Error(text)
	}
}
