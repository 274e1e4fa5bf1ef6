package tool

import (
	"fmt"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// MCP is the tool as clients see it.
func (t *Tool) MCP() (*mcp.Tool, error) {
	decl, _, err := t.declaration()
	return decl, err
}

// declaration is the tool as clients see it, and the schema that its arguments
// are checked against.
func (t *Tool) declaration() (*mcp.Tool, *jsonschema.Schema, error) {
	in, err := inputSchema(t.in)
	if err != nil {
		return nil, nil, fmt.Errorf("tool %s: input: %w", t.Name, err)
	}
	out, err := outputSchema(t.out, t.Effect)
	if err != nil {
		return nil, nil, fmt.Errorf("tool %s: output: %w", t.Name, err)
	}
	decl := &mcp.Tool{Name: t.Name, Title: t.Title, Description: t.Description, Annotations: t.Effect.annotations()}
	if decl.InputSchema, err = encodeInput(publicInput(in)); err != nil {
		return nil, nil, err
	}
	if decl.OutputSchema, err = encodeSchema(out); err != nil {
		return nil, nil, err
	}
	return decl, in, nil
}

// annotations are the four MCP hints of an effect. Everything reaches a world
// outside the client, so openWorldHint is always true.
func (e Effect) annotations() *mcp.ToolAnnotations {
	destructive, openWorld := e == Updates || e == Deletes, true
	return &mcp.ToolAnnotations{
		ReadOnlyHint:    e == Reads,
		DestructiveHint: &destructive,
		IdempotentHint:  e == Reads || e == Deletes,
		OpenWorldHint:   &openWorld,
	}
}
