package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/vault"
)

// keysLock is held by what copies the keys and by what replaces them, or a
// backup would have a database and keys that don't fit.
const keysLock = "keys.lock"

// keysWithin is how long one of them waits for the others.
const keysWithin = 10 * time.Minute

func (p *program) vaultCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "vault",
		Short: "Look after the keys of the vaults",
		Args:  usage(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var f configFlags
	rotate := &cobra.Command{
		Use:   "rotate-key [flags]",
		Short: "Replace the keys that secrets are encrypted with, while the server runs",
		Long: `Make new keys, encrypt all secrets of the vaults with them, and drop the old
ones. The server may run meanwhile: nobody who reads or writes secrets notices.
When it is cut off, nothing is lost; run it again.

The keys are in the database, encrypted with the key of --vault-key: a file of
the data folder, which gets a new key too, or one of a key management service,
which never leaves it. Named here, another one takes the place of that in use;
the server's own setting has to follow before its next start.`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, values, err := f.load(p.environ)
			if err != nil {
				return err
			}
			wrapper := ""
			for _, v := range values {
				if v.Name == "vaults.key" && v.IsSet() {
					wrapper = c.Vaults.Key
				}
			}
			return p.rotateKeys(cmd.Context(), c.Data, wrapper)
		},
	}
	f.bind(rotate.Flags(), "data", "vaults.key")
	cmd.AddCommand(rotate)
	return cmd
}

func (p *program) rotateKeys(ctx context.Context, dir, wrapper string) error {
	store, err := openData(ctx, dir)
	if err != nil {
		return err
	}
	unlock, err := lockKeys(ctx, dir, unix.LOCK_EX)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	defer unlock() // after the store is closed
	defer store.Close()
	n := 0
	err = p.noted(ctx, store, drydock.AuditRecord{
		Name: "drydockd vault rotate-key", Action: "Microsoft.KeyVault/vaults/keys/rotate/action", Target: "/providers/" + vaultType,
	}, func() (err error) {
		n, err = vault.Rotation{Store: store, Open: vault.Opener{Dir: dir}, Wrapper: wrapper}.Rotate(ctx)
		return err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "The vaults have new keys; %d values were encrypted with them.\n", n)
	return err
}

// lockKeys waits until nobody else copies or replaces the keys. The lock is
// shared by those who copy.
func lockKeys(ctx context.Context, dir string, how int) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, keysLock), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "locking the keys: %w", err)
	}
	if err := waitFlock(ctx, f, how, keysWithin); err != nil {
		f.Close() // the error is the other's
		return nil, drydock.Errorf(drydock.Unavailable, "waiting for the keys, which another process copies or replaces: %w", err)
	}
	return func() { f.Close() }, nil
}
