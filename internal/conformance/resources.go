package main

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const watched = "test://watched-resource"

func addResources(s *mcp.Server) {
	addResource := func(uri, name, mime string, content mcp.ResourceContents) {
		content.URI, content.MIMEType = uri, mime
		s.AddResource(&mcp.Resource{URI: uri, Name: name, MIMEType: mime, Description: "a fixture"},
			func(context.Context, *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
				return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{&content}}, nil
			})
	}
	addResource("test://static-text", "static-text", "text/plain", mcp.ResourceContents{Text: "the text"})
	addResource("test://static-binary", "static-binary", "image/png", mcp.ResourceContents{Blob: pixel})
	addResource(watched, "watched-resource", "text/plain", mcp.ResourceContents{Text: "the watched text"})

	const before, after = "test://template/", "/data"
	s.AddResourceTemplate(&mcp.ResourceTemplate{
		URITemplate: before + "{id}" + after, Name: "template", MIMEType: "application/json", Description: "a fixture",
	}, func(_ context.Context, req *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		id := strings.TrimSuffix(strings.TrimPrefix(req.Params.URI, before), after)
		body, err := json.Marshal(object{"id": id, "templateTest": true, "data": "data of " + id})
		if err != nil {
			return nil, err
		}
		return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{
			{URI: req.Params.URI, MIMEType: "application/json", Text: string(body)},
		}}, nil
	})
}

// updateWatched says every now and then that the watched resource changed.
func updateWatched(ctx context.Context, s *mcp.Server) {
	for pause(ctx, 3*time.Second) == nil {
		if err := s.ResourceUpdated(ctx, &mcp.ResourceUpdatedNotificationParams{URI: watched}); err != nil {
			return
		}
	}
}
