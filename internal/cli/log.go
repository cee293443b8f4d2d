package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"

	"github.com/drydockhq/drydock"
)

// logTries is how often a broken connection is made again in a row.
const logTries = 5

// showLog writes the log of a run to standard output, as it comes, until the run
// has ended. It returns how that was, as ACR's logs have it; "" if the log does
// not say.
func (r *registry) showLog(c *call, id string, raw bool) (end string, err error) {
	links, err := r.do(c.ctx, request{method: http.MethodPost, path: r.path + "/runs/" + escape(id) + "/listLogSasUrl", version: tasksVersion})
	if err != nil {
		return "", err
	}
	w := &logWriter{w: c.Stdout, color: !raw && c.colors(c.Stdout)}
	defer func() { err = errors.Join(err, w.Close()) }()
	if link := text(links, "logArtifactLink"); link != "" {
		_, err := r.readLog(c.ctx, link, w)
		return "", err
	}
	log := &runLog{session: r.session, link: text(links, "logLink"), follow: text(links, "logFollowLink"), to: w}
	if log.link == "" {
		return "", drydock.Errorf(drydock.Failed, "the server gives no link to the log of the run %s", id)
	}
	return log.copy(c.ctx)
}

// runLog is the log of a run while it is read.
type runLog struct {
	*session
	link   string // to the blob
	follow string // to a stream that ends with the run; "" if there is none
	to     io.Writer
	at     int64 // bytes that were read
}

func (l *runLog) copy(ctx context.Context) (string, error) {
	for failures := 0; l.follow != "" && failures < logTries; failures++ {
		before := l.at
		end, err := l.stream(ctx)
		if err == nil || ctx.Err() != nil {
			return end, err
		}
		if l.at > before {
			failures = 0
		}
		if err := l.app.Sleep(ctx, time.Duration(failures)*200*time.Millisecond); err != nil {
			return "", err
		}
	}
	return l.poll(ctx)
}

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

// poll reads the log as ACR's clients do: it asks for the length of the blob,
// reads what is new, and ends when the blob's metadata says how the run was.
func (l *runLog) poll(ctx context.Context) (string, error) {
	client, err := blob.NewClientWithNoCredential(l.link, &blob.ClientOptions{ClientOptions: l.clientOptions()})
	if err != nil {
		return "", drydock.Errorf(drydock.Failed, "the server's link to the log is broken: %w", err)
	}
	for pause := shortestWait; ; {
		end, size, err := l.look(ctx, client)
		if err != nil {
			return "", err
		}
		if size > l.at {
			pause = shortestWait
			if err := l.part(ctx, client, size); err != nil {
				return "", err
			}
			continue // what is complete is read to its end before that is believed
		}
		if end != "" {
			return end, nil
		}
		if err := l.app.Sleep(ctx, pause); err != nil {
			return "", err
		}
		pause = min(pause*3/2, longestWait)
	}
}

// look returns how the run was, if that is known, and the length of the log. A
// log that is not there yet is empty.
func (l *runLog) look(ctx context.Context, client *blob.Client) (end string, size int64, err error) {
	p, err := client.GetProperties(ctx, nil)
	var answer *azcore.ResponseError
	if errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, fmt.Errorf("asking for the log: %w", err)
	}
	for name, value := range p.Metadata {
		if strings.EqualFold(name, "complete") && value != nil {
			end = strings.ToLower(*value)
		}
	}
	if p.ContentLength != nil {
		size = *p.ContentLength
	}
	return end, size, nil
}

func (l *runLog) part(ctx context.Context, client *blob.Client, size int64) error {
	answer, err := client.DownloadStream(ctx, &blob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: l.at, Count: size - l.at}})
	if err != nil {
		return fmt.Errorf("reading the log: %w", err)
	}
	defer answer.Body.Close()
	n, err := io.Copy(l.to, answer.Body)
	l.at += n
	if err != nil && n == 0 {
		return fmt.Errorf("reading the log: %w", err)
	}
	return nil
}
