package githost

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/pause"
)

// maxAnswer is how much of an answer is read, in bytes.
const maxAnswer = 16 << 20

// timeout is how long a request may take.
const timeout = 20 * time.Second

// client calls the API of a host.
type client struct {
	http   *http.Client
	base   string // URL that paths are added to, without a final slash
	header http.Header
	now    func() time.Time
}

// tooSoon is the error of a host that wants to be left alone for a while.
type tooSoon struct{ until time.Time }

// Error says until when.
func (e *tooSoon) Error() string {
	return "the host wants no requests until " + e.until.UTC().Format(time.RFC3339)
}

// RetryAfter returns until when a host wants to be left alone, if that is what
// an error says.
func RetryAfter(err error) (time.Time, bool) {
	var e *tooSoon
	if errors.As(err, &e) {
		return e.until, true
	}
	return time.Time{}, false
}

// call sends a request and decodes the answer into out, unless that is nil. It
// returns the header of the answer, if there was one. Doing says in errors what
// was being done.
func (c *client) call(ctx context.Context, doing, method, path string, in, out any) (http.Header, error) {
	resp, body, err := c.do(ctx, method, path, in)
	if err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "%s: %w", doing, err)
	}
	if err := c.refused(resp, body); err != nil {
		return resp.Header, wrapped(doing, err)
	}
	if out == nil {
		return resp.Header, nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return resp.Header, drydock.Errorf(drydock.Unavailable, "%s: the answer is not what was expected: %w", doing, err)
	}
	return resp.Header, nil
}

// do sends a request and reads the answer, whatever that is. The error says why
// there is none.
func (c *client) do(ctx context.Context, method, path string, in any) (*http.Response, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return nil, nil, fmt.Errorf("writing the request: %w", err)
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, nil, errors.New("the address is not valid")
	}
	for name, values := range c.header {
		req.Header[name] = values
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, nil, withoutURL(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, nil, fmt.Errorf("reading the answer: %w", err)
	}
	return resp, text, nil
}

// wrapped says in an error what was being done, and keeps its code.
func wrapped(doing string, err error) error {
	return drydock.Errorf(drydock.CodeOf(err), "%s: %w", doing, err)
}

// withoutURL returns why a request failed; its URL says nothing new.
func withoutURL(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// refused returns the error of an answer that is one.
func (c *client) refused(resp *http.Response, body []byte) error {
	status := resp.StatusCode
	// Azure DevOps answers 203 with a page to sign in instead of 401.
	if status >= 200 && status < 300 && status != http.StatusNonAuthoritativeInfo {
		return nil
	}
	e := &drydock.Error{Code: drydock.Unavailable, Message: "the host says " + strings.TrimSpace(resp.Status)}
	if text := said(body); text != "" {
		e.Message += ": " + text
	}
	switch {
	case status == http.StatusNonAuthoritativeInfo || status == http.StatusUnauthorized:
		e.Code = drydock.Denied
	case status == http.StatusTooManyRequests, status == http.StatusForbidden && resp.Header.Get("X-RateLimit-Remaining") == "0",
		status == http.StatusForbidden && resp.Header.Get("Retry-After") != "":
		e.Err = &tooSoon{c.until(resp.Header)}
	case status == http.StatusForbidden:
		e.Code = drydock.Denied
	case status == http.StatusNotFound || status == http.StatusGone:
		e.Code = drydock.NotFound
	case status >= 400 && status < 500 && status != http.StatusRequestTimeout:
		e.Code = drydock.Invalid
	}
	return e
}

// until reads when a host takes requests again: in a minute, if it does not say.
func (c *client) until(h http.Header) time.Time {
	now := c.now()
	return now.Add(cmp.Or(pause.Asked(h, now), time.Minute))
}

// said returns what an answer says of its error, in one short line.
func said(body []byte) string {
	var answer struct {
		Message any             `json:"message"`
		Error   any             `json:"error"`
		Errors  json.RawMessage `json:"errors"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	text, _ := answer.Message.(string)
	if text == "" {
		text, _ = answer.Error.(string)
	}
	if len(answer.Errors) > 2 && len(answer.Errors) < 200 {
		text += " " + string(answer.Errors)
	}
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > 300 {
		text = string(runes[:300]) + "…"
	}
	return text
}

// gone makes it no error that something is not there.
func gone(err error) error {
	if drydock.CodeOf(err) == drydock.NotFound {
		return nil
	}
	return err
}

// hidden makes "not found" mean that the token may not: GitHub does not say that
// something is there to those who may not have it.
func hidden(err error, hint string) error {
	code := drydock.CodeOf(err)
	if code != drydock.NotFound && code != drydock.Denied {
		return err
	}
	return drydock.Errorf(drydock.Denied, "%w", err).WithHint("%s", hint)
}

// pages calls f with the numbers of pages, from 1, until it has no more.
func pages(limit int, f func(page int) (more bool, err error)) (whole bool, err error) {
	for page := 1; page <= limit; page++ {
		more, err := f(page)
		if err != nil || !more {
			return true, err
		}
	}
	return false, nil
}

// cut shortens a text for hosts that take no more.
func cut(text string, limit int) string {
	runes := []rune(text)
	if len(runes) <= limit {
		return text
	}
	return string(runes[:limit-1]) + "…"
}
