package instance

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/drydockhq/drydock"
)

// probe looks at a container until ctx ends.
func (l *life) probe(ctx context.Context, work *sync.WaitGroup) {
	if p := l.spec.Ready; p != nil {
		work.Go(func() {
			l.look(ctx, p, func(well bool) {
				l.mu.Lock()
				l.ready = well
				l.mu.Unlock()
			})
		})
	}
	if p := l.spec.Alive; p != nil {
		work.Go(func() {
			l.look(ctx, p, func(well bool) {
				if !well {
					l.event("Unhealthy", "Warning", "Liveness probe failed: the container is killed")
					_ = l.d.pod.Signal(l.spec.Name, syscall.SIGKILL) // it is tried again at the next look
				}
			})
		})
	}
}

// look tells when a probe has succeeded or failed as often in a row as counts.
func (l *life) look(ctx context.Context, p *drydock.Probe, tell func(well bool)) {
	good, bad := 0, 0
	for wait := p.Delay; ; wait = p.Period {
		timer := time.NewTimer(time.Duration(wait) * time.Second)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		if l.well(ctx, p) {
			good, bad = good+1, 0
		} else {
			good, bad = 0, bad+1
		}
		switch {
		case ctx.Err() != nil:
			return
		case good >= p.SuccessThreshold && good > 0:
			tell(true)
		case bad >= p.FailureThreshold:
			tell(false)
		}
	}
}

// well is one look.
func (l *life) well(ctx context.Context, p *drydock.Probe) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(p.Timeout)*time.Second)
	defer cancel()
	if len(p.Exec) > 0 {
		status, err := l.d.pod.Exec(ctx, l.spec.Name, ExecSpec{Command: p.Exec, Output: io.Discard})
		return err == nil && status == 0
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL, nil)
	if err != nil {
		return false
	}
	for _, h := range p.Headers {
		req.Header.Add(h[0], h[1])
	}
	resp, err := l.client().Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode >= 200 && resp.StatusCode < 400
}

// client reaches the pod's own network and nothing else, and follows nobody out
// of it.
func (l *life) client() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				return l.dial(ctx, network, address)
			},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (l *life) dial(ctx context.Context, network, address string) (net.Conn, error) {
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return nil, &url.Error{Op: "dial", URL: address, Err: err}
	}
	return l.d.pod.Dial(ctx, network, uint16(port))
}
