package cli

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// logTries is how often a broken connection is made again in a row.
const logTries = 5

// showLog writes the log of a run to standard output, as it comes, until the run
// has ended. It returns how that was, as ACR's logs have it; "" if the log does
// not say.
func (r *registry) showLog(c *call, id string, raw bool, names *strings.Replacer) (end string, err error) {
	links, err := r.do(c.ctx, request{method: http.MethodPost, path: r.path + "/runs/" + escape(id) + "/listLogSasUrl", version: tasksVersion})
	if err != nil {
		return "", err
	}
	w := &logWriter{w: c.Stdout}
	if !raw {
		w.color, w.names = c.colors(c.Stdout), names
	}
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
