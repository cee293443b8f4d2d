package output

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// skipped are keys that tables leave out.
var skipped = map[string]bool{"id": true, "type": true, "etag": true, "revision": true}

func (p *printer) table() error {
	var rows []Row
	for _, item := range p.items() {
		if p.o.Table != nil && p.o.Query == nil {
			rows = append(rows, p.o.Table(item))
		} else {
			rows = append(rows, p.row(item))
		}
	}
	return writeTable(p.w, rows)
}

// row returns all that is scalar in an item.
func (p *printer) row(item any) (row Row) {
	switch item := item.(type) {
	case map[string]any:
		for _, key := range p.o.Query.keys(item) {
			if !skipped[key] && item[key] != nil && isScalar(item[key]) {
				row = append(row, Cell{capital(key), scalar(item[key])})
			}
		}
	case []any:
		for i, value := range item {
			text := ""
			if value != nil {
				text = compact(value)
			}
			row = append(row, Cell{fmt.Sprintf("Column%d", i+1), text})
		}
	default:
		row = Row{{"Result", scalar(item)}}
	}
	return row
}

func capital(key string) string {
	r, size := utf8.DecodeRuneInString(key)
	return string(unicode.ToUpper(r)) + key[size:]
}

// headPadding is by how much a column is wider than its name at least: so are
// the Azure CLI's.
const headPadding = 2

// errNoColumns is what becomes of results in which all is nested, or left out of
// tables.
var errNoColumns = errors.New("table output unavailable: the result has no column for it " +
	`(choose some with --query "[].{Name: key}"; id, type, etag and revision have to be given other names)`)

// writeTable writes rows below the names of their columns. The columns are those
// of all rows, in the order in which they come up.
func writeTable(w interface{ Write([]byte) (int, error) }, rows []Row) error {
	var columns []string
	width := map[string]int{}
	values := make([]map[string]string, len(rows))
	for i, row := range rows {
		values[i] = map[string]string{}
		for _, cell := range row {
			if _, known := width[cell.Column]; !known {
				columns = append(columns, cell.Column)
				width[cell.Column] = utf8.RuneCountInString(cell.Column) + headPadding
			}
			values[i][cell.Column] = cell.Value
			for line := range strings.Lines(cell.Value) {
				width[cell.Column] = max(width[cell.Column], utf8.RuneCountInString(strings.TrimRight(line, "\n")))
			}
		}
	}
	switch {
	case len(rows) == 0:
		return nil
	case len(columns) == 0:
		return errNoColumns
	}
	out := bufio.NewWriter(w)
	head, rule := map[string]string{}, map[string]string{}
	for _, c := range columns {
		head[c], rule[c] = c, strings.Repeat("-", width[c])
	}
	for _, row := range append([]map[string]string{head, rule}, values...) {
		writeRow(out, columns, width, row)
	}
	return out.Flush()
}

// writeRow writes a row, which has as many lines as its highest cell.
func writeRow(out *bufio.Writer, columns []string, width map[string]int, row map[string]string) {
	for n, more := 0, true; more; n++ {
		more = false
		var line strings.Builder
		for i, c := range columns {
			lines := strings.Split(row[c], "\n")
			text := ""
			if n < len(lines) {
				text = lines[n]
			}
			more = more || n+1 < len(lines)
			line.WriteString(text)
			if i < len(columns)-1 {
				line.WriteString(strings.Repeat(" ", width[c]-utf8.RuneCountInString(text)+2))
			}
		}
		fmt.Fprintln(out, strings.TrimRight(line.String(), " "))
	}
}
