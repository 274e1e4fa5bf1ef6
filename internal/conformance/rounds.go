package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// stateKey signs request states, which come back through the client.
var stateKey = []byte(rand.Text())

func sign(state string) string {
	mac := hmac.New(sha256.New, stateKey)
	mac.Write([]byte(state))
	return state + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// signed is the state inside a signed one.
func signed(s string) (string, error) {
	i := strings.LastIndexByte(s, '.')
	if i < 0 || !hmac.Equal([]byte(sign(s[:i])), []byte(s)) {
		return "", &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "the request state was changed"}
	}
	return s[:i], nil
}

// accepted is one field of a form that the person accepted.
func accepted(r mcp.InputResponseMap, key, field string) (any, bool) {
	answer, ok := r[key].(*mcp.ElicitResult)
	if !ok || answer == nil || answer.Action != "accept" {
		return nil, false
	}
	v, ok := answer.Content[field]
	return v, ok
}

func sampled(r mcp.InputResponseMap, key string) (string, bool) {
	answer, ok := r[key].(*mcp.CreateMessageWithToolsResult)
	if !ok || answer == nil {
		return "", false
	}
	for _, c := range answer.Content {
		if t, ok := c.(*mcp.TextContent); ok {
			return t.Text, true
		}
	}
	return "", true
}

func roots(r mcp.InputResponseMap) (int, bool) {
	answer, ok := r["client_roots"].(*mcp.ListRootsResult)
	if !ok || answer == nil {
		return 0, false
	}
	return len(answer.Roots), true
}

func askFor(message, field, kind string) *mcp.ElicitParams {
	return &mcp.ElicitParams{Message: message, RequestedSchema: form(object{field: object{"type": kind}}, field)}
}

func need(state string, inputs mcp.InputRequestMap) (result, error) {
	return &mcp.CallToolResult{InputRequests: inputs, RequestState: state}, nil
}

// addRounds adds the fixtures of results that need more input (SEP-2322).
func addRounds(s *mcp.Server) {
	name := askFor("What is your name?", "name", "string")
	confirm := mcp.InputRequestMap{"confirm": askFor("Please confirm", "ok", "boolean")}
	rootsPlease := &mcp.ListRootsParams{}

	add(s, "test_input_required_result_elicitation", "asks for a name", func(_ context.Context, req call) (result, error) {
		if v, ok := accepted(req.Params.InputResponses, "user_name", "name"); ok && v != "" {
			return text("Hello, %v!", v), nil
		}
		return need("", mcp.InputRequestMap{"user_name": name})
	})
	add(s, "test_input_required_result_sampling", "asks the client's model", func(_ context.Context, req call) (result, error) {
		if said, ok := sampled(req.Params.InputResponses, "capital_question"); ok {
			return text("Sampling response: %s", said), nil
		}
		return need("", mcp.InputRequestMap{"capital_question": question("What is the capital of France?")})
	})
	add(s, "test_input_required_result_list_roots", "asks for the roots", func(_ context.Context, req call) (result, error) {
		if n, ok := roots(req.Params.InputResponses); ok {
			return text("%d roots", n), nil
		}
		return need("", mcp.InputRequestMap{"client_roots": rootsPlease})
	})
	confirmed := func(_ context.Context, req call) (result, error) {
		if req.Params.RequestState == "" {
			return need(sign("asked"), confirm)
		}
		if _, err := signed(req.Params.RequestState); err != nil {
			return nil, err
		}
		if _, ok := accepted(req.Params.InputResponses, "confirm", "ok"); ok {
			return text("state-ok"), nil
		}
		return need(sign("asked"), confirm)
	}
	add(s, "test_input_required_result_request_state", "keeps a state between rounds", confirmed)
	add(s, "test_input_required_result_tampered_state", "refuses a state that was changed", confirmed)
	add(s, "test_input_required_result_multiple_inputs", "asks for three things at once", func(_ context.Context, req call) (result, error) {
		r := req.Params.InputResponses
		who, named := accepted(r, "user_name", "name")
		greeting, greeted := sampled(r, "greeting")
		n, rooted := roots(r)
		if named && greeted && rooted {
			return text("%s %v, %d roots", greeting, who, n), nil
		}
		return need(sign("three"), mcp.InputRequestMap{"user_name": name, "greeting": question("Say hello"), "client_roots": rootsPlease})
	})
	add(s, "test_input_required_result_multi_round", "asks twice", twice)
	add(s, "test_input_required_result_capabilities", "asks only for what the client can give", func(_ context.Context, req call) (result, error) {
		if len(req.Params.InputResponses) > 0 {
			return text("got it"), nil
		}
		inputs := mcp.InputRequestMap{}
		if caps := req.ClientCapabilities(); caps != nil {
			if caps.Elicitation != nil {
				inputs["user_name"] = name
			}
			if caps.Sampling != nil {
				inputs["greeting"] = question("Say hello")
			}
			if caps.RootsV2 != nil || caps.Roots.ListChanged {
				inputs["client_roots"] = rootsPlease
			}
		}
		if len(inputs) == 0 {
			return text("the client can give nothing"), nil
		}
		return need("", inputs)
	})
}

// twice asks for a name, then for a colour; the name travels in the state.
func twice(_ context.Context, req call) (result, error) {
	if req.Params.RequestState == "" {
		return need(sign("name"), mcp.InputRequestMap{"step1": askFor("What is your name?", "name", "string")})
	}
	state, err := signed(req.Params.RequestState)
	if err != nil {
		return nil, err
	}
	if state == "name" {
		who, ok := accepted(req.Params.InputResponses, "step1", "name")
		if !ok {
			who = "nobody"
		}
		known, _ := who.(string)
		return need(sign("colour:"+known), mcp.InputRequestMap{"step2": askFor("Which colour do you like?", "color", "string")})
	}
	colour, ok := accepted(req.Params.InputResponses, "step2", "color")
	if !ok {
		colour = "none"
	}
	return text("%s likes %v", strings.TrimPrefix(state, "colour:"), colour), nil
}
