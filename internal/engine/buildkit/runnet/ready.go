package runnet

import (
	"fmt"
	"time"

	"github.com/vishvananda/netlink"
)

// readyTimeout is far beyond what a link takes to come up.
const readyTimeout = 5 * time.Second

// waitUp waits until a link carries packets. One that was set up drops them
// until the kernel has noticed, in the background, that its other end is up,
// too; and a lost first packet costs the program that sent it a second. From
// Linux 6.13 on, asking for the link makes the kernel notice.
func waitUp(h *netlink.Handle, index int) error {
	deadline := time.Now().Add(readyTimeout)
	for pause := 50 * time.Microsecond; ; pause *= 2 {
		l, err := h.LinkByIndex(index)
		if err != nil {
			return fmt.Errorf("waiting for a link: %w", err)
		}
		if l.Attrs().OperState == netlink.OperUp {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("waiting for link %s: it is still %s after %s", l.Attrs().Name, l.Attrs().OperState, readyTimeout)
		}
		time.Sleep(min(pause, 5*time.Millisecond))
	}
}
