package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"nextcloud-mcp-server/internal/app"
	"nextcloud-mcp-server/internal/document"
)

// newExtract reads one document from standard input for the server, which
// starts it anew for each: what a bad file does to it ends with it.
func newExtract() *cobra.Command {
	var limit time.Duration
	cmd := &cobra.Command{
		Use:    app.ExtractCommand,
		Short:  "Read one document for the server",
		Hidden: true,
		Args:   noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := document.Confine(limit); err != nil {
				return fmt.Errorf("limit this process: %w", err)
			}
			if document.Child(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout()) != 0 {
				return errors.New("the document cannot be read")
			}
			return nil
		},
	}
	cmd.Flags().DurationVar(&limit, "time", time.Minute, "Processor `time` that the document may take")
	return cmd
}
