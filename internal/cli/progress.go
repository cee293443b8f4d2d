package cli

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/docker/go-units"
)

// progressEvery is how often a terminal is told how far something is.
const progressEvery = 100 * time.Millisecond

// progress shows how much was sent and how fast.
type progress struct {
	app   *app
	what  string
	began time.Time
	shown bool // whether there is a terminal to show it at

	mu    sync.Mutex
	sent  int64
	drawn time.Time
	took  time.Duration
}

func (a *app) newProgress(what string) *progress {
	return &progress{app: a, what: what, began: a.Now(), shown: isTerminal(a.Stderr) && !a.global.onlyErrors}
}

// reader counts what is read.
func (p *progress) reader(r io.Reader) io.Reader { return &countingReader{r, p} }

type countingReader struct {
	io.Reader
	progress *progress
}

func (c *countingReader) Read(buf []byte) (int, error) {
	n, err := c.Reader.Read(buf)
	c.progress.add(int64(n))
	return n, err
}

func (p *progress) add(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent += n
	now := p.app.Now()
	p.took = now.Sub(p.began)
	if p.shown && now.Sub(p.drawn) >= progressEvery {
		p.drawn = now
		fmt.Fprintf(p.app.Stderr, "\r\x1b[K%s %s", p.what, p.text())
	}
}

// end takes the line away again.
func (p *progress) end() {
	if p.shown {
		fmt.Fprint(p.app.Stderr, "\r\x1b[K")
	}
}

// String returns the size and the speed.
func (p *progress) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text()
}

func (p *progress) text() string {
	size := units.BytesSize(float64(p.sent))
	seconds := p.took.Seconds()
	if seconds < 0.001 {
		return size
	}
	return fmt.Sprintf("%s in %.1fs, %s/s", size, seconds, units.BytesSize(float64(p.sent)/seconds))
}
