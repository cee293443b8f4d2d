package buildkit

import (
	"context"
	"fmt"
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
	// It ends without an error, or with one that the solve returns as well.
	warnings, _ := display.UpdateFrom(context.Background(), plainStatus(status))
	done()
	b.showWarnings(warnings)
}

// showWarnings lists what the frontend finds wrong with the Dockerfile, as
// `docker build` does: the display leaves some out, and they scroll away.
func (b *build) showWarnings(warnings []client.VertexWarning) {
	if b.quiet() || len(warnings) == 0 {
		return
	}
	fmt.Fprintf(b.Out, "Warnings found in the Dockerfile:\n")
	for _, w := range warnings {
		fmt.Fprintf(b.Out, " - %s\n", w.Short)
	}
}

// quiet reports whether the flags want no progress.
func (b *build) quiet() bool {
	return b.Flags.Quiet || b.Flags.Progress == "quiet" || b.Flags.Progress == "none"
}

// display returns a live display on the terminal that is lent for it, or lines
// on the build's output.
func (b *build) display() (display progressui.Display, done func(), err error) {
	done = func() {}
	progress := b.Flags.Progress
	switch {
	case b.quiet():
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
