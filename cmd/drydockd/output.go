package main

import (
	"context"
	"fmt"
	"io"
)

// watched is an output that ends a run when it can't be written any more.
type watched struct {
	io.Writer
	cancel context.CancelCauseFunc
}

// Write implements io.Writer.
func (w *watched) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if err != nil {
		w.cancel(fmt.Errorf("writing the output: %w", err))
	}
	return n, err
}
