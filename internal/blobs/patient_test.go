package blobs_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/drydockhq/drydock/internal/blobs"
)

// A connection is good for more requests after the time that one may stall.
func TestConnectionsOutliveTheirDeadlines(t *testing.T) {
	t.Parallel()
	const stall = 100 * time.Millisecond
	s := newService(t, t.TempDir(), 100, func(h *blobs.Handler) { h.Stall = stall })
	url := s.url(key, "rcw")
	s.do(t, "PUT", url, "0123456789", "x-ms-blob-type", "BlockBlob")
	for range 3 {
		if resp, body := s.do(t, "GET", url, ""); resp.StatusCode != 200 || body != "0123456789" {
			t.Error(resp.Status, body)
		}
		time.Sleep(2 * stall)
	}
}

func TestStalledUploadIsDropped(t *testing.T) {
	t.Parallel()
	s := newService(t, t.TempDir(), 100, func(h *blobs.Handler) { h.Stall = 50 * time.Millisecond })
	body, feed := io.Pipe()
	defer feed.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.url(key, "cw"), body)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = 50
	req.Header.Set("x-ms-blob-type", "BlockBlob")
	go func() { _, _ = io.WriteString(feed, "0123456789") }()
	if resp, err := s.client.Do(req); err == nil {
		resp.Body.Close()
		if resp.StatusCode < 400 {
			t.Error(resp.Status)
		}
	}
	if resp, _ := s.do(t, "HEAD", s.url(key, "r"), ""); resp.StatusCode != 404 {
		t.Error("half a blob is there:", resp.Status)
	}
}
