package acrcli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/drydockhq/drydock"
)

// tagCommand returns the commands for the tags of a repository.
func (a *app) tagCommand() *cobra.Command {
	return a.group(group{
		name: "tag", short: "List and delete the tags of a repository", things: "tags", join: ":",
		list: func(ctx context.Context, c *client, repository string) (names []string, err error) {
			tags, err := c.tags(ctx, repository, "")
			for _, t := range tags {
				names = append(names, t.Name)
			}
			return names, err
		},
		delete: (*client).deleteTag,
	})
}

// manifestCommand returns the commands for the manifests of a repository.
func (a *app) manifestCommand() *cobra.Command {
	return a.group(group{
		name: "manifest", short: "List and delete the manifests of a repository", things: "manifests", join: "@",
		list: func(ctx context.Context, c *client, repository string) (names []string, err error) {
			manifests, err := c.manifests(ctx, repository)
			for _, m := range manifests {
				names = append(names, m.Digest)
			}
			return names, err
		},
		delete: (*client).deleteManifest,
	})
}

// group is a group of commands for the tags or the manifests of a repository.
type group struct {
	name, short string
	things      string // what they are for, in the plural
	join        string // what is between a repository's name and theirs
	list        func(ctx context.Context, c *client, repository string) ([]string, error)
	delete      func(c *client, ctx context.Context, repository, name string) error
}

func (a *app) group(g group) *cobra.Command {
	parent := &cobra.Command{
		Use: g.name, Short: g.short,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var repository string
	list := &cobra.Command{
		Use: "list", Short: "List the " + g.things + " of a repository", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listAll(cmd.Context(), g, repository) },
	}
	remove := &cobra.Command{
		Use: "delete [" + g.name + "...]", Short: "Delete " + g.things + " of a repository", Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return a.deleteAll(cmd.Context(), g, repository, args) },
	}
	parent.PersistentFlags().StringVar(&repository, "repository", "", "name of the repository")
	parent.AddCommand(list, remove)
	return parent
}

// clientFor returns the client for what is in a repository.
func (a *app) clientFor(ctx context.Context, repository string) (*client, error) {
	if repository == "" {
		return nil, drydock.Errorf(drydock.Invalid, "required flag(s) \"repository\" not set")
	}
	return a.client(ctx)
}

func (a *app) listAll(ctx context.Context, g group, repository string) error {
	c, err := a.clientFor(ctx, repository)
	if err != nil {
		return err
	}
	names, err := g.list(ctx, c, repository)
	if err != nil {
		return fmt.Errorf("failed to list %s: %w", g.things, err)
	}
	a.say("Listing %s for the %q repository:", g.things, repository)
	for _, name := range names {
		a.say("%s/%s%s%s", c.server, repository, g.join, name)
	}
	return nil
}

// deleteAll deletes what is named, until something can't be.
func (a *app) deleteAll(ctx context.Context, g group, repository string, names []string) error {
	c, err := a.clientFor(ctx, repository)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := g.delete(c, ctx, repository, name); err != nil {
			return fmt.Errorf("failed to delete %s: %w", g.things, err)
		}
		a.say("%s/%s%s%s", c.server, repository, g.join, name)
	}
	return nil
}
