package main

import (
	"context"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func says(content ...mcp.Content) *mcp.GetPromptResult {
	res := &mcp.GetPromptResult{Description: "a fixture"}
	for _, c := range content {
		res.Messages = append(res.Messages, &mcp.PromptMessage{Role: "user", Content: c})
	}
	return res
}

// prompt answers the same messages every time.
func prompt(content ...mcp.Content) mcp.PromptHandler {
	return func(context.Context, *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		return says(content...), nil
	}
}

func addPrompts(s *mcp.Server) {
	required := func(names ...string) []*mcp.PromptArgument {
		args := make([]*mcp.PromptArgument, len(names))
		for i, n := range names {
			args[i] = &mcp.PromptArgument{Name: n, Description: "an argument", Required: true}
		}
		return args
	}
	s.AddPrompt(&mcp.Prompt{Name: "test_simple_prompt", Description: "no arguments"},
		prompt(&mcp.TextContent{Text: "This is a simple prompt for testing."}))
	s.AddPrompt(&mcp.Prompt{Name: "test_prompt_with_image", Description: "an image"},
		prompt(&mcp.ImageContent{Data: pixel, MIMEType: "image/png"}, &mcp.TextContent{Text: "Look at the image."}))
	s.AddPrompt(&mcp.Prompt{Name: "test_prompt_with_arguments", Description: "two arguments", Arguments: required("arg1", "arg2")},
		func(_ context.Context, req *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			a := req.Params.Arguments
			return says(&mcp.TextContent{Text: fmt.Sprintf("arg1='%s', arg2='%s'", a["arg1"], a["arg2"])}), nil
		})
	s.AddPrompt(&mcp.Prompt{Name: "test_prompt_with_embedded_resource", Description: "a resource", Arguments: required("resourceUri")},
		func(_ context.Context, req *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			return says(embedded(req.Params.Arguments["resourceUri"]), &mcp.TextContent{Text: "Look at the resource."}), nil
		})
	s.AddPrompt(&mcp.Prompt{Name: "test_input_required_result_prompt", Description: "asks for more input"},
		func(_ context.Context, req *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			if v, ok := accepted(req.Params.InputResponses, "user_context", "context"); ok {
				return says(&mcp.TextContent{Text: fmt.Sprintf("Context: %v", v)}), nil
			}
			return &mcp.GetPromptResult{InputRequests: mcp.InputRequestMap{
				"user_context": askFor("What is it about?", "context", "string"),
			}}, nil
		})
}
