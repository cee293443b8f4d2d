package vault

import (
	"net/http"
	"net/url"
	"strings"
)

// route carries out a request. The paths are those of Key Vault's REST API, with
// and without a slash at their end.
func (c *call) route(w http.ResponseWriter) (status int, body any, err error) {
	c.Body = http.MaxBytesReader(w, c.Body, maxBody)
	parts := strings.Split(strings.Trim(c.URL.EscapedPath(), "/"), "/")
	for i := range parts {
		if parts[i], err = url.PathUnescape(parts[i]); err != nil {
			return 0, nil, badParameter("The path of the URL can't be understood.")
		}
	}
	part := func(i int) string {
		if i < len(parts) {
			return parts[i]
		}
		return ""
	}
	switch kind := strings.ToLower(parts[0]); {
	case kind == "secrets" && len(parts) <= 3:
		return c.secrets(len(parts), part(1), part(2))
	case kind == "deletedsecrets" && len(parts) <= 3:
		return c.deletedSecrets(len(parts), part(1), part(2))
	case kind == "keys" || kind == "certificates" || kind == "deletedkeys" || kind == "deletedcertificates":
		return 0, nil, notSupported("The key vaults of this server keep secrets, and neither keys nor certificates.")
	}
	return 0, nil, &Error{Status: http.StatusNotFound, Code: "NotFound", Message: "There is nothing at this path."}
}

func (c *call) secrets(parts int, name, last string) (int, any, error) {
	switch operation := c.Method + " " + strings.ToLower(last); {
	case parts == 1 && c.Method == http.MethodGet:
		return c.page(func(after string, limit int) (*Page, error) {
			return c.service.List(c.Context(), c.vault, after, limit, c.by)
		}, c.item)
	case parts == 2 && c.Method == http.MethodPost && sameName(name, "restore"):
		return c.restore()
	case parts == 2 && c.Method == http.MethodPut:
		return c.set(name)
	case parts == 2 && c.Method == http.MethodDelete:
		return c.answer(c.service.Delete(c.Context(), c.vault, name, c.by))
	case operation == "GET versions" && parts == 3:
		return c.page(func(after string, limit int) (*Page, error) {
			return c.service.Versions(c.Context(), c.vault, name, after, limit, c.by)
		}, c.bundle)
	case operation == "POST backup" && parts == 3:
		value, err := c.service.Backup(c.Context(), c.vault, name, c.by)
		return http.StatusOK, map[string]any{"value": value}, err
	case parts >= 2 && c.Method == http.MethodGet:
		return c.answer(c.service.Get(c.Context(), c.vault, name, last, c.by))
	case parts >= 2 && c.Method == http.MethodPatch:
		return c.update(name, last)
	}
	return 0, nil, c.notAllowed()
}

func (c *call) deletedSecrets(parts int, name, last string) (int, any, error) {
	switch {
	case parts == 1 && c.Method == http.MethodGet:
		return c.page(func(after string, limit int) (*Page, error) {
			return c.service.ListDeleted(c.Context(), c.vault, after, limit, c.by)
		}, c.item)
	case parts == 2 && c.Method == http.MethodGet:
		return c.answer(c.service.Deleted(c.Context(), c.vault, name, c.by))
	case parts == 2 && c.Method == http.MethodDelete:
		return http.StatusNoContent, nil, c.service.Purge(c.Context(), c.vault, name, c.by)
	case parts == 3 && c.Method == http.MethodPost && sameName(last, "recover"):
		return c.answer(c.service.Recover(c.Context(), c.vault, name, c.by))
	}
	return 0, nil, c.notAllowed()
}

func (c *call) notAllowed() error {
	return &Error{Status: http.StatusMethodNotAllowed, Code: "MethodNotAllowed", Message: "The path does not have the method " + c.Method + "."}
}

// answer answers with a secret.
func (c *call) answer(s *Secret, err error) (int, any, error) {
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.bundle(s), nil
}
