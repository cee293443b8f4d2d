package engine

import (
	"context"
	"fmt"
	"io"
	"time"
)

// maxPushes is how often ACR tries to push an image.
const maxPushes = 3

// push pushes the images of a push step one after the other.
func (r *run) push(ctx context.Context, j *job) error {
	if r.spec.Untrusted {
		r.engine.Log.Printf("Pushing nothing: strangers wrote what is run, and it is not trusted")
		return nil
	}
	out := r.engine.Log.Stream(j.ID, "stdout")
	defer func() { _ = out.Close() }() // see streams.close
	for _, image := range j.Push {
		if err := r.pushImage(ctx, image, out); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) pushImage(ctx context.Context, image string, out io.Writer) error {
	log := r.engine.Log
	for attempt := 1; ; attempt++ {
		log.Printf("Pushing image: %s, attempt %d", image, attempt)
		digest, err := r.session.Push(ctx, image, out)
		if err == nil {
			log.Printf("Successfully pushed image: %s", image)
			_, _ = fmt.Fprintf(out, "%s: digest: %s\n", image, digest)
			return nil
		}
		if attempt == maxPushes || ctx.Err() != nil {
			return err
		}
		_, _ = fmt.Fprintln(out, err)
		if err := pause(ctx, r.engine.backoff(attempt)); err != nil {
			return err
		}
	}
}

func (e *Engine) backoff(attempt int) time.Duration {
	if e.Backoff != nil {
		return e.Backoff(attempt)
	}
	return min(250*time.Millisecond<<(attempt-1), 5*time.Second)
}
