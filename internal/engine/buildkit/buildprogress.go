package buildkit

import (
	"context"
	"slices"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/util/progress/progressui"
)

// show shows the build's progress as `docker build` does, until status is
// closed.
func (b *build) show(status chan *client.SolveStatus) {
	display, done, err := b.display()
	if err != nil {
		for range status {
			continue
		}
		return
	}
	defer done()
	// It ends without an error, or with one that the solve returns as well.
	_, _ = display.UpdateFrom(context.Background(), status)
}

// display returns a live display on the terminal that is lent for it, or lines
// on the build's output.
func (b *build) display() (display progressui.Display, done func(), err error) {
	done = func() {}
	progress := b.Flags.Progress
	switch {
	case b.Flags.Quiet, progress == "quiet", progress == "none":
		display, err = progressui.NewDisplay(b.Out, progressui.QuietMode)
		return display, done, err
	case b.Terminal != nil && slices.Contains([]string{"", "auto", "tty"}, progress):
		if terminal, release := b.Terminal(); terminal != nil {
			if display, err = progressui.NewDisplay(terminal, progressui.TtyMode); err == nil {
				return display, release, nil
			}
			release()
		}
	}
	display, err = progressui.NewDisplay(b.Out, progressui.PlainMode)
	return display, done, err
}
