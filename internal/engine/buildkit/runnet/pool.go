package runnet

import (
	"context"
	"errors"
	"sync"
)

// pool keeps a few things ready, made in the background.
type pool[T any] struct {
	make func() (T, error)
	free func(T) error

	size    int
	ready   chan T
	stop    chan struct{}
	starts  sync.Once
	stops   sync.Once
	filling sync.WaitGroup
}

// newPool returns a pool that keeps size things from its first use or start on;
// the caller closes it.
func newPool[T any](size int, make_ func() (T, error), free func(T) error) *pool[T] {
	// The filler has one more in its hand.
	return &pool[T]{make: make_, free: free, size: size, ready: make(chan T, max(size-1, 0)), stop: make(chan struct{})}
}

// start begins to fill the pool.
func (p *pool[T]) start() {
	p.starts.Do(func() {
		if p.size > 0 {
			p.filling.Go(p.fill)
		}
	})
}

func (p *pool[T]) fill() {
	for {
		select {
		case <-p.stop:
			return
		default:
		}
		t, err := p.make()
		if err != nil {
			// get makes its own, and reports why it can't.
			return
		}
		select {
		case p.ready <- t:
		case <-p.stop:
			_ = p.free(t)
			return
		}
	}
}

// get returns a thing that is ready, or makes one.
func (p *pool[T]) get(ctx context.Context) (T, error) {
	var zero T
	if err := context.Cause(ctx); err != nil {
		return zero, err
	}
	p.start()
	select {
	case t := <-p.ready:
		return t, nil
	default:
		return p.make()
	}
}

// close stops the making and frees what is ready. No get may follow.
func (p *pool[T]) close() error {
	p.starts.Do(func() {}) // never starts now
	p.stops.Do(func() { close(p.stop) })
	p.filling.Wait()
	var errs []error
	for {
		select {
		case t := <-p.ready:
			errs = append(errs, p.free(t))
		default:
			return errors.Join(errs...)
		}
	}
}
