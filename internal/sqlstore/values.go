package sqlstore

import (
	"strconv"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// nanos is how times are kept: nanoseconds since 1970 in UTC, 0 for no time.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func fromNanos(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// resourceID reads an id that this package wrote. The zero id is kept as "".
func resourceID(s string) (drydock.ResourceID, error) {
	if s == "" {
		return drydock.ResourceID{}, nil
	}
	return drydock.ParseResourceID(s)
}

// idText and idKey are how ids are kept: to be shown and to be compared.
func idText(id drydock.ResourceID) string {
	if id.Subscription == "" {
		return ""
	}
	return id.String()
}

func idKey(id drydock.ResourceID) string { return strings.ToLower(idText(id)) }

// conditions collects what a WHERE clause asks, and its arguments.
type conditions struct {
	texts []string
	args  []any
}

// add adds a condition in which each ? stands for one of the arguments.
func (c *conditions) add(text string, args ...any) {
	for _, arg := range args {
		c.args = append(c.args, arg)
		text = strings.Replace(text, "?", "$"+strconv.Itoa(len(c.args)), 1)
	}
	c.texts = append(c.texts, text)
}

// in adds that a column has one of the values; none at all ask nothing.
func in[T ~string](c *conditions, column string, values []T) {
	if len(values) == 0 {
		return
	}
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = string(v)
	}
	c.add(column+" IN (?"+strings.Repeat(", ?", len(values)-1)+")", args...)
}

// below adds that a column has the key of something below an id, or of it
// itself too. The zero id asks nothing.
func (c *conditions) below(column string, id drydock.ResourceID, itself bool) {
	key := idKey(id)
	if key == "" {
		return
	}
	// '0' is the character after '/'.
	text, args := column+" > ? AND "+column+" < ?", []any{key + "/", key + "0"}
	if itself {
		text, args = "("+column+" = ? OR "+text+")", append([]any{key}, args...)
	}
	c.add(text, args...)
}

// where returns the clause, or "" when nothing is asked.
func (c *conditions) where() string {
	if len(c.texts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.texts, " AND ")
}
