package plan

import (
	"regexp"
	"strings"
)

var (
	commentLine = regexp.MustCompile(`^\s*#`)
	// blockHeader matches a line that ends in the header of a block scalar.
	blockHeader = regexp.MustCompile(`(?:^\s*|[:-]\s+)(?:[!&]\S+\s+)*[|>][0-9+-]{0,2}\s*(?:\s#.*)?$`)
)

// blankComments empties the lines that are comments, so that neither `$` nor
// {{ in them means anything. Lines of a block scalar are content whatever they
// begin with.
func blankComments(d document) document {
	lines := d.split()
	key, content := -1, -1 // indents of the block scalar's key and of its content
	for i, line := range lines {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		blank := strings.TrimSpace(line) == ""
		if key >= 0 && !blank {
			if content < 0 && indent > key {
				content = indent
			}
			if content >= 0 && indent >= content {
				continue
			}
			key, content = -1, -1
		}
		switch {
		case blank || key >= 0:
		case commentLine.MatchString(line):
			lines[i] = ""
		case blockHeader.MatchString(line):
			key = indent
		}
	}
	return document{text: strings.Join(lines, "\n"), lines: d.lines}
}
