package script_test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"os"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/drydockhq/drydock/test/registry"
)

// registryOptions reads the arguments NAME [USER PASSWORD].
func registryOptions(args []string) (o registry.Options, err error) {
	switch len(args) {
	case 1:
	case 3:
		o.Users = map[string]string{args[1]: args[2]}
	default:
		err = errors.New("usage: see doc_test.go")
	}
	return o, err
}

func startRegistry(ts *testscript.TestScript, args []string) error {
	o, err := registryOptions(args)
	if err != nil {
		return err
	}
	r, err := of(ts).start(o, ts.Defer)
	if err != nil {
		return err
	}
	ts.Setenv(args[0], r.Host)
	return nil
}

func repository(ts *testscript.TestScript, args []string) error {
	dir := ts.MkAbs(args[0])
	for _, arguments := range [][]string{
		{"init", "--quiet", "--initial-branch=main"},
		{"add", "--all"},
		{"commit", "--quiet", "--message", "all files"},
	} {
		if err := ts.Exec("git", append([]string{"-C", dir}, arguments...)...); err != nil {
			return err
		}
	}
	return nil
}

func tarball(ts *testscript.TestScript, args []string) (err error) {
	file, err := os.Create(ts.MkAbs(args[1]))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	zw := gzip.NewWriter(file)
	tw := tar.NewWriter(zw)
	return errors.Join(tw.AddFS(os.DirFS(ts.MkAbs(args[0]))), tw.Close(), zw.Close())
}
