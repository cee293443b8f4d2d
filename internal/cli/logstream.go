package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// stream reads what the server sends from where the last try has ended.
func (l *runLog) stream(ctx context.Context) (string, error) {
	answer, err := l.get(ctx, fmt.Sprintf("%s&offset=%d", l.follow, l.at))
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	n, err := io.Copy(l.to, answer.Body)
	l.at += n
	if err != nil {
		return "", err
	}
	if answer.Trailer.Get("x-ms-sealed") != "true" {
		return "", io.ErrUnexpectedEOF
	}
	return strings.ToLower(answer.Trailer.Get("x-ms-meta-Complete")), nil
}

func (s *session) get(ctx context.Context, link string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return nil, err
	}
	answer, err := s.http.Do(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("reading the log: %s", answer.Status), answer.Body.Close())
	}
	return answer, nil
}

// readLog copies a log that is whole.
func (r *registry) readLog(ctx context.Context, link string, w io.Writer) (int64, error) {
	answer, err := r.session.get(ctx, link)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	return io.Copy(w, answer.Body)
}
