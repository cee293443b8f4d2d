package buildkit

import (
	"io"

	"github.com/sirupsen/logrus"
)

// LogTo sends what BuildKit and containerd log of themselves, all of it or
// nothing that users need, to w. Their logger is one for the process.
func LogTo(w io.Writer) { logrus.SetOutput(w) }
