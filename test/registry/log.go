package registry

import (
	"context"
	"io"
	"net/http"
	"sync"
)

// requestLog keeps what was asked, and knows which requests are being answered.
type requestLog struct {
	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at each change
	requests []*Request
	active   int
	draining bool
}

func newRequestLog() *requestLog { return &requestLog{changed: make(chan struct{})} }

// change runs f with the log locked and wakes those who wait.
func (l *requestLog) change(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	close(l.changed)
	l.changed = make(chan struct{})
}

// wrap logs the requests to h: when they come, and again before the first byte
// of the answer leaves, so that a client that has its answer finds it counted.
func (l *requestLog) wrap(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entry, draining := newRequest(r), false
		l.change(func() {
			if draining = l.draining; !draining {
				l.requests = append(l.requests, entry)
				l.active++
			}
		})
		if draining {
			panic(http.ErrAbortHandler)
		}
		defer l.change(func() { l.active-- })
		rec := &recorder{ResponseWriter: w, log: l, entry: entry}
		r.Body = &countedBody{ReadCloser: r.Body, log: l, entry: entry}
		h.ServeHTTP(rec, r)
		rec.answered(http.StatusOK)
	})
}

// drain lets no further request in and waits for those that are.
func (l *requestLog) drain() {
	l.change(func() { l.draining = true })
	_ = l.wait(context.Background(), func() bool { return l.active == 0 })
}

// wait waits until done, which is called with the log locked, returns true.
func (l *requestLog) wait(ctx context.Context, done func() bool) error {
	for {
		l.mu.Lock()
		finished, changed := done(), l.changed
		l.mu.Unlock()
		if finished {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// copy returns the requests so far. The caller holds the lock.
func (l *requestLog) copy() []Request {
	requests := make([]Request, len(l.requests))
	for i, r := range l.requests {
		requests[i] = *r
	}
	return requests
}

// Requests returns every request so far, in the order in which they came.
func (r *Registry) Requests() []Request {
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	return r.log.copy()
}

// Count returns how many requests were answered so far; see Counts.Sub for those
// of a while.
func (r *Registry) Count() Counts {
	var c Counts
	for _, request := range r.Requests() {
		c.add(&request)
	}
	return c
}

// Wait returns when done returns true for the requests so far. It asks at each
// change: a request came, or was answered. An error is ctx's.
func (r *Registry) Wait(ctx context.Context, done func([]Request) bool) error {
	return r.log.wait(ctx, func() bool { return done(r.log.copy()) })
}

// recorder notes the status of an answer.
type recorder struct {
	http.ResponseWriter
	log   *requestLog
	entry *Request
	done  bool
}

func (r *recorder) answered(status int) {
	if r.done || status < 200 {
		return
	}
	r.done = true
	r.log.change(func() { r.entry.Status = status })
}

// WriteHeader notes the status and passes it on.
func (r *recorder) WriteHeader(status int) {
	r.answered(status)
	r.ResponseWriter.WriteHeader(status)
}

// Write passes p on.
func (r *recorder) Write(p []byte) (int, error) {
	r.answered(http.StatusOK)
	return r.ResponseWriter.Write(p)
}

// Unwrap returns the writer below, for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// countedBody counts what is read of a request's body.
type countedBody struct {
	io.ReadCloser
	log   *requestLog
	entry *Request
}

// Read reads from the body.
func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.log.mu.Lock()
	b.entry.BodyBytes += int64(n)
	b.log.mu.Unlock()
	return n, err
}
