// Package gotool runs the go command for tests, which are root where the one who
// called them is not.
package gotool

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/drydockhq/drydock"
)

// Build compiles the package pkg of the module in dir to a static program at
// output, with the build flags of the Makefile. What is written to Go's caches
// belongs to the user behind sudo: root's files there would be in the way of
// that user's next build.
func Build(ctx context.Context, dir, output, pkg string) error {
	return Program{Dir: dir, Package: pkg}.Build(ctx, output)
}

// Program is a program to compile.
type Program struct {
	Dir     string // of its module
	Package string
	Tags    string // separated by commas
	Cgo     bool   // it has parts in C, and is not static
}

// Build is as the function of that name.
func (p Program) Build(ctx context.Context, output string) error {
	// The linker of another user may not write to the folder of the output.
	file, err := os.CreateTemp("", "drydock-build-")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	if err := file.Close(); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-tags="+p.Tags, "-o", file.Name(), p.Package)
	cmd.Dir = p.Dir
	cgo := "CGO_ENABLED=0"
	if p.Cgo {
		cgo = "CGO_ENABLED=1"
	}
	cmd.Env = append(os.Environ(), cgo, "GOWORK=off")
	if err := asCaller(cmd, file.Name()); err != nil {
		return err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return drydock.Errorf(drydock.Unavailable, "compiling %s: %w\n%s", p.Package, err, out).WithHint("go must be in the PATH")
	}
	return install(file.Name(), output)
}

// asCaller makes cmd run as the user who called sudo, if any, who gets the file.
func asCaller(cmd *exec.Cmd, file string) error {
	uid, gid, ok := caller()
	if !ok || os.Geteuid() != 0 {
		return nil
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: gid}}
	return os.Chown(file, int(uid), int(gid))
}

// caller returns the user who called sudo and whose home this process has kept.
func caller() (uid, gid uint32, ok bool) {
	u, uidErr := strconv.ParseUint(os.Getenv("SUDO_UID"), 10, 32)
	g, gidErr := strconv.ParseUint(os.Getenv("SUDO_GID"), 10, 32)
	if uidErr != nil || gidErr != nil {
		return 0, 0, false
	}
	info, err := os.Stat(os.Getenv("HOME"))
	if err != nil {
		return 0, 0, false
	}
	stat, isStat := info.Sys().(*syscall.Stat_t)
	return uint32(u), uint32(g), isStat && uint64(stat.Uid) == u
}

// install copies a program to output.
func install(from, output string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.WriteFile(output, content, 0o755); err != nil {
		return fmt.Errorf("writing %s: %w", output, err)
	}
	return os.Chmod(output, 0o755)
}

// Drydockd returns the path of the program to test: $DRYDOCKD, or what it compiles
// to dir from the module at root.
func Drydockd(ctx context.Context, root, dir string) (string, error) {
	return program(ctx, root, dir, "drydockd", "DRYDOCKD")
}

// Drydock is Drydockd for the client, and $DRYDOCK.
func Drydock(ctx context.Context, root, dir string) (string, error) {
	return program(ctx, root, dir, "drydock", "DRYDOCK")
}

func program(ctx context.Context, root, dir, name, variable string) (string, error) {
	if given := os.Getenv(variable); given != "" {
		return filepath.Abs(given)
	}
	file := filepath.Join(dir, name)
	return file, Build(ctx, root, file, "./cmd/"+name)
}
