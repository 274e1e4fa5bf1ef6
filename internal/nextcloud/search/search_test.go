package search_test

import (
	"context"
	"testing"

	"nextcloud-mcp-server/internal/nextcloud"
	"nextcloud-mcp-server/internal/nextcloud/drift"
	"nextcloud-mcp-server/internal/nextcloud/search"
)

func TestDrift(t *testing.T) {
	const head = `{"ocs":{"meta":{"status":"ok","statuscode":200,"message":"OK"},"data":`
	t.Run("providers", func(t *testing.T) {
		drift.Run(t, drift.Exchange{
			Answer: head + `[{"id":"files","appId":"files","name":"Files","icon":"/x.svg","order":5,"isExternalProvider":false,"triggers":["files"],"filters":{"term":"string","since":"datetime"},"inAppSearch":false},{"id":"notes","appId":"notes","name":"Notes","icon":"","order":4,"isExternalProvider":false,"triggers":[],"filters":{"term":"string"},"inAppSearch":false}]}}`,
			Call: func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
				list, err := search.New(nc).Providers(ctx)
				return len(list), 0, err
			},
		})
	})
	t.Run("results", func(t *testing.T) {
		drift.Run(t, drift.Exchange{
			Answer: head + `{"name":"Files","isPaginated":true,"entries":[{"thumbnailUrl":"http://127.0.0.1:8080/core/preview?x=32","title":"searchme.txt","subline":"","resourceUrl":"http://127.0.0.1:8080/f/286","icon":"/text.svg","rounded":false,"attributes":{"fileId":"286","path":"/searchme.txt"}},{"thumbnailUrl":"","title":"other","subline":"in x","resourceUrl":"/f/7","icon":"","rounded":false,"attributes":[]}],"cursor":3}}}`,
			Items:  "ocs/data/entries/",
			Call: func(ctx context.Context, nc *nextcloud.Client) (int, int, error) {
				page, err := search.New(nc).Search(ctx, search.Provider{ID: "files"}, search.Query{Term: "x"})
				if err != nil {
					return 0, 0, err
				}
				return len(page.Entries), len(page.Skipped), nil
			},
		})
	})
}
