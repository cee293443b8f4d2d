package blobs

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/drydockhq/drydock"
)

// apiError is an error in the form of Azure Blob Storage.
type apiError struct {
	status  int
	code    string
	message string
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

// The errors that have one text; the codes are Azure's.
var (
	errUnsigned   = &apiError{http.StatusUnauthorized, "NoAuthenticationInformation", "The URL has no signature. Ask for a signed URL; one is good for a limited time."}
	errSignature  = &apiError{http.StatusForbidden, "AuthenticationFailed", "The signature of the URL is not right for this blob."}
	errExpired    = &apiError{http.StatusForbidden, "AuthenticationFailed", "The signature of the URL has expired. Ask for a new one."}
	errPermission = &apiError{http.StatusForbidden, "AuthorizationPermissionMismatch", "The signature of the URL does not allow this operation."}
	errNotFound   = &apiError{http.StatusNotFound, "BlobNotFound", "The specified blob does not exist."}
	errURI        = &apiError{http.StatusBadRequest, "InvalidUri", "The path is not /container/blob."}
	errVerb       = &apiError{http.StatusMethodNotAllowed, "UnsupportedHttpVerb", "The resource doesn't support the specified HTTP verb."}
	errLength     = &apiError{http.StatusLengthRequired, "MissingContentLengthHeader", "The Content-Length header was not specified."}
	errTooLong    = &apiError{http.StatusRequestEntityTooLarge, "RequestBodyTooLarge", "The request body is too large and exceeds the maximum permissible limit."}
	errRange      = &apiError{http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The range specified is invalid for the current size of the resource."}
	errCondition  = &apiError{http.StatusPreconditionFailed, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met."}
	errBlobExists = &apiError{http.StatusConflict, "BlobAlreadyExists", "The specified blob already exists."}
	errBlobType   = &apiError{http.StatusConflict, "InvalidBlobType", "The blob type is invalid for this operation."}
	errMD5        = &apiError{http.StatusBadRequest, "Md5Mismatch", "The MD5 value specified in the request did not match with the MD5 value calculated by the server."}
	errCRC64      = &apiError{http.StatusBadRequest, "Crc64Mismatch", "The CRC64 value specified in the request did not match with the CRC64 value calculated by the server."}
	errBlockID    = &apiError{http.StatusBadRequest, "InvalidBlockId", "The block id is not base64 of 1 to 64 bytes."}
	errBlockList  = &apiError{http.StatusBadRequest, "InvalidBlockList", "The specified block list is invalid: a block in it was not uploaded."}
	errBlockCount = &apiError{http.StatusConflict, "BlockCountExceedsLimit", "The blob has 50,000 blocks, which is the limit."}
	errXML        = &apiError{http.StatusBadRequest, "InvalidXmlDocument", "The body is not a block list."}
	errBody       = &apiError{http.StatusBadRequest, "IncompleteBody", "The body ended before its Content-Length."}
	errStalled    = &apiError{http.StatusRequestTimeout, "OperationTimedOut", "The client sent nothing for too long."}
	errDiskFull   = &apiError{http.StatusInsufficientStorage, "InsufficientStorage", "The disk of the server is full."}
	errInternal   = &apiError{http.StatusInternalServerError, "InternalError", "The server could not carry this out; its log says why."}
)

func badHeader(name string) *apiError {
	return &apiError{http.StatusBadRequest, "InvalidHeaderValue", fmt.Sprintf("The value for header %s is not supported.", name)}
}

func badQuery(name string) *apiError {
	return &apiError{http.StatusBadRequest, "InvalidQueryParameterValue", fmt.Sprintf("The value for query parameter %s is not supported.", name)}
}

// asAPIError returns the error of the API that stands for err.
func asAPIError(err error) *apiError {
	var known *apiError
	var large *tooLarge
	var user *drydock.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &large):
		return errTooLong
	case errors.Is(err, errExists):
		return errBlobExists
	case errors.Is(err, errNotMet):
		return errCondition
	case errors.Is(err, errNoBlock):
		return errBlockList
	case errors.Is(err, errTooMany):
		return errBlockCount
	case diskFull(err):
		return errDiskFull
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errStalled
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errBody
	case !errors.As(err, &user):
		return errInternal
	}
	switch user.Code {
	case drydock.NotFound:
		return errNotFound
	case drydock.Conflict:
		return errBlobType
	case drydock.Invalid:
		return &apiError{http.StatusBadRequest, "InvalidInput", user.Message}
	}
	return errInternal
}

// fail answers with an error.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	e := asAPIError(err)
	if e == errInternal || e == errDiskFull {
		h.Log.ErrorContext(r.Context(), "blob request", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	header := w.Header()
	header.Del("Content-Length")
	header.Del("ETag")
	header.Set("x-ms-error-code", e.code)
	if e.status == http.StatusRequestEntityTooLarge || e.status == http.StatusInsufficientStorage {
		header.Set("Connection", "close") // the rest of the body is not worth reading
	}
	if r.Method == http.MethodHead {
		w.WriteHeader(e.status)
		return
	}
	header.Set("Content-Type", "application/xml")
	w.WriteHeader(e.status)
	body := struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
		Message string
	}{Code: e.code, Message: fmt.Sprintf("%s\nRequestId:%s\nTime:%s",
		e.message, header.Get("x-ms-request-id"), h.Now().UTC().Format(time.RFC3339Nano))}
	_, _ = io.WriteString(w, xml.Header)
	_ = xml.NewEncoder(w).Encode(body) // the client is gone if it fails
}
