package source_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/source"
)

// serve answers requests by a function that is told their number, from 1.
func serve(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, n int)) (url string, requests *atomic.Int64) {
	t.Helper()
	requests = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer(w, r, int(requests.Add(1)))
	}))
	t.Cleanup(server.Close)
	return server.URL, requests
}

func TestDownload(t *testing.T) {
	t.Parallel()
	data := gzipped(t, archive(t, file("a", "x", 0o644)))
	url, _ := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		user, password, _ := r.BasicAuth()
		if r.URL.RawQuery != "sig=s3cret" || user != "u" || password != "pw" || r.Header.Get("Accept-Encoding") != "identity" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Encoding", "gzip") // as some servers say of .tar.gz
		_, _ = w.Write(data)
	})
	f := newFetcher(t)
	got := f.fetch(strings.Replace(url, "http://", "http://u:pw@", 1) + "/source.tar.gz?sig=s3cret")
	if diff := cmp.Diff([]string{"644 a=x"}, tree(t, got.Dir)); diff != "" {
		t.Error(diff)
	}
	if !f.logged("Downloading "+url+"/source.tar.gz") || f.logged("s3cret") || f.logged("pw@") {
		t.Errorf("logged %q", f.log)
	}
}

func TestDownloadAgain(t *testing.T) {
	t.Parallel()
	data := gzipped(t, archive(t, file("a", strings.Repeat("x", 100_000), 0o644), folder("d", 0o755)))
	url, requests := serve(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		switch n {
		case 1:
			http.Error(w, "busy", http.StatusServiceUnavailable)
		case 2:
			w.Header().Set("Content-Length", "1000000")
			_, _ = w.Write(data)
			panic(http.ErrAbortHandler)
		default:
			_, _ = w.Write(data)
		}
	})
	got := newFetcher(t).fetch(url + "/x.tgz")
	if files := tree(t, got.Dir); len(files) != 2 || requests.Load() != 3 {
		t.Errorf("%d files after %d requests", len(files), requests.Load())
	}
}

func TestDownloadRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status   int
		body     string
		want     string
		code     drydock.Code
		requests int64
	}{
		"missing":   {http.StatusNotFound, "", "the server answered 404 Not Found", drydock.Invalid, 1},
		"forbidden": {http.StatusForbidden, "", "the server answered 403", drydock.Denied, 1},
		"broken":    {http.StatusInternalServerError, "", "the server answered 500", drydock.Unavailable, 3},
		"web page":  {http.StatusOK, "<html>", "is a web page", drydock.Invalid, 1},
		"no tar":    {http.StatusOK, strings.Repeat("FROM scratch\n", 100), "is no tar archive", drydock.Invalid, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, requests := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			})
			e := newFetcher(t).refused(strings.Replace(url, "//", "//user:s3cret@", 1)+"/x.tar?sig=s3cret", c.want)
			if e.Code != c.code || requests.Load() != c.requests || strings.Contains(e.Error(), "s3cret") {
				t.Errorf("%+v after %d requests", e, requests.Load())
			}
		})
	}
}

func TestDownloadNobodyThere(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(nil)
	server.Close()
	f := newFetcher(t)
	e := f.refused(server.URL+"/x.tar?sig=s3cret", "connection refused")
	if e.Code != drydock.Unavailable || strings.Contains(e.Error(), "s3cret") || f.logged("s3cret") {
		t.Errorf("%+v, %q", e, f.log)
	}
	f.refused("http:///x.tar?sig=s3cret", "not a valid URL")
}

func TestDownloadLimit(t *testing.T) {
	t.Parallel()
	url, requests := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		_, _ = w.Write(archive(t, file("a", strings.Repeat("x", 100_000), 0o644)))
	})
	f := newFetcher(t)
	f.Limits = source.Limits{Bytes: 5000}
	f.refused(url+"/x.tar", "unpacks to more than")
	if requests.Load() != 1 {
		t.Errorf("%d requests", requests.Load())
	}
}

func TestDownloadIsCancelled(t *testing.T) {
	t.Parallel()
	cause := errors.New("stopped by a test")
	ctx, cancel := context.WithCancelCause(t.Context())
	url, _ := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		cancel(cause)
		<-r.Context().Done()
	})
	f := newFetcher(t)
	if _, err := f.Fetch(ctx, url+"/x.tar"); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
	f.empty()
}
