package arm

import (
	"net/http"
	"strings"
)

// precondition checks a request's If-Match and If-None-Match (RFC 9110 §13.1).
func (req *request) precondition(st *stored) error {
	failed := &apiError{
		Status: http.StatusPreconditionFailed, Code: "PreconditionFailed",
		Message: "The resource is not in the state that the request's If-Match or If-None-Match header asks for.",
	}
	if match := req.Header.Get("If-Match"); match != "" {
		if !st.exists() || match != "*" && !containsETag(match, st.ETag) {
			return failed
		}
	}
	if none := req.Header.Get("If-None-Match"); none != "" {
		if st.exists() && (none == "*" || containsETag(none, st.ETag)) {
			return failed
		}
	}
	return nil
}

func containsETag(header, etag string) bool {
	for _, h := range strings.Split(header, ",") {
		if strings.Trim(strings.TrimPrefix(strings.TrimSpace(h), "W/"), `"`) == etag {
			return true
		}
	}
	return false
}
