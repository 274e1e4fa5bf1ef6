package sharing

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/drift"
)

// recorded is the body of a recorded answer.
func recorded(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "nextcloudtest", "testdata", "recordings", name+".http"))
	if err != nil {
		t.Fatal(err)
	}
	_, answer, _ := strings.Cut(string(text), "\n\nHTTP/1.1 ")
	_, body, ok := strings.Cut(answer, "\n\n")
	if !ok {
		t.Fatalf("%s has no body", name)
	}
	return body
}

// told is an answer that a real Nextcloud 34.0.1 gave beside the recordings.
func told(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

type call func(ctx context.Context, nc *nextcloud.Client) (read, skipped int, err error)

func counted(list *List, err error) (read, skipped int, _ error) {
	if err != nil {
		return 0, 0, err
	}
	return len(list.Shares), len(list.Skipped), nil
}

func one(s any, err error) (read, skipped int, _ error) {
	if err != nil {
		return 0, 0, err
	}
	return 1, 0, nil
}

// TestDrift: other versions of Nextcloud may leave out, retype or add anything.
func TestDrift(t *testing.T) {
	byMe := func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
		return counted(New(nc).ByMe(ctx, "", false))
	}
	created := func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
		return one(New(nc).write(ctx, "create", "POST", "/shares", nil))
	}
	for _, c := range []struct {
		name, answer, items string
		call                call
	}{
		{"user share", recorded(t, "sharing/01-share-user-folder"), "", created},
		{"link", recorded(t, "sharing/02-share-public-link"), "", created},
		{"link with password", recorded(t, "sharing/03-share-public-link-password-expire-json"), "", created},
		{"again", recorded(t, "sharing/07-share-duplicate-returns-existing-200"), "", created},
		{"mail", recorded(t, "sharing/10-share-email"), "", created},
		{"changed permissions", recorded(t, "sharing/15-update-permissions"), "", created},
		{"changed end", recorded(t, "sharing/16-update-expire"), "", created},
		{"changed note", recorded(t, "sharing/17-update-note"), "", created},
		{"all", recorded(t, "sharing/11-list-all"), "ocs/data/", byMe},
		{"of a path", recorded(t, "sharing/12-list-path"), "ocs/data/", byMe},
		{"below", recorded(t, "sharing/13-list-subfiles"), "ocs/data/", byMe},
		{"one", recorded(t, "sharing/14-get-one"), "", func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
			return one(New(nc).Get(ctx, "10"))
		}},
		{"with me", recorded(t, "sharing/19-bob-shared-with-me"), "ocs/data/", func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
			return counted(New(nc).list(ctx, "list", "/shares", nil))
		}},
		{"none pending", recorded(t, "sharing/20-bob-pending"), "", func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
			return counted(New(nc).Pending(ctx))
		}},
		{"pending", told(t, "pending.json"), "ocs/data/", func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
			return counted(New(nc).waiting(ctx, "list", "/shares/pending", Left)) // Left: none is left out
		}},
		{"left", told(t, "left.json"), "ocs/data/", func(ctx context.Context, nc *nextcloud.Client) (int, int, error) { return counted(New(nc).Left(ctx)) }},
		{"recipients", recorded(t, "sharing/22-sharees"), "ocs/data/users/", func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
			found, err := New(nc).Recipients(ctx, "bo", nil, 1, 5)
			if err != nil {
				return 0, 0, err
			}
			return len(found.Recipients), len(found.Skipped), nil
		}},
		{"frequent recipients", recorded(t, "sharing/23-sharees-recommended"), "ocs/data/exact/users/", func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
			found, err := New(nc).Recipients(ctx, "", nil, 1, 5)
			if err != nil {
				return 0, 0, err
			}
			return len(found.Recipients), len(found.Skipped), nil
		}},
		{"settings", recorded(t, "capabilities/01-capabilities-user-json"), "", func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
			return one(New(nc).Policy(ctx))
		}},
		{"deleted", recorded(t, "sharing/27-delete"), "", func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
			return one(nil, New(nc).Delete(ctx, &Share{ID: "10"}))
		}},
	} {
		t.Run(c.name, func(t *testing.T) { drift.Run(t, drift.Exchange{Answer: c.answer, Items: c.items, Call: c.call}) })
	}
}

// TestRecorded reads what is recorded the way it is meant.
func TestRecorded(t *testing.T) {
	var list *List
	drift.Run(t, drift.Exchange{Answer: recorded(t, "sharing/11-list-all"), Items: "ocs/data/", Call: func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
		got, err := New(nc).ByMe(ctx, "", false)
		if list == nil {
			list = got
		}
		return counted(got, err)
	}})
	user, link, locked, mail, card := list.Shares[0], list.Shares[1], list.Shares[2], list.Shares[3], list.Shares[4]
	if user.Kind != User || user.With != "bob" || user.WithName != "Bob Example" || user.Permissions != Read || user.URL != "" || !user.Folder {
		t.Errorf("%+v", user)
	}
	if link.Kind != Link || link.With != "" || link.Password || link.URL != "https://cloud.example/s/o6YB7n7zcozY9sR" || link.Permissions != Read|Reshare {
		t.Errorf("%+v", link)
	}
	if !locked.Password || locked.Expires != "2027-01-01T23:59:59" || locked.Note != "n" || locked.Label != "lab" || locked.With != "" {
		t.Errorf("%+v", locked)
	}
	if mail.Kind != Mail || mail.With != "ext@example.org" || !strings.HasSuffix(mail.URL, "/s/bZ34Np8jakfbMnD") || mail.Password {
		t.Errorf("%+v", mail)
	}
	if card.Kind.String() != "deck card" || card.With != "4" {
		t.Errorf("%+v", card)
	}
}
