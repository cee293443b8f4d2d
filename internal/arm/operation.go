package arm

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"sync"
	"time"

	"github.com/drydockhq/drydock"
)

// pollSeconds is what clients are told to wait between two looks at an
// operation. Without it they wait half a minute.
const pollSeconds = "1"

// operationKept is for how long the end of an operation can be asked for.
const operationKept = time.Hour

var operationID = regexp.MustCompile(`^[A-Za-z0-9_-]{16,1000}$`)

// operation is something that goes on after its request was answered.
type operation struct {
	done  chan struct{}
	err   error     // once done
	ended time.Time // once done
}

// failure returns how an operation failed, or nil. Its status is never one that
// clients take for trouble with the question, which they put again for ever (408,
// 429 and 5xx): the operation has ended.
func (op *operation) failure(key operationKey) error {
	if op.err == nil {
		return nil
	}
	e, known := apiErrorOf(op.err)
	switch {
	case !known:
		return badRequest(key.Failure, "The server met an error of its own. Its log says more under the id of the operation, %s.", key.Number)
	case e.Status >= http.StatusInternalServerError:
		return badRequest(key.Failure, "%s", e.Message)
	}
	return e
}

// operations are those of this process, by their ids. A deletion that another
// process began is known by its resource.
type operations struct {
	mu   sync.Mutex
	open map[string]*operation
}

// operationKey is what an operation's id holds, sealed: who has the id may ask.
type operationKey struct {
	Deletes   string `json:",omitempty"` // id of the resource, for a deletion
	Failure   string // error code if it does not succeed for a reason that has none
	Number    string // makes ids differ
	Principal string
}

const operationPurpose = "operation"

// begin carries out work in the background and returns its operation's id.
func (s *Server) begin(key operationKey, work func(ctx context.Context) error) (string, *operation, error) {
	key.Number = s.c.NewID()
	text, err := json.Marshal(key)
	if err != nil {
		return "", nil, fmt.Errorf("naming an operation: %w", err)
	}
	id := base64.RawURLEncoding.EncodeToString(s.c.Sealer.Seal(text, operationPurpose))
	op := &operation{done: make(chan struct{})}
	s.operations.add(id, op, s.c.Now())
	s.work.Go(func() {
		err := s.carryOut(key, work)
		s.operations.mu.Lock()
		op.err, op.ended = err, s.c.Now()
		s.operations.mu.Unlock()
		close(op.done)
	})
	return id, op, nil
}

// carryOut does the work of an operation and logs how that failed.
func (s *Server) carryOut(key operationKey, work func(ctx context.Context) error) error {
	err := work(s.background)
	if err == nil {
		return nil
	}
	if s.background.Err() != nil {
		return key.interrupted()
	}
	level := slog.LevelWarn
	if _, known := apiErrorOf(err); !known {
		level = slog.LevelError
	}
	s.c.Log.Log(s.background, level, "an operation failed", "operation", key.Number, "code", key.Failure, "error", err)
	return err
}

// interrupted is the error of an operation that the end of the server cut off.
func (k operationKey) interrupted() error {
	if k.Deletes != "" {
		return conflict("OperationInterrupted", "The deletion was cut off by a restart of the server, which goes on with it.")
	}
	return conflict("OperationInterrupted", "The operation was cut off by a restart of the server. Begin it again.")
}

func (o *operations) add(id string, op *operation, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for old, done := range o.open {
		if !done.ended.IsZero() && now.Sub(done.ended) > operationKept {
			delete(o.open, old)
		}
	}
	o.open[id] = op
}

func (o *operations) get(id string) *operation {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.open[id]
}

// accepted is the answer that sends a client to an operation.
func (s *Server) accepted(req *request, id string) *answer {
	link := baseURL(req.Request) + "/subscriptions/" + s.c.Subscription + "/operationresults/" + id +
		"?api-version=" + url.QueryEscape(req.query.Get("api-version"))
	return (&answer{status: http.StatusAccepted}).with("Location", link)
}

// goesOn reports whether clients ask again after an answer: it is none yet, or it
// shows a resource that something is still done to.
func (a *answer) goesOn() bool {
	if a.status == http.StatusAccepted {
		return true
	}
	doc, _ := a.body.(object)
	switch text(doc, "properties.provisioningState") {
	case "", succeeded, "Failed", "Canceled":
		return false
	}
	return true
}

func baseURL(r *http.Request) string {
	if r.TLS == nil {
		return "http://" + r.Host
	}
	return "https://" + r.Host
}

// showOperation tells whether an operation has ended, and how.
func (s *Server) showOperation(req *request) (*answer, error) {
	id := req.params["operationId"]
	key, err := s.openOperation(id)
	if err != nil || key.Principal != req.principal.ID {
		return nil, notFound("OperationNotFound", "There is no such operation.")
	}
	pending := s.accepted(req, id)
	if op := s.operations.get(id); op != nil {
		select {
		case <-op.done:
			if err := op.failure(key); err != nil {
				return nil, err
			}
			return &answer{status: http.StatusOK}, nil
		default:
			return pending, nil
		}
	}
	return s.olderOperation(req, key, pending)
}

// olderOperation answers for an operation of before the last start.
func (s *Server) olderOperation(req *request, key operationKey, pending *answer) (*answer, error) {
	target, err := drydock.ParseResourceID(key.Deletes)
	if err != nil {
		return nil, key.interrupted()
	}
	st, err := s.load(req.Context(), target)
	switch {
	case err != nil:
		return nil, err
	case st.deleting():
		return pending, nil
	case st.exists():
		return nil, conflict("OperationInterrupted", "The deletion was cut off by a restart of the server, or the name is used again.")
	}
	return &answer{status: http.StatusOK}, nil
}

func (s *Server) openOperation(id string) (operationKey, error) {
	var key operationKey
	sealed, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil {
		return key, errors.New("no operation's id")
	}
	text, err := s.c.Sealer.Open(sealed, operationPurpose)
	if err != nil {
		return key, err
	}
	return key, json.Unmarshal(text, &key)
}
