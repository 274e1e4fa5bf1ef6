package drift_test

import (
	"context"
	"slices"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/drift"
	"nextcloud-mcp-server/internal/nextcloud/lenient"
)

func TestMutations(t *testing.T) {
	var names []string
	for name, doc := range drift.Mutations([]byte(`{"a":[{"id":1}],"b":"x"}`)) {
		if string(doc) == `{"a":[{"id":1}],"b":"x"}` {
			t.Errorf("%s changes nothing", name)
		}
		names = append(names, name)
	}
	for _, want := range []string{"a dropped", "a/0/id as a string", "a/0/id dropped", "a as an object of its items", "b as false", " extra", "a/0/ extra", "a/0 null"} {
		if !slices.Contains(names, want) {
			t.Errorf("no %q among %q", want, names)
		}
	}
}

type thing struct {
	ID   lenient.Int  `json:"id"`
	Name lenient.Text `json:"name"`
}

func (t *thing) Check() error {
	if t.ID == 0 {
		return lenient.NoID()
	}
	return nil
}

func TestRun(t *testing.T) {
	drift.Run(t, drift.Exchange{
		Answer: `{"ocs":{"meta":{"status":"ok","statuscode":200,"message":"OK"},"data":[{"id":1,"name":"a"},{"id":"2","name":"b"}]}}`,
		Items:  "ocs/data/",
		Call: func(ctx context.Context, nc *nextcloud.Client) (read, skipped int, err error) {
			var list lenient.List[thing]
			err = nc.OCS(ctx, nextcloud.Request{Op: "list things", Path: "/ocs/v2.php/things"}, &list)
			return len(list.Items), len(list.Skipped), err
		},
	})
}
