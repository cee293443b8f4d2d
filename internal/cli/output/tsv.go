package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// tsv writes a line for each item; of what is below that, only lengths of lists
// are told.
func (p *printer) tsv() error {
	var b strings.Builder
	for _, item := range p.items() {
		var cells []string
		switch item := item.(type) {
		case map[string]any:
			for _, key := range p.o.Query.keys(item) {
				cells = append(cells, tsvCell(item[key]))
			}
		case []any:
			for _, value := range item {
				cells = append(cells, tsvCell(value))
			}
		case bool:
			cells = []string{strconv.FormatBool(item)}
		default:
			cells = []string{tsvCell(item)}
		}
		b.WriteString(strings.Join(cells, "\t") + "\n")
	}
	_, err := p.w.Write([]byte(b.String()))
	return err
}

// tsvCell writes values within a line. "None" and "True" are what scripts for
// the Azure CLI know.
func tsvCell(value any) string {
	switch value := value.(type) {
	case nil:
		return "None"
	case map[string]any:
		return ""
	case []any:
		return strconv.Itoa(len(value))
	}
	return scalar(value)
}

func isScalar(value any) bool {
	switch value.(type) {
	case map[string]any, []any:
		return false
	}
	return true
}

// scalar writes a value that is neither list nor object, with the Azure CLI's
// spelling of truth.
func scalar(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case bool:
		if value {
			return "True"
		}
		return "False"
	case nil:
		return ""
	}
	return compact(value)
}

func compact(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(value) != nil {
		return fmt.Sprint(value)
	}
	return strings.TrimRight(b.String(), "\n")
}
