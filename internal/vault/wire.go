package vault

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	// maxBody bounds a request: a backup has all versions of a secret.
	maxBody = 16 << 20
	// pageSize is Key Vault's bound.
	pageSize = 25
)

// attributes are those of a secret as Key Vault has them: times in seconds since
// 1970.
type attributes struct {
	Enabled         *bool  `json:"enabled,omitempty"`
	NotBefore       *int64 `json:"nbf,omitempty"`
	Expires         *int64 `json:"exp,omitempty"`
	Created         int64  `json:"created,omitempty"`
	Updated         int64  `json:"updated,omitempty"`
	RecoveryLevel   string `json:"recoveryLevel,omitempty"`
	RecoverableDays int    `json:"recoverableDays,omitempty"`
}

// bundle is a secret in an answer, or one that is deleted.
type bundle struct {
	Value       *string           `json:"value,omitempty"`
	ContentType string            `json:"contentType,omitempty"`
	ID          string            `json:"id"`
	Attributes  attributes        `json:"attributes"`
	Tags        map[string]string `json:"tags,omitempty"`
	RecoveryID  string            `json:"recoveryId,omitempty"`
	Deleted     int64             `json:"deletedDate,omitempty"`
	Purge       int64             `json:"scheduledPurgeDate,omitempty"`
}

// bundle shows a version of a secret.
func (c *call) bundle(s *Secret) any {
	b := c.show(s)
	b.ID += "/" + s.Version
	return b
}

// item shows a secret in a list, with an id that is not of a version.
func (c *call) item(s *Secret) any { return c.show(s) }

func (c *call) show(s *Secret) *bundle {
	enabled := !s.Disabled
	b := &bundle{
		ContentType: s.ContentType, ID: c.base + "/secrets/" + s.Name, Tags: s.Tags,
		Attributes: attributes{
			Enabled: &enabled, NotBefore: seconds(s.NotBefore), Expires: seconds(s.Expires),
			Created: s.Created.Unix(), Updated: s.Updated.Unix(),
			RecoveryLevel: "Recoverable+Purgeable", RecoverableDays: int(s.Retention / (24 * time.Hour)),
		},
	}
	if s.Protected {
		b.Attributes.RecoveryLevel = "Recoverable"
	}
	if s.shown {
		b.Value = &s.Value
	}
	if !s.Deleted.IsZero() {
		b.RecoveryID = c.base + "/deletedsecrets/" + s.Name
		b.Deleted, b.Purge = s.Deleted.Unix(), s.Purge.Unix()
	}
	return b
}

func seconds(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	n := t.Unix()
	return &n
}

// page answers with a part of a list.
func (c *call) page(list func(after string, limit int) (*Page, error), show func(*Secret) any) (int, any, error) {
	query, err := url.ParseQuery(c.URL.RawQuery)
	if err != nil {
		return 0, nil, badParameter("The query of the URL can't be understood.")
	}
	limit := pageSize
	if text := query.Get("maxresults"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > pageSize {
			return 0, nil, badParameter("The parameter maxresults must be a whole number from 1 to %d.", pageSize)
		}
	}
	after := query.Get("$skiptoken")
	if after != "" && !secretName.MatchString(after) {
		return 0, nil, badParameter("The parameter $skiptoken is not one that this server gave out.")
	}
	p, err := list(after, limit)
	if err != nil {
		return 0, nil, err
	}
	values := []any{}
	for i := range p.Secrets {
		values = append(values, show(&p.Secrets[i]))
	}
	var next *string
	if p.Next != "" {
		query.Set("$skiptoken", p.Next)
		link := c.base + c.URL.EscapedPath() + "?" + query.Encode()
		next = &link
	}
	return http.StatusOK, map[string]any{"value": values, "nextLink": next}, nil
}

// parameters are the body of a request.
type parameters struct {
	Value       *string           `json:"value"`
	ContentType *string           `json:"contentType"`
	Attributes  attributes        `json:"attributes"`
	Tags        map[string]string `json:"tags"`
}

// decode reads the body of a request. Errors don't quote it.
func (c *call) decode() (p parameters, err error) {
	text, err := io.ReadAll(c.Body)
	var tooLong *http.MaxBytesError
	if errors.As(err, &tooLong) {
		return p, &Error{Status: http.StatusRequestEntityTooLarge, Code: "BadParameter", Message: "The body of the request is too long."}
	}
	if err != nil || json.Unmarshal(text, &p) != nil {
		return p, badParameter("The body of the request is not the JSON that is expected.")
	}
	return p, nil
}

func (p *parameters) change() Change {
	return Change{
		Value: p.Value, ContentType: p.ContentType, Tags: p.Tags, Enabled: p.Attributes.Enabled,
		NotBefore: timeOf(p.Attributes.NotBefore), Expires: timeOf(p.Attributes.Expires),
	}
}

func timeOf(n *int64) *time.Time {
	if n == nil {
		return nil
	}
	t := time.Unix(*n, 0).UTC()
	return &t
}

func (c *call) set(name string) (int, any, error) {
	p, err := c.decode()
	if err != nil {
		return 0, nil, err
	}
	return c.answer(c.service.Set(c.Context(), c.vault, name, p.change(), c.by))
}

func (c *call) update(name, version string) (int, any, error) {
	p, err := c.decode()
	if err != nil {
		return 0, nil, err
	}
	p.Value = nil
	return c.answer(c.service.Update(c.Context(), c.vault, name, version, p.change(), c.by))
}

func (c *call) restore() (int, any, error) {
	p, err := c.decode()
	if err != nil {
		return 0, nil, err
	}
	if p.Value == nil {
		return 0, nil, badParameter("The parameter value is required.")
	}
	return c.answer(c.service.Restore(c.Context(), c.vault, *p.Value, c.by))
}
