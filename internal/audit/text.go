package audit

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/drydockhq/drydock"
)

// mostText bounds each text of a record, in bytes: what is asked for may be as long
// as a request's header.
const mostText = 1000

// clean makes a record one that can be shown anywhere: what others have chosen in it
// makes no lines of its own and does nothing to terminals.
func clean(r drydock.AuditRecord) drydock.AuditRecord {
	for _, text := range []*string{&r.Principal, &r.AppID, &r.Name, &r.From, &r.Action, &r.Target, &r.Detail} {
		*text = cleanText(*text)
	}
	return r
}

func cleanText(s string) string {
	if len(s) <= mostText && !strings.ContainsFunc(s, unseen) {
		return s
	}
	var b strings.Builder
	for _, c := range s {
		piece := string(c)
		if unseen(c) {
			piece = strings.Trim(strconv.QuoteToASCII(piece), `"`)
		}
		if b.Len()+len(piece) > mostText {
			return b.String() + "…"
		}
		b.WriteString(piece)
	}
	return b.String()
}

// unseen reports whether a character is not one to be printed as it is.
func unseen(c rune) bool { return c == utf8.RuneError || !unicode.IsPrint(c) }
