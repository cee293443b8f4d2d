package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/backup"
)

func (p *program) backupCommand() *cobra.Command {
	var f configFlags
	cmd := &cobra.Command{
		Use:   "backup [flags] FILE",
		Short: "Copy all that a server keeps into one file, while it runs",
		Long: `Copy all that a server keeps into FILE, or to standard output for -: the database,
keys, certificates, images, uploads and logs, but no caches. The server may run
meanwhile. The file holds the server's keys: keep it as you would keep those. The
key of the vaults is in it too, unless it is in a key management service, which
is then needed to read secrets again.`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, _, err := f.load(p.environ)
			if err != nil {
				return err
			}
			return p.backup(cmd.Context(), c.Data, args[0])
		},
	}
	f.bind(cmd.Flags(), "data")
	return cmd
}

func (p *program) backup(ctx context.Context, dir, file string) error {
	store, err := openData(ctx, dir)
	if err != nil {
		return err
	}
	unlock, err := lockKeys(ctx, dir, unix.LOCK_SH)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	defer unlock()
	source := backup.Source{
		Dir: dir, Database: databaseFile, Snapshot: store.Backup,
		Parts: []string{filepath.Dir(sealKeyFile), certsFolder, blobsFolder, registryFolder},
		Info:  backup.Info{Created: p.now().UTC(), Program: programVersion()},
	}
	if file == "-" {
		err = backup.Write(ctx, p.stdout, source)
	} else {
		err = writeFile(file, func(w io.Writer) error { return backup.Write(ctx, w, source) })
	}
	return errors.Join(err, store.Close())
}

// writeFile writes a file for its owner alone, which appears when it is
// complete.
func writeFile(name string, write func(io.Writer) error) error {
	if _, err := os.Stat(name); err == nil {
		return drydock.Errorf(drydock.Conflict, "%s is there already", name)
	}
	f, err := os.OpenFile(name+".partial", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("writing the backup: %w", err)
	}
	err = errors.Join(write(f), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func (p *program) restoreCommand() *cobra.Command {
	var f configFlags
	cmd := &cobra.Command{
		Use:   "restore [flags] FILE",
		Short: "Make a data folder of a backup",
		Long: `Make a data folder of FILE, which drydockd backup wrote, or of standard input for
-. The folder must be empty or not be there.`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, _, err := f.load(p.environ)
			if err != nil {
				return err
			}
			return p.restore(cmd.Context(), c.Data, args[0])
		},
	}
	f.bind(cmd.Flags(), "data")
	return cmd
}

func (p *program) restore(ctx context.Context, dir, file string) error {
	from := p.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return drydock.Errorf(drydock.Invalid, "reading the backup: %w", err)
		}
		defer f.Close()
		from = f
	}
	info, err := backup.Read(ctx, from, dir)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "Restored %s from the backup of %s.\n", dir, info.Created.Format("2006-01-02 15:04:05Z"))
	return err
}
