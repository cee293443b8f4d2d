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

	ready chan T
	stop  chan struct{}
	once  sync.Once
	wg    sync.WaitGroup
}

// newPool returns a pool that begins to make size things; the caller closes it.
func newPool[T any](size int, make_ func() (T, error), free func(T) error) *pool[T] {
	p := &pool[T]{make: make_, free: free, ready: make(chan T, max(size-1, 0)), stop: make(chan struct{})}
	if size > 0 {
		p.wg.Go(p.fill)
	}
	return p
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
	select {
	case t := <-p.ready:
		return t, nil
	default:
		return p.make()
	}
}

// close stops the making and frees what is ready.
func (p *pool[T]) close() error {
	p.once.Do(func() { close(p.stop) })
	p.wg.Wait()
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
