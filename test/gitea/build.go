package gitea

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/drydockhq/drydock/test/gotool"
	"github.com/drydockhq/drydock/test/images"
)

// The module that pins Gitea, below this one's root, and its program.
const (
	toolsDir = "test/gitea/tools"
	pkg      = "code.gitea.io/gitea"
)

// lockPoll is how often a process that waits for another one's build looks
// whether it is done.
const lockPoll = 100 * time.Millisecond

// program returns the path of Gitea's program, which it builds unless somebody
// has: that takes some minutes.
func program(ctx context.Context) (string, error) {
	tools, err := toolsFolder()
	if err != nil {
		return "", err
	}
	store, err := images.Default()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(filepath.Dir(store.Dir), "gitea")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("making a folder for Gitea: %w", err)
	}
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOARCH)
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(tools, name))
		if err != nil {
			return "", err
		}
		sum.Write(text)
	}
	path := filepath.Join(dir, "gitea-"+hex.EncodeToString(sum.Sum(nil)[:8]))
	lock := flock.New(path + ".lock")
	if _, err := lock.TryLockContext(ctx, lockPoll); err != nil {
		return "", fmt.Errorf("waiting for another build of Gitea: %w", err)
	}
	defer lock.Close()
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	part := path + ".part"
	gitea := gotool.Program{Dir: tools, Package: pkg, Tags: "sqlite,sqlite_unlock_notify", Cgo: true}
	if err := gitea.Build(ctx, part); err != nil {
		return "", err
	}
	return path, os.Rename(part, path)
}

// toolsFolder returns the folder of the module that pins Gitea.
func toolsFolder() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		tools := filepath.Join(dir, toolsDir)
		if _, err := os.Stat(filepath.Join(tools, "go.mod")); err == nil {
			return tools, nil
		}
	}
	return "", fmt.Errorf("%s is in no folder above this one", toolsDir)
}

// source returns the folder of Gitea's source, which has the files that the
// program needs beside itself.
func source(ctx context.Context) (string, error) {
	tools, err := toolsFolder()
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", pkg)
	cmd.Dir, cmd.Env = tools, append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("finding Gitea's source: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}
