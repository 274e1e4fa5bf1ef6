package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"nextcloud-mcp-server/internal/config"
)

// helpWidth is where flag descriptions wrap, in columns.
const helpWidth = 100

// usage prints how to call cmd, its flags grouped by section.
func usage(cmd *cobra.Command) error {
	var b strings.Builder
	b.WriteString("Usage:\n  " + cmd.CommandPath())
	if cmd.HasAvailableSubCommands() {
		b.WriteString(" [command]")
	}
	b.WriteString(" [flags]\n")
	if cmd.HasExample() {
		b.WriteString("\nExamples:\n" + cmd.Example + "\n")
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\nCommands:\n")
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				fmt.Fprintf(&b, "  %-12s %s\n", sub.Name(), sub.Short)
			}
		}
	}
	for _, group := range flagGroups(cmd.Flags()) {
		b.WriteString("\n" + group.title + ":\n" + group.flags.FlagUsagesWrapped(helpWidth))
	}
	if cmd.Flags().Lookup("oauth") != nil {
		b.WriteString("\nEvery setting is also an environment variable; docs/configuration.md lists them all.\n")
	}
	_, err := fmt.Fprint(cmd.OutOrStdout(), b.String())
	return err
}

type flagGroup struct {
	title string
	flags *pflag.FlagSet
}

// flagGroups are the visible flags by section, those of no section last.
func flagGroups(flags *pflag.FlagSet) []flagGroup {
	const rest = "Other"
	groups := make([]flagGroup, 0, len(config.Sections())+1)
	for _, s := range config.Sections() {
		groups = append(groups, flagGroup{string(s), pflag.NewFlagSet("", pflag.ContinueOnError)})
	}
	groups = append(groups, flagGroup{rest, pflag.NewFlagSet("", pflag.ContinueOnError)})
	flags.VisitAll(func(f *pflag.Flag) {
		title := rest
		if s, ok := config.FlagSection(f); ok {
			title = string(s)
		}
		i := slices.IndexFunc(groups, func(g flagGroup) bool { return g.title == title })
		groups[i].flags.AddFlag(f)
	})
	return slices.DeleteFunc(groups, func(g flagGroup) bool { return !g.flags.HasAvailableFlags() })
}

// hideAllBut hides the flags that are not named.
func hideAllBut(names ...string) func(*pflag.Flag) {
	return func(f *pflag.Flag) { f.Hidden = f.Hidden || !slices.Contains(names, f.Name) }
}
