package vault

import (
	"net/http"
	"strings"

	"github.com/drydockhq/drydock"
)

// nobody is who asks without a good token, in the audit log.
const nobody = "anonymous"

// refused records what somebody without a good token wanted of a vault that there
// is: of many in a minute the first ones, and that there are more. It returns an
// error when it should be recorded and can't be.
func (h *Handler) refused(r *http.Request) error {
	want, secret, known := wanted(r.Method, r.URL.Path)
	from := peer(r, drydock.Principal{})
	if !known || h.strangers.ignored(from) {
		return nil
	}
	name, _, _ := strings.Cut(r.Host, ".")
	v, err := h.service.c.Directory.Vault(r.Context(), name)
	if drydock.CodeOf(err) == drydock.NotFound || err == nil && v.Deleting {
		return nil
	}
	if err != nil {
		return err
	}
	more, recorded := h.strangers.count(from)
	if !recorded {
		return nil
	}
	if h.service.checkName(secret) != nil {
		secret = "" // a text that could be anything
	}
	return h.service.record(r.Context(), &request{
		vault: v, secret: secret, want: want, caller: Caller{drydock.Principal{Name: nobody}, from},
	}, &Error{Status: http.StatusUnauthorized, Code: "Unauthorized", Inner: more})
}

// wanted returns the permission that a request is about, and the secret, empty for
// all; known is false for what is no request to a vault.
func wanted(method, path string) (want Permission, secret string, known bool) {
	parts := append(strings.Split(strings.Trim(path, "/"), "/"), "", "")
	kind, secret, last := strings.ToLower(parts[0]), parts[1], strings.ToLower(parts[2])
	switch operation := method + " " + kind; {
	case operation == "GET secrets" && (secret == "" || last == "versions"):
		want = permList
	case operation == "GET secrets":
		want = permGet
	case operation == "PUT secrets":
		want = permSet
	case operation == "PATCH secrets":
		want = permUpdate
	case operation == "DELETE secrets":
		want = permDelete
	case operation == "POST secrets" && last == "backup":
		want = permBackup
	case operation == "POST secrets" && sameName(secret, "restore"):
		want, secret = permRestore, ""
	case operation == "GET deletedsecrets" && secret == "":
		want = permListDeleted
	case operation == "GET deletedsecrets":
		want = permGetDeleted
	case operation == "POST deletedsecrets":
		want = permRecover
	case operation == "DELETE deletedsecrets":
		want = permPurge
	default:
		return want, "", false
	}
	return want, secret, true
}
