package tool

import (
	"slices"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// TierHeader chooses for a connection how many tools its lists show: core,
// extended or complete, at most what the deployment offers. The front door
// writes "?tier=" of the address into it.
const TierHeader = "X-MCP-Tier"

// searching are clients that look for tools by themselves and give their model
// only what fits, by the name that they say they have. They are shown all.
var searching = []string{"claude-code", "claude-ai", "Visual Studio Code"}

// tierOf is how many tools a list shows to who asks with req. It shortens
// lists, nothing else: a tool that is offered and not listed can be called.
func (p *policing) tierOf(req mcp.Request) Tier {
	offered := p.registry.tier
	if extra := extraOf(req); extra != nil {
		if chosen, err := ParseTier(extra.Header.Get(TierHeader)); err == nil {
			return min(chosen, offered)
		}
	}
	if !p.registry.auto {
		return offered
	}
	if r, ok := req.(interface{ ClientInfo() *mcp.Implementation }); ok {
		if info := r.ClientInfo(); info != nil && slices.Contains(searching, info.Name) {
			return offered
		}
	}
	return min(Core, offered)
}

// shown drops from a list of tools what is above the tier of who asks, except
// what the deployment names.
func (p *policing) shown(req mcp.Request, res mcp.Result) {
	list, ok := res.(*mcp.ListToolsResult)
	if !ok {
		return
	}
	tier := p.tierOf(req)
	list.Tools = slices.DeleteFunc(list.Tools, func(t *mcp.Tool) bool {
		known, ok := p.registry.byName[t.Name]
		return ok && known.Tier > tier && !slices.Contains(p.registry.named, t.Name)
	})
}
