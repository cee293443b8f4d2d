package cli

import (
	"fmt"
	"io"
	"net/http"
	"time"
)

// tracer shows requests and their answers, without headers and bodies: those
// hold secrets.
type tracer struct {
	next *http.Client
	out  io.Writer
}

// Do implements policy.Transporter.
func (t *tracer) Do(r *http.Request) (*http.Response, error) {
	began := time.Now()
	shown := *r.URL
	if shown.Query().Has("sig") {
		shown.RawQuery = "…"
	}
	answer, err := t.next.Do(r)
	took := time.Since(began).Round(time.Millisecond)
	if err != nil {
		fmt.Fprintf(t.out, "DEBUG: %s %s: %v (%v)\n", r.Method, &shown, err, took)
		return answer, err
	}
	fmt.Fprintf(t.out, "DEBUG: %s %s: %s, %d bytes (%v)\n", r.Method, &shown, answer.Status, answer.ContentLength, took)
	return answer, nil
}
