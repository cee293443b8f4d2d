package registry

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Fault is something that goes wrong with requests. The fields apply in their
// order; without Hang, Drop and Status the request is answered as usual.
type Fault struct {
	// Match says which requests are hit; nil hits all. See On.
	Match func(*http.Request) bool
	// Times is how many requests are hit, 0 for all.
	Times int
	// Delay holds the request for so long.
	Delay time.Duration
	// Hang holds the request until its client gives up or the registry closes.
	Hang bool
	// Drop closes the connection without an answer.
	Drop bool
	// Status is answered instead of what the registry would, with Header and an
	// error body of the distribution specification.
	Status int
	Header http.Header
}

// On matches requests of a method and a kind, either of which may be "" for all.
func On(method string, kind Kind) func(*http.Request) bool {
	return func(r *http.Request) bool {
		k, _, _ := route(r.URL.Path)
		return (method == "" || r.Method == method) && (kind == "" || k == kind)
	}
}

// Inject makes a fault happen from now on, until remove is called. Of several
// that match a request, the one injected first hits it.
func (r *Registry) Inject(f Fault) (remove func()) {
	active := &fault{Fault: f}
	r.faults.mu.Lock()
	defer r.faults.mu.Unlock()
	r.faults.list = append(r.faults.list, active)
	return func() { r.faults.remove(active) }
}

type fault struct {
	Fault
	hits int
}

// faults are those that happen now.
type faults struct {
	mu   sync.Mutex
	list []*fault
}

func (f *faults) remove(gone *fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = slices.DeleteFunc(f.list, func(have *fault) bool { return have == gone })
}

// next returns the fault that hits r, counting it, or nil.
func (f *faults) next(r *http.Request) *fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, have := range f.list {
		if (have.Times == 0 || have.hits < have.Times) && (have.Match == nil || have.Match(r)) {
			have.hits++
			return have
		}
	}
	return nil
}

func (f *faults) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hit := f.next(r)
		if hit == nil || !hit.serve(w, r) {
			next.ServeHTTP(w, r)
		}
	})
}

// serve does what the fault does and reports whether the request ends with it.
func (f *fault) serve(w http.ResponseWriter, r *http.Request) bool {
	if f.Hang || f.Drop || f.Status != 0 {
		// Without this a client that is still sending sees a broken connection
		// instead of the answer, and a server doesn't see that a client left.
		_, _ = io.Copy(io.Discard, r.Body)
	}
	if f.Delay > 0 {
		select {
		case <-time.After(f.Delay):
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
	switch {
	case f.Hang:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case f.Drop:
		panic(http.ErrAbortHandler)
	case f.Status != 0:
		maps.Copy(w.Header(), f.Header)
		writeError(w, f.Status, "injected by the test")
		return true
	}
	return false
}

// writeError answers with an error as the distribution specification has it.
func writeError(w http.ResponseWriter, status int, message string) {
	code := map[int]string{
		http.StatusUnauthorized:    "UNAUTHORIZED",
		http.StatusForbidden:       "DENIED",
		http.StatusNotFound:        "NAME_UNKNOWN",
		http.StatusTooManyRequests: "TOOMANYREQUESTS",
	}[status]
	if code == "" {
		code = "UNKNOWN"
	}
	writeJSON(w, status, map[string]any{"errors": []any{map[string]string{"code": code, "message": message}}})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
