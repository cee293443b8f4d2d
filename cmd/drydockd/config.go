package main

import (
	"github.com/spf13/cobra"

	"github.com/drydockhq/drydock/internal/config"
)

func (p *program) configCommand() *cobra.Command {
	var f configFlags
	cmd := &cobra.Command{
		Use:   "config [flags]",
		Short: "Print the configuration that a server would have",
		Long: `Print the configuration that ` + "`drydockd serve`" + ` with the same flags would have, as
a configuration file, with where each value was set. Flags are stronger than the
environment, and that than the file. Secrets are masked.`,
		Args: usage(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			_, values, err := f.load(p.environ)
			if err != nil {
				return err
			}
			text, err := config.Print(values)
			if err != nil {
				return err
			}
			_, err = p.stdout.Write(text)
			return err
		},
	}
	cmd.Flags().SortFlags = false
	f.bind(cmd.Flags())
	return cmd
}
