package logs

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
)

// MinSecret is the length in bytes below which a value is not masked: hiding
// every "a" or "42" would make a log unreadable and hide nothing.
const MinSecret = 3

// minEmbedded is the length from which a value is also looked for inside a
// longer base64 text, as in the `auth` of a Docker config. What remains of a
// shorter one there is too common a text.
const minEmbedded = 6

// base64Columns are the widths at which base64(1) and openssl break lines.
var base64Columns = [...]int{76, 64}

// forms returns the texts in which value may appear in a log, without those
// that are shorter than MinSecret.
func forms(value string) []string {
	var all []string
	whole := []string{value}
	if trimmed := strings.TrimSpace(value); trimmed != value {
		whole = append(whole, trimmed)
	}
	for _, v := range whole {
		all = append(all, escaped(v)...)
		all = append(all, encoded(v)...)
	}
	if strings.ContainsAny(value, "\r\n") {
		for line := range strings.FieldsFuncSeq(value, isLineEnd) {
			all = append(all, escaped(strings.TrimSpace(line))...)
		}
	}
	return longEnough(all)
}

func isLineEnd(r rune) bool { return r == '\n' || r == '\r' }

func longEnough(all []string) []string {
	kept := all[:0]
	for _, s := range all {
		if len(s) >= MinSecret {
			kept = append(kept, s)
		}
	}
	return kept
}

// escaped returns s as it is, in JSON, and in URLs.
func escaped(s string) []string {
	query, path := url.QueryEscape(s), url.PathEscape(s)
	return []string{
		s,
		inJSON(s, true), inJSON(s, false),
		query, path,
		lowerHex(query), lowerHex(path),
	}
}

func inJSON(s string, html bool) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(html)
	if err := enc.Encode(s); err != nil {
		return s
	}
	return strings.TrimSuffix(strings.TrimPrefix(b.String(), `"`), "\"\n")
}

// lowerHex returns an escaped URL with %2f instead of %2F.
func lowerHex(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:i+3], bytes.ToLower(b[i+1:i+3]))
		}
	}
	return string(b)
}

// encoded returns s in base64: whole, broken into lines, and the characters
// that depend on s alone when it stands at any place of a longer text.
func encoded(s string) []string {
	if len(s) < MinSecret {
		return nil
	}
	var all []string
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		whole := enc.EncodeToString([]byte(s))
		all = append(all, whole, strings.TrimRight(whole, "="))
		for _, width := range base64Columns {
			all = append(all, broken(whole, width)...)
		}
		if len(s) >= minEmbedded {
			for offset := range 3 {
				all = append(all, embedded(enc, s, offset))
			}
		}
	}
	return all
}

func broken(s string, width int) []string {
	if len(s) <= width {
		return nil
	}
	var lines []string
	for ; len(s) > width; s = s[width:] {
		lines = append(lines, s[:width])
	}
	return append(lines, s)
}

// embedded returns what base64 makes of s after offset bytes of another text,
// without the characters at both ends that hold bits of its neighbours.
func embedded(enc *base64.Encoding, s string, offset int) string {
	text := enc.WithPadding(base64.NoPadding).EncodeToString(append(make([]byte, offset), s...))
	first := (offset*8 + 5) / 6
	last := (offset + len(s)) * 8 / 6
	return text[first:last]
}
