package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/drydockhq/drydock"
)

const (
	downloadAttempts = 3
	downloadBackoff  = 250 * time.Millisecond // doubled after each attempt
)

// transient marks an error that another attempt may not meet.
type transient struct{ error }

func (t transient) Unwrap() error { return t.error }

// download unpacks a tarball from a URL. Like acb, it makes three attempts.
func (f *Fetcher) download(ctx context.Context, dir, spec string) error {
	u, err := url.Parse(spec)
	if err != nil || u.Host == "" {
		return drydock.Errorf(drydock.Invalid, "the source is not a valid URL")
	}
	f.logf("Downloading %s", redacted(u))
	for attempt := 1; ; attempt++ {
		err := f.attempt(ctx, dir, u)
		var again transient
		if !errors.As(err, &again) || attempt == downloadAttempts || ctx.Err() != nil {
			return unmarked(err)
		}
		f.logf("Downloading the source: %v; trying again", again.error)
		if err := empty(dir); err != nil {
			return err
		}
		select {
		case <-time.After(downloadBackoff << (attempt - 1)):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// unmarked takes the mark of a transient error away.
func unmarked(err error) error {
	var again transient
	if errors.As(err, &again) {
		return again.error
	}
	return err
}

// empty removes what an attempt left in a folder.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	if err != nil {
		return drydock.Errorf(drydock.Unavailable, "emptying the folder of the source: %w", err)
	}
	return nil
}

// attempt downloads and unpacks once.
func (f *Fetcher) attempt(ctx context.Context, dir string, u *url.URL) error {
	name := redacted(u)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return drydock.Errorf(drydock.Invalid, "the source is not a valid URL")
	}
	// What the server sends is what is unpacked, compressed or not.
	request.Header.Set("Accept-Encoding", "identity")
	client := f.HTTP
	if client == nil {
		client = &http.Client{}
	}
	response, err := client.Do(request)
	var refused *drydock.Error
	if errors.As(err, &refused) && refused.Code == drydock.Denied {
		return refusal("downloading "+name, refused)
	}
	if err != nil {
		return transient{drydock.Errorf(drydock.Unavailable, "downloading %s: %w", name, withoutURL(err))}
	}
	defer response.Body.Close()
	if err := status(response, name); err != nil {
		return err
	}
	body := &bodyReader{r: response.Body}
	err = f.unpack(ctx, dir, body, name)
	if body.err != nil && !errors.Is(body.err, io.EOF) {
		return transient{drydock.Errorf(drydock.Unavailable, "downloading %s: %w", name, body.err)}
	}
	return err
}

// refusal says what could not be done for a policy.
func refusal(doing string, why *drydock.Error) *drydock.Error {
	return &drydock.Error{Code: why.Code, Message: doing + ": " + why.Message, Hint: why.Hint, Err: why}
}

// status turns an answer without a file into an error.
func status(response *http.Response, name string) error {
	text := fmt.Sprintf("downloading %s: the server answered %s", name, response.Status)
	switch code := response.StatusCode; {
	case code == http.StatusOK:
		return nil
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return drydock.Errorf(drydock.Denied, "%s", text).WithHint("does the URL need a signature or a login, or is it out of date")
	case code >= 500 || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout:
		return transient{drydock.Errorf(drydock.Unavailable, "%s", text)}
	default:
		return drydock.Errorf(drydock.Invalid, "%s", text)
	}
}

// withoutURL strips the URL, which can hold a secret, from an error of net/http.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// bodyReader remembers why a download ended, to tell it from a broken archive.
type bodyReader struct {
	r   io.Reader
	err error
}

func (b *bodyReader) Read(buf []byte) (int, error) {
	n, err := b.r.Read(buf)
	if err != nil {
		b.err = err
	}
	return n, err
}

// redacted returns a URL for messages: without user, query and fragment, each of
// which can hold a secret (as the signature of a blob's URL does).
func redacted(u *url.URL) string {
	plain := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	return plain.String()
}
