package main

import (
	"context"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type object = map[string]any

// form is the schema of an elicitation with the given properties.
func form(properties object, required ...string) object {
	schema := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}

func addElicitations(s *mcp.Server) {
	add(s, "test_sampling", "asks the client's model", func(ctx context.Context, req call) (result, error) {
		answer, err := req.Session.CreateMessage(ctx, question(argument(req, "prompt")))
		if err != nil {
			return nil, fmt.Errorf("ask the client's model: %w", err)
		}
		said, _ := answer.Content.(*mcp.TextContent)
		if said == nil {
			return text("LLM response: no text"), nil
		}
		return text("LLM response: %s", said.Text), nil
	})
	add(s, "test_elicitation", "asks the person", func(ctx context.Context, req call) (result, error) {
		return ask(ctx, req, argument(req, "message"), form(object{
			"username": object{"type": "string", "description": "the preferred name"},
		}, "username"))
	})
	add(s, "test_elicitation_sep1034_defaults", "asks with defaults", func(ctx context.Context, req call) (result, error) {
		return ask(ctx, req, "Please look at the defaults", form(object{
			"name":     object{"type": "string", "default": "John Doe"},
			"age":      object{"type": "integer", "default": 30},
			"score":    object{"type": "number", "default": 95.5},
			"status":   object{"type": "string", "enum": []string{"active", "inactive", "pending"}, "default": "active"},
			"verified": object{"type": "boolean", "default": true},
		}))
	})
	add(s, "test_elicitation_sep1330_enums", "asks to choose", func(ctx context.Context, req call) (result, error) {
		options := []string{"option1", "option2", "option3"}
		titled := []object{
			{"const": "value1", "title": "First Option"}, {"const": "value2", "title": "Second Option"}, {"const": "value3", "title": "Third Option"},
		}
		return ask(ctx, req, "Please choose", form(object{
			"untitledSingle": object{"type": "string", "enum": options},
			"titledSingle":   object{"type": "string", "oneOf": titled},
			"legacyEnum":     object{"type": "string", "enum": []string{"opt1", "opt2", "opt3"}, "enumNames": []string{"Option One", "Option Two", "Option Three"}},
			"untitledMulti":  object{"type": "array", "minItems": 1, "maxItems": 3, "items": object{"type": "string", "enum": options}},
			"titledMulti":    object{"type": "array", "minItems": 1, "maxItems": 3, "items": object{"type": "string", "anyOf": titled}},
		}))
	})
}

func question(prompt string) *mcp.CreateMessageParams {
	return &mcp.CreateMessageParams{
		MaxTokens: 100,
		Messages:  []*mcp.SamplingMessage{{Role: "user", Content: &mcp.TextContent{Text: prompt}}},
	}
}

func ask(ctx context.Context, req call, message string, schema object) (result, error) {
	answer, err := req.Session.Elicit(ctx, &mcp.ElicitParams{Message: message, RequestedSchema: schema})
	if err != nil {
		return nil, fmt.Errorf("ask the person: %w", err)
	}
	return text("action=%s content=%v", answer.Action, answer.Content), nil
}
