package runnet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// sweep removes what dead instances with the given prefix left. The caller
// holds the machine's lock.
func sweep(host *netlink.Handle, dir, prefix string) error {
	dead, err := deadInstances(dir, prefix)
	if err != nil {
		return err
	}
	for name, names := range dead {
		if err := sweepInstance(host, name, names); err != nil {
			return fmt.Errorf("removing what %s left: %w", name, err)
		}
		if err := sweepNeighbours(host, dir, name); err != nil {
			return fmt.Errorf("removing what %s left: %w", name, err)
		}
		if err := os.Remove(filepath.Join(dir, name+".lock")); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("removing the lock of %s: %w", name, err)
		}
	}
	return nil
}

func sweepInstance(host *netlink.Handle, name string, names []string) error {
	for _, n := range names {
		if err := unpin(n); err != nil {
			return err
		}
	}
	// The links vanish with the namespaces in the background; those that a
	// process still holds, at once.
	if err := deleteLinks(host, linkPrefix(name[strings.LastIndexByte(name, '-')+1:])); err != nil {
		return err
	}
	return deleteTable(name)
}

// deadInstances maps the names of dead instances to the names of their
// namespaces. An instance without a lock file is never taken for dead: it may
// keep its files elsewhere.
func deadInstances(dir, prefix string) (map[string][]string, error) {
	locks, err := readNames(dir)
	if err != nil {
		return nil, err
	}
	spaces, err := readNames(namedDir)
	if err != nil {
		return nil, err
	}
	dead := map[string][]string{}
	for _, l := range locks {
		name, ok := strings.CutSuffix(l, ".lock")
		if !ok || !isInstance(name, prefix) {
			continue
		}
		lives, err := alive(filepath.Join(dir, l))
		if err != nil {
			return nil, err
		}
		if lives {
			continue
		}
		dead[name] = nil
		for _, s := range spaces {
			if strings.HasPrefix(s, name+"-") {
				dead[name] = append(dead[name], s)
			}
		}
	}
	return dead, nil
}

func readNames(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("looking for leftovers: %w", err)
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

func deleteLinks(host *netlink.Handle, prefix string) error {
	links, err := consistent(host.LinkList)
	if err != nil {
		return fmt.Errorf("listing links: %w", err)
	}
	for _, l := range links {
		if !strings.HasPrefix(l.Attrs().Name, prefix) {
			continue
		}
		if err := deleteLink(host, l); err != nil {
			return err
		}
	}
	return nil
}

// deleteLink deletes a link; one that is gone is no error.
func deleteLink(h *netlink.Handle, l netlink.Link) error {
	err := h.LinkDel(l)
	if err != nil && !errors.Is(err, unix.ENODEV) && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("deleting link %s: %w", l.Attrs().Name, err)
	}
	return nil
}
