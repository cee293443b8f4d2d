package blobs

import (
	"io"
	"net/http"
	"time"
)

// defaultStall is how long a client may send or take nothing.
const defaultStall = 2 * time.Minute

// patient gives a client time for each read and write anew: a large blob takes
// long, but a client that stalls is dropped. Connections without deadlines, as
// in tests, need none, so errors of setting them don't matter.
type patient struct {
	w       io.Writer
	control *http.ResponseController
	stall   time.Duration
}

func (h *Handler) patient(w http.ResponseWriter) *patient {
	stall := h.Stall
	if stall == 0 {
		stall = defaultStall
	}
	return &patient{w, http.NewResponseController(w), stall}
}

// Write implements io.Writer.
func (p *patient) Write(b []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(p.stall))
	return p.w.Write(b)
}

// end takes the deadline of writing away: the connection is used again.
func (p *patient) end() { _ = p.control.SetWriteDeadline(time.Time{}) }

// patientReader reads the body of a request.
type patientReader struct {
	*patient
	body io.Reader
}

// Read implements io.Reader.
func (r patientReader) Read(b []byte) (int, error) {
	_ = r.control.SetReadDeadline(time.Now().Add(r.stall))
	n, err := r.body.Read(b)
	if err == io.EOF { // readers return it as it is
		// Until the next request the connection may be silent.
		_ = r.control.SetReadDeadline(time.Time{})
	}
	return n, err
}
