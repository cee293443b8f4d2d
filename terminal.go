package drydock

import "io"

// Terminal is a terminal that progress can be drawn on. What is written to it
// is masked like the log.
type Terminal interface {
	io.ReadWriteCloser
	Fd() uintptr
	Name() string
}
