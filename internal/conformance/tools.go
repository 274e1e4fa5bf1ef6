package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type (
	call   = *mcp.CallToolRequest
	result = *mcp.CallToolResult
	work   = func(ctx context.Context, req call) (result, error)
)

// add registers a fixture that takes any arguments.
func add(s *mcp.Server, name, description string, do work) {
	addWithSchema(s, name, description, `{"type":"object"}`, do)
}

func addWithSchema(s *mcp.Server, name, description, schema string, do work) {
	s.AddTool(&mcp.Tool{Name: name, Description: description, InputSchema: json.RawMessage(schema)},
		func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			res, err := do(ctx, req)
			var wire *jsonrpc.Error
			if err != nil && !errors.As(err, &wire) {
				res = &mcp.CallToolResult{}
				res.SetError(err)
				return res, nil
			}
			return res, err
		})
}

// always is a fixture that answers the same content every time.
func always(content ...mcp.Content) work {
	return func(context.Context, call) (result, error) {
		return &mcp.CallToolResult{Content: content}, nil
	}
}

func text(format string, args ...any) result {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: fmt.Sprintf(format, args...)}}}
}

// argument is one string argument of a call.
func argument(req call, name string) string {
	var args map[string]any
	if json.Unmarshal(req.Params.Arguments, &args) != nil {
		return ""
	}
	s, _ := args[name].(string)
	return s
}

// pixel is a PNG of one red pixel, silence a WAV without samples.
var (
	pixel   = decoded("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==")
	silence = decoded("UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=")
)

func decoded(s string) []byte {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func embedded(uri string) *mcp.EmbeddedResource {
	return &mcp.EmbeddedResource{Resource: &mcp.ResourceContents{URI: uri, MIMEType: "text/plain", Text: "embedded text"}}
}

// schema2020 uses what JSON Schema 2020-12 has beyond older drafts; the suite
// looks whether it arrives unchanged.
const schema2020 = `{
	"$schema": "https://json-schema.org/draft/2020-12/schema",
	"type": "object",
	"$defs": {"address": {"$anchor": "addressDef", "type": "object", "properties": {"street": {"type": "string"}, "city": {"type": "string"}}}},
	"properties": {
		"name": {"type": "string"}, "address": {"$ref": "#/$defs/address"},
		"contactMethod": {"type": "string", "enum": ["phone", "email"]}, "phone": {"type": "string"}, "email": {"type": "string"}
	},
	"allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
	"if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
	"then": {"required": ["phone"]},
	"else": {"required": ["email"]},
	"additionalProperties": false
}`

const headerSchema = `{"type": "object", "properties": {
	"region": {"type": "string", "description": "sent in a header too", "x-mcp-header": "Region"},
	"level": {"type": "integer", "description": "sent in the body only"}
}}`

func addTools(s *mcp.Server) {
	image := &mcp.ImageContent{Data: pixel, MIMEType: "image/png"}
	add(s, "test_simple_text", "answers text", always(&mcp.TextContent{Text: "This is a simple text response for testing."}))
	add(s, "test_image_content", "answers an image", always(image))
	add(s, "test_audio_content", "answers audio", always(&mcp.AudioContent{Data: silence, MIMEType: "audio/wav"}))
	add(s, "test_embedded_resource", "answers a resource", always(embedded("test://embedded-resource")))
	add(s, "test_multiple_content_types", "answers three kinds of content", always(&mcp.TextContent{Text: "text"}, image, embedded("test://embedded-in-multiple")))
	add(s, "test_error_handling", "always goes wrong", func(context.Context, call) (result, error) {
		return nil, errors.New("this tool always goes wrong")
	})
	add(s, "test_tool_with_logging", "logs three times", func(ctx context.Context, req call) (result, error) {
		for _, line := range []string{"started", "working", "finished"} {
			if err := logTo(ctx, req, line); err != nil {
				return nil, err
			}
		}
		return text("logged"), nil
	})
	add(s, "test_logging_tool", "logs once, if the client wants it", func(ctx context.Context, req call) (result, error) {
		return text("logged"), logTo(ctx, req, "one line")
	})
	add(s, "test_tool_with_progress", "reports its progress", progress)
	add(s, "test_reconnection", "closes the stream in the middle", reconnect)
	add(s, "test_streaming_elicitation", "answers without requests of its own", always(&mcp.TextContent{Text: "only a result"}))
	add(s, "test_missing_capability", "needs sampling in the client", needSampling)
	add(s, "test_trigger_tool_change", "changes the list of tools", func(context.Context, call) (result, error) {
		add(s, "test_transient_tool", "comes late", always(&mcp.TextContent{Text: "late"}))
		return text("changed"), nil
	})
	add(s, "test_trigger_prompt_change", "changes the list of prompts", func(context.Context, call) (result, error) {
		s.AddPrompt(&mcp.Prompt{Name: "test_transient_prompt", Description: "comes late"}, prompt(&mcp.TextContent{Text: "late"}))
		return text("changed"), nil
	})
	addWithSchema(s, "json_schema_2020_12_tool", "has a schema of 2020-12", schema2020, always(&mcp.TextContent{Text: "called"}))
	addWithSchema(s, "test_x_mcp_header", "has an argument in a header", headerSchema, func(_ context.Context, req call) (result, error) {
		return text("region=%s", argument(req, "region")), nil
	})
}

func logTo(ctx context.Context, req call, line string) error {
	return req.Session.Log(ctx, &mcp.LoggingMessageParams{Level: "info", Data: line})
}

func progress(ctx context.Context, req call) (result, error) {
	token := req.Params.GetProgressToken()
	for _, done := range []float64{0, 50, 100} {
		err := req.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{
			ProgressToken: token, Progress: done, Total: 100, Message: fmt.Sprintf("%.0f of 100", done),
		})
		if err != nil {
			return nil, err
		}
		// The suite's client loses a notification that it reads together with
		// the result.
		if err := pause(ctx, 250*time.Millisecond); err != nil {
			return nil, err
		}
	}
	return text("%v", token), nil
}

func reconnect(ctx context.Context, req call) (result, error) {
	if req.Extra != nil && req.Extra.CloseSSEStream != nil {
		req.Extra.CloseSSEStream(mcp.CloseSSEStreamArgs{RetryAfter: 10 * time.Millisecond})
	}
	if err := pause(ctx, 100*time.Millisecond); err != nil {
		return nil, err
	}
	return text("after the reconnection"), nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func needSampling(_ context.Context, req call) (result, error) {
	if caps := req.ClientCapabilities(); caps != nil && caps.Sampling != nil {
		return text("the client can sample"), nil
	}
	data, err := json.Marshal(mcp.MissingRequiredClientCapabilityData{
		RequiredCapabilities: &mcp.ClientCapabilities{Sampling: &mcp.SamplingCapabilities{}},
	})
	if err != nil {
		return nil, err
	}
	return nil, &jsonrpc.Error{Code: mcp.CodeMissingRequiredClientCapabilities, Message: "the client has to declare sampling", Data: data}
}
