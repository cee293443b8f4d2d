package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/hook"
	"github.com/drydockhq/drydock/internal/pause"
)

const (
	// patience is how long an answer may take.
	patience = 15 * time.Second
	// answerKept is how much of an answer is kept, in bytes.
	answerKept = 2 << 10
)

// The headers that messages have. The signature has the name and form that
// GitHub's webhooks made common, so that what checks theirs checks ours.
const (
	actionHeader    = "X-Drydock-Event"
	idHeader        = "X-Drydock-Delivery"
	attemptHeader   = "X-Drydock-Attempt"
	signatureHeader = "X-Hub-Signature-256"
)

// post sends a message. The outage is nil if it was taken.
func (s *Sender) post(ctx context.Context, d drydock.Delivery, target drydock.DeliveryTarget, body []byte) (drydock.DeliveryAttempt, *outage) {
	a := drydock.DeliveryAttempt{Time: s.Now()}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("no answer in %s", patience))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.URL, bytes.NewReader(body))
	if err != nil {
		a.Reason = "the URL can't be used"
		return a, &outage{refused: true}
	}
	setHeaders(req, d, target, body)
	a.Headers = shownHeaders(req.Header, target)
	answer, err := s.HTTP.Do(req)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		a.Reason = plainReason(err)
		return a, &outage{refused: errors.Is(err, errForbidden)}
	}
	defer answer.Body.Close()
	a.Status, a.Reason = answer.StatusCode, http.StatusText(answer.StatusCode)
	a.Version = fmt.Sprintf("%d.%d", answer.ProtoMajor, answer.ProtoMinor)
	a.Answered = flatHeaders(answer.Header)
	// What can't be read of an answer changes nothing.
	content, _ := io.ReadAll(io.LimitReader(answer.Body, answerKept))
	a.Content = strings.ToValidUTF8(string(content), string(utf8.RuneError))
	if answer.StatusCode/100 == 2 {
		return a, nil
	}
	return a, &outage{refused: refusal(answer.StatusCode), after: pause.Asked(answer.Header, a.Time)}
}

// refusal reports that a status is about the message rather than about the other
// side as a whole.
func refusal(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return status < 500
}

func setHeaders(req *http.Request, d drydock.Delivery, target drydock.DeliveryTarget, body []byte) {
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "drydock")
	for name, value := range target.Headers {
		req.Header.Set(name, value)
	}
	req.Header.Set(actionHeader, d.Action)
	req.Header.Set(idHeader, d.ID)
	req.Header.Set(attemptHeader, strconv.Itoa(d.Attempts+1))
	if target.Secret != "" {
		req.Header.Set(signatureHeader, "sha256="+hook.Signature(target.Secret, body))
	}
}

// shownHeaders are the headers of a request with the values of the owner's own
// masked: tokens are among them.
func shownHeaders(h http.Header, target drydock.DeliveryTarget) map[string]string {
	shown := flatHeaders(h)
	for name := range target.Headers {
		shown[http.CanonicalHeaderKey(name)] = "***"
	}
	return shown
}

// flatHeaders returns some headers, not all that somebody may send.
func flatHeaders(h http.Header) map[string]string {
	flat := map[string]string{}
	for name, values := range h {
		if len(flat) == 50 {
			break
		}
		value := strings.ToValidUTF8(strings.Join(values, ", "), string(utf8.RuneError))
		if name != "Set-Cookie" && len(value) <= 1024 {
			flat[name] = value
		}
	}
	return flat
}

// plainReason says what is wrong without the URL, which may be secret.
func plainReason(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return err.Error()
}
