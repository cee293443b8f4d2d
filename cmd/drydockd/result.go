package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/logs"
)

// The statuses of a run, as ACR's API has them.
const (
	runSucceeded = "Succeeded"
	runFailed    = "Failed"
	runCanceled  = "Canceled"
)

// runResult is the last line of a run's output as JSON.
type runResult struct {
	Result runSummary `json:"result"`
}

type runSummary struct {
	ID           string                      `json:"id"`
	Status       string                      `json:"status"` // Succeeded, Failed or Canceled
	Error        string                      `json:"error,omitempty"`
	Seconds      float64                     `json:"seconds"`
	Steps        []stepSummary               `json:"steps"`
	Dependencies []drydock.ImageDependencies `json:"dependencies"`
}

type stepSummary struct {
	ID      string             `json:"id"`
	Status  drydock.StepStatus `json:"status"`
	Seconds float64            `json:"seconds"`
	Error   string             `json:"error,omitempty"`
}

// renderer returns the form that the log has.
func (f *runFlags) renderer(w io.Writer, environ []string) logs.Renderer {
	var r logs.Renderer = logs.NewText(w)
	if f.output == outputJSON {
		r = logs.NewJSON(w)
	}
	if f.plain(environ) {
		return newPlain(r)
	}
	return r
}

// plain reports whether the output is to have no escape sequences. See
// no-color.org: the variable counts unless it is empty.
func (f *runFlags) plain(environ []string) bool {
	set := func(v string) bool { return strings.HasPrefix(v, "NO_COLOR=") && v != "NO_COLOR=" }
	return f.noColor || slices.ContainsFunc(environ, set)
}

// terminal returns the terminal that builds may draw their progress on; nil
// when the output is something else.
func (f *runFlags) terminal(w io.Writer, environ []string) *os.File {
	file, ok := w.(*os.File)
	if !ok || f.output == outputJSON || f.plain(environ) || !term.IsTerminal(int(file.Fd())) {
		return nil
	}
	return file
}

// printResult writes what became of a run, if it is to be JSON. The result is
// nil for a run that did not get as far as its steps.
func (f *runFlags) printResult(w io.Writer, id string, result *drydock.RunResult, runErr error) error {
	if f.output != outputJSON {
		return nil
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(runResult{summarize(id, result, runErr)}); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

func summarize(id string, result *drydock.RunResult, runErr error) runSummary {
	s := runSummary{ID: id, Status: runSucceeded, Error: text(runErr), Steps: []stepSummary{}, Dependencies: []drydock.ImageDependencies{}}
	switch drydock.CodeOf(runErr) {
	case "":
	case drydock.Canceled:
		s.Status = runCanceled
	default:
		s.Status = runFailed
	}
	if result == nil {
		return s
	}
	s.Seconds = result.Elapsed.Seconds()
	s.Dependencies = append(s.Dependencies, result.Dependencies...)
	for _, step := range result.Steps {
		s.Steps = append(s.Steps, stepSummary{
			ID: step.ID, Status: step.Status, Seconds: step.Elapsed.Seconds(), Error: text(step.Err),
		})
	}
	return s
}

// text returns the text of an error, "" for none.
func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
