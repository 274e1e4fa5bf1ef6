package tool

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"nextcloud-mcp-server/internal/auth"
	"nextcloud-mcp-server/internal/nextcloud"
)

// Contenter is implemented by results that are more than JSON: images, files.
// Their structured form is sent beside the content.
type Contenter interface {
	Content() []mcp.Content
}

// result is what a tool answered as MCP has it. What is foreign is marked.
func result(out any, foreign bool) (*mcp.CallToolResult, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // a model pays for each \u003c
	if err := enc.Encode(out); err != nil {
		return nil, fmt.Errorf("encode result: %w", err)
	}
	data := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if data[0] != '{' {
		return nil, errors.New("the result is no object") // clients of older revisions drop it
	}
	if foreign {
		data = markForeign(data)
	}
	res := &mcp.CallToolResult{StructuredContent: json.RawMessage(data)}
	if c, ok := out.(Contenter); ok {
		res.Content = c.Content()
	}
	if foreign {
		markContent(res.Content)
	}
	if len(res.Content) == 0 {
		res.Content = []mcp.Content{&mcp.TextContent{Text: string(data)}}
	}
	return res, nil
}

func failed(text string) *mcp.CallToolResult {
	return &mcp.CallToolResult{IsError: true, Content: []mcp.Content{&mcp.TextContent{Text: text}}}
}

// outcome is one of a few words, for metrics and the audit.
func outcome(ctx context.Context, err error) string {
	if err == nil {
		return "ok"
	}
	if _, bad := errors.AsType[*invalid](err); bad {
		return "refused"
	}
	if _, missing := errors.AsType[*auth.SignInRequired](err); missing {
		return "sign-in required"
	}
	switch {
	case stopped(ctx, err, context.DeadlineExceeded):
		return "timed out"
	case stopped(ctx, err, context.Canceled):
		return "cancelled"
	}
	if e, ok := errors.AsType[*nextcloud.Error](err); ok && e.Kind != nil {
		return e.Kind.Error()
	}
	return "internal error"
}
