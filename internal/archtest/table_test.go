package archtest_test

import (
	"fmt"
	"regexp"
	"strings"
)

// rules are the tables of docs/architecture.md.
type rules struct {
	packages map[string]pkgRule
	modules  map[string][]string // module prefix → package patterns
}

// pkgRule is a row of the package table.
type pkgRule struct {
	imports   []string
	forTests  bool // other packages' tests may import it
	testsOnly bool // and nothing else
}

var code = regexp.MustCompile("`([^`]+)`")

// parseRules reads the tables whose header cells begin with "package" and
// "module".
func parseRules(doc string) (rules, error) {
	r := rules{packages: map[string]pkgRule{}, modules: map[string][]string{}}
	table := ""
	for line := range strings.Lines(doc) {
		cells := cells(line)
		switch {
		case cells == nil:
			table = ""
		case table == "":
			table = cells[0]
		case strings.HasPrefix(cells[0], "---"):
		case table == "package" && len(cells) == 3:
			name, err := name(cells[0])
			if err != nil {
				return rules{}, err
			}
			if _, ok := r.packages[name]; ok {
				return rules{}, fmt.Errorf("%s has two rows", name)
			}
			r.packages[name] = pkgRule{
				imports:   names(cells[2]),
				forTests:  strings.Contains(cells[1], "*for tests*"),
				testsOnly: strings.Contains(strings.ReplaceAll(cells[1], "also *for tests*", ""), "*for tests*"),
			}
		case table == "module" && len(cells) == 2:
			name, err := name(cells[0])
			if err != nil {
				return rules{}, err
			}
			r.modules[name] = names(cells[1])
		default:
			return rules{}, fmt.Errorf("row of an unknown table: %q", line)
		}
	}
	return r, nil
}

// cells returns the trimmed cells of a table row, or nil for any other line.
func cells(line string) []string {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "|") {
		return nil
	}
	cells := strings.Split(strings.Trim(line, "|"), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}

func name(cell string) (string, error) {
	n := names(cell)
	if len(n) != 1 {
		return "", fmt.Errorf("the first cell of a row names one package or module, not %q", cell)
	}
	return n[0], nil
}

func names(cell string) []string {
	var names []string
	for _, m := range code.FindAllStringSubmatch(cell, -1) {
		names = append(names, m[1])
	}
	return names
}
