package runnet

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// recordPrefix begins the names of the files that record which of the host's
// links had no forwarding before an instance switched it on.
const recordPrefix = "forward-"

func forwardingPath(link string) string {
	return filepath.Join("/proc/sys/net/ipv4/conf", link, "forwarding")
}

// enableForwarding lets the host forward IPv4 packets that come in by link, and
// records it if that is new. The caller holds the machine's lock.
func enableForwarding(dir, link string) error {
	now, err := os.ReadFile(forwardingPath(link))
	if errors.Is(err, os.ErrNotExist) {
		return nil // the link has gone
	}
	if err != nil {
		return fmt.Errorf("reading whether %s forwards: %w", link, err)
	}
	if string(bytes.TrimSpace(now)) == "1" {
		return nil
	}
	// Recorded first: a kill in between may restore too much, never too little.
	if err := os.WriteFile(filepath.Join(dir, recordPrefix+link), nil, 0o600); err != nil {
		return fmt.Errorf("recording that %s did not forward: %w", link, err)
	}
	return sysctl("1", "ipv4/conf", link, "forwarding")
}

// restoreForwarding undoes enableForwarding for all links. Where somebody
// switched forwarding on for the whole machine meanwhile, it stays on. The
// caller holds the machine's lock and knows that no instance lives.
func restoreForwarding(dir string) error {
	names, err := readNames(dir)
	if err != nil {
		return err
	}
	all, err := os.ReadFile(forwardingPath("all"))
	if err != nil {
		return fmt.Errorf("reading whether the machine forwards: %w", err)
	}
	for _, n := range names {
		link, ok := strings.CutPrefix(n, recordPrefix)
		if !ok {
			continue
		}
		if string(bytes.TrimSpace(all)) == "0" {
			if err := os.WriteFile(forwardingPath(link), []byte("0"), 0o644); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("switching forwarding off on %s: %w", link, err)
			}
		}
		if err := os.Remove(filepath.Join(dir, n)); err != nil {
			return fmt.Errorf("forgetting that %s did not forward: %w", link, err)
		}
	}
	return nil
}
