package walkthrough

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var colourCode = regexp.MustCompile("\x1b\\[[0-9;]*m")

// failedGate are lines of the log of the run that the gate has stopped.
const failedGate = `(?m)^TIME Launching container with name: validate-base-image
Validating Image
NODE_VERSION: 15-alpine
BACKGROUND_COLOR: Red
ERROR: Invalid Color: Red
TIME Container failed during run: validate-base-image\. No retries remaining\.
failed to run step ID: validate-base-image: exit status 1$`

// tables are the runs that the tables of list-runs have, in the order in which they
// are printed.
func tables() [][]string {
	node := []string{
		"ca4 node-public Commit Succeeded", "ca3 node-public Commit Succeeded",
		"ca2 node-public Commit Succeeded", "ca1 node-public Manual Succeeded",
	}
	gate := []string{
		"ca3 base-import-node Image Update Failed", "ca2 base-import-node Image Update Succeeded", "ca1 base-import-node Manual Succeeded",
	}
	hello := []string{
		"ca4 hello-world Image Update Succeeded", "ca3 hello-world Manual Succeeded",
		"ca2 hello-world Image Update Succeeded", "ca1 hello-world Manual Succeeded",
	}
	return [][]string{
		node[2:], hello[2:], // Orange
		node[1:], gate[1:], hello, // Green
		node, gate, // Red
	}
}

var (
	tableHead = regexp.MustCompile(`^RUN ID +TASK +PLATFORM +STATUS +TRIGGER +STARTED +DURATION *$`)
	tableRule = regexp.MustCompile(`^[- ]+$`)
	tableRow  = regexp.MustCompile(`^(ca\d+) +(\S+) +linux +(\w+) +(\w+(?: \w+)?) +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ +\d\d:\d\d:\d\d *$`)
)

// printedTables returns the tables of list-runs in a text, in the form of tables.
func printedTables(text string) (all [][]string) {
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		if !tableHead.MatchString(lines[i]) || i+1 == len(lines) || !tableRule.MatchString(lines[i+1]) {
			continue
		}
		var rows []string
		for i += 2; i < len(lines) && strings.HasPrefix(lines[i], "ca"); i++ {
			row := lines[i]
			if c := tableRow.FindStringSubmatch(row); c != nil {
				row = strings.Join([]string{c[1], c[2], c[4], c[3]}, " ")
			}
			rows = append(rows, row)
		}
		all = append(all, rows)
		i--
	}
	return all
}

// Check checks what the script has printed: tables and logs as the article shows
// them, and the address of the page each time that it asks for it.
func (p *Played) Check(page string) error {
	text := strings.ReplaceAll(colourCode.ReplaceAllString(p.Output, ""), "\r", "")
	var errs []error
	if got, want := printedTables(text), tables(); !slices.EqualFunc(got, want, slices.Equal) {
		errs = append(errs, fmt.Errorf("the tables of runs are\n%s\nnot\n%s", listed(got), listed(want)))
	}
	if got := strings.Count("\n"+text, "\n"+page+"\n"); got != 3 {
		errs = append(errs, fmt.Errorf("the address of the page was printed %d times, not 3", got))
	}
	pattern := strings.ReplaceAll(failedGate, "TIME", `\d{4}/\d\d/\d\d \d\d:\d\d:\d\d`)
	if got := len(regexp.MustCompile(pattern).FindAllString(text, -1)); got != 1 {
		errs = append(errs, fmt.Errorf("the script has printed %d times, not once, %s", got, pattern))
	}
	return errors.Join(errs...)
}

// listed is a text of tables.
func listed(tables [][]string) string {
	var all []string
	for _, rows := range tables {
		all = append(all, "  "+strings.Join(rows, "\n  "))
	}
	return strings.Join(all, "\n  --\n")
}
