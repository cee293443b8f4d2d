package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/buildflags"
	"github.com/drydockhq/drydock/internal/credentials"
	"github.com/drydockhq/drydock/internal/runner"
	"github.com/drydockhq/drydock/internal/source"
	"github.com/drydockhq/drydock/internal/source/egress"
)

// runSources fetches the sources of runs.
type runSources struct {
	blobs    *runBlobs
	dir      string // where folders are made
	env      []string
	network  *egress.Network
	cas      map[string][]byte // for git, by host
	insecure []string
	connect  string   // this program
	files    []string // folders whose git repositories runs may read
}

var _ runner.Sources = (*runSources)(nil)

// Fetch implements runner.Sources.
func (s *runSources) Fetch(ctx context.Context, r runner.SourceRequest) (*runner.Checkout, error) {
	spec := r.Source
	f, err := s.fetcher(spec, r.Token)
	if err != nil {
		return nil, err
	}
	f.Log, f.Ref, f.Untrusted, f.Pin = r.Log, r.Ref, r.Untrusted, r.Pin
	f.Keychain = credentials.Static("the run", r.Credentials...)
	if isUpload(spec) {
		blob, err := s.blobs.openSource(ctx, r.Registry, spec)
		if err != nil {
			return nil, s.refuse(spec, err)
		}
		defer blob.Close()
		f.Stdin, f.StdinName, spec = io.NewSectionReader(blob, 0, blob.Properties().Size), "the uploaded source "+spec, "-"
	}
	fetched, err := f.Fetch(ctx, spec)
	if err != nil {
		return nil, err
	}
	return &runner.Checkout{Dir: fetched.Dir, Commit: fetched.Commit, Branch: fetched.Branch, Digest: fetched.Digest, Close: fetched.Close}, nil
}

// fetcher returns what fetches a source, or looks at it, as runs may.
func (s *runSources) fetcher(spec, token string) (*source.Fetcher, error) {
	if strings.HasPrefix(strings.ToLower(spec), "file://") {
		if err := s.allowFile(spec); err != nil {
			return nil, err
		}
	}
	f := &source.Fetcher{
		Dir: s.dir, HTTP: s.network.Client(), Env: s.env,
		PlainHTTP: func(host string) bool { return slices.Contains(s.insecure, host) },
		CAs:       s.cas, Insecure: s.insecure, Enclose: s.network.Enclose, Connect: s.connect,
		Login: "a task is given credentials with acr task credential add --login-server HOST",
	}
	if token != "" {
		f.Token = func(context.Context, string) (string, string, error) { return "", token, nil }
	}
	return f, nil
}

// isUpload reports whether a source is the path of an upload.
func isUpload(spec string) bool {
	return spec != "" && spec != "/dev/null" && buildflags.ContextKind(spec) == buildflags.Local &&
		!strings.HasPrefix(strings.ToLower(spec), "file://")
}

// refuse words the error of an upload that can't be opened. Nothing of this
// machine is ever looked for.
func (s *runSources) refuse(spec string, err error) error {
	switch drydock.CodeOf(err) {
	case drydock.NotFound, drydock.Invalid:
		return drydock.Errorf(drydock.Invalid, "there is no source %q", spec).
			WithHint("it is the path of an upload, which must be complete, a URL of a git repository or tarball, or /dev/null")
	}
	return fmt.Errorf("reading the uploaded source: %w", err)
}

// allowFile refuses repositories of this machine, but for those below the
// folders that are open to runs.
func (s *runSources) allowFile(spec string) error {
	path, _, _ := strings.Cut(spec[len("file://"):], "#")
	real, err := filepath.EvalSymlinks(filepath.Clean("/" + path))
	for _, folder := range s.files {
		if err != nil {
			break
		}
		open, openErr := filepath.EvalSymlinks(folder)
		if rel, relErr := filepath.Rel(open, real); openErr == nil && relErr == nil && filepath.IsLocal(rel) {
			return nil
		}
	}
	return drydock.Errorf(drydock.Denied, "runs may not read %s from this machine", spec).
		WithHint("the operator can open folders with repositories to runs, with the setting sources.files")
}
