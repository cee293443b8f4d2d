package enginetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// Busybox is a program that interprets `sh -c SCRIPT` with the tools that the
// suite uses: cat, sleep, mkdir, httpd and wget. It sees the run's workspace
// and volumes as a container would.
func Busybox(ctx context.Context, p *Process) (int, error) {
	if p.Started != nil {
		p.Started()
	}
	args := p.Args
	if p.EntryPoint != "" {
		args = append(strings.Fields(p.EntryPoint), args...)
	}
	if len(args) < 3 || args[0] != "sh" || args[1] != "-c" {
		return 0, fmt.Errorf("busybox: want sh -c SCRIPT, have %q", args)
	}
	script, err := syntax.NewParser().Parse(strings.NewReader(args[2]), "sh")
	if err != nil {
		return 0, err
	}
	stdin := p.Stdin
	if stdin == nil {
		stdin = strings.NewReader("")
	}
	runner, err := interp.New(
		interp.Dir(p.session.dir),
		interp.Env(expand.ListEnviron(append([]string{"HOME=" + home}, p.Env...)...)),
		interp.StdIO(stdin, p.Stdout, p.Stderr),
		interp.OpenHandler(p.shellOpen),
		interp.CallHandler(p.call),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc { return p.tool }),
	)
	if err != nil {
		return 0, err
	}
	err = runner.Run(ctx, script)
	var status interp.ExitStatus
	if errors.As(err, &status) {
		return int(status), nil
	}
	return 0, err
}

func (p *Process) shellOpen(_ context.Context, name string, flag int, perm os.FileMode) (io.ReadWriteCloser, error) {
	return p.open(name, flag, perm)
}

// call answers pwd with the container's directory instead of this machine's.
func (p *Process) call(_ context.Context, args []string) ([]string, error) {
	if args[0] == "pwd" {
		return []string{"echo", absolute(p.Dir, ".")}, nil
	}
	return args, nil
}

func (p *Process) tool(ctx context.Context, args []string) error {
	hc := interp.HandlerCtx(ctx)
	err := p.useTool(ctx, hc, args)
	if err == nil || ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if _, err := fmt.Fprintf(hc.Stderr, "%s: %v\n", args[0], err); err != nil {
		return err
	}
	return interp.ExitStatus(1)
}

func (p *Process) useTool(ctx context.Context, hc interp.HandlerContext, args []string) error {
	switch args[0] {
	case "cat":
		return p.cat(hc, args[1:])
	case "sleep":
		return sleep(ctx, args[1:])
	case "mkdir":
		return p.mkdir(args[len(args)-1])
	case "httpd":
		return p.httpd(ctx, args[1:])
	case "wget":
		return p.wget(hc.Stdout, args[len(args)-1])
	default:
		return fmt.Errorf("not found")
	}
}

func (p *Process) cat(hc interp.HandlerContext, names []string) error {
	if len(names) == 0 {
		_, err := io.Copy(hc.Stdout, hc.Stdin)
		return err
	}
	for _, name := range names {
		f, err := p.open(name, os.O_RDONLY, 0)
		if err != nil {
			return err
		}
		_, err = io.Copy(hc.Stdout, f)
		_ = f.Close() // opened for reading
		if err != nil {
			return err
		}
	}
	return nil
}

func sleep(ctx context.Context, args []string) error {
	d, err := time.ParseDuration(strings.Join(args, "") + "s")
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

func (p *Process) mkdir(name string) error {
	rel, ok := inWorkspace(absolute(p.Dir, name))
	if !ok {
		return os.ErrPermission
	}
	return p.session.root.MkdirAll(filepath.FromSlash(rel), 0o755)
}

// httpd serves the folder of -h until it is stopped.
func (p *Process) httpd(ctx context.Context, args []string) error {
	folder := "."
	for i, arg := range args {
		if arg == "-h" && i+1 < len(args) {
			folder = args[i+1]
		}
	}
	p.session.serve(p.Name, absolute(p.Dir, folder))
	<-ctx.Done()
	return nil
}

func (s *session) serve(name, folder string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.servers[name] = folder
}

// wget fetches from a container of the run by its name.
func (p *Process) wget(out io.Writer, address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	p.session.mu.Lock()
	folder, ok := p.session.servers[u.Hostname()]
	p.session.mu.Unlock()
	if !ok {
		return fmt.Errorf("bad address %q", u.Hostname())
	}
	f, err := p.session.OpenFile(folder, strings.TrimPrefix(path.Clean(u.Path), "/"), os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, f)
	_ = f.Close() // opened for reading
	return err
}
