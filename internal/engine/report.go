package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/drydockhq/drydock"
)

// report writes the end of the log: what became of the steps, what the images
// were made from, and ACR's closing line.
func (e *Engine) report(id string, result *drydock.RunResult, err error) {
	plain := e.Log.Stream("", "")
	defer func() { _ = plain.Close() }() // see streams.close
	if err != nil {
		_, _ = fmt.Fprintln(plain, err)
	}
	for _, s := range result.Steps {
		e.Log.Printf("Step ID: %v marked as %v (elapsed time in seconds: %f)", s.ID, s.Status, s.Elapsed.Seconds())
	}
	e.reportDependencies(result.Dependencies)
	_, _ = fmt.Fprintf(plain, "\n%s\n", closing(id, result.Elapsed, err))
}

func (e *Engine) reportDependencies(found []drydock.ImageDependencies) {
	if len(found) == 0 {
		return
	}
	text, err := json.Marshal(found)
	if err != nil {
		e.Log.Printf("WARNING: writing the dependencies: %v", err)
		return
	}
	e.Log.Printf("The following dependencies were found:")
	e.Log.Printf("\n%s", text)
}

// closing returns the line with which ACR's agent ends a log.
func closing(id string, elapsed time.Duration, err error) string {
	after := elapsed.Round(time.Second)
	var timeout *timeoutError
	var back *HandedBack
	switch {
	case err == nil:
		return fmt.Sprintf("Run ID: %s was successful after %s", id, after)
	case drydock.CodeOf(err) == drydock.Canceled && errors.As(err, &back):
		return fmt.Sprintf("Run ID: %s was stopped after %s: %s", id, after, back.Why)
	case drydock.CodeOf(err) == drydock.Canceled:
		return fmt.Sprintf("Run ID: %s was canceled after %s", id, after)
	case errors.As(err, &timeout) && timeout.step == "":
		return fmt.Sprintf("Run ID: %s timed out after %s", id, after)
	default:
		return fmt.Sprintf("Run ID: %s failed after %s. Error: %v", id, after, err)
	}
}

// maskedImages returns a copy without secrets.
func maskedImages(s Secrets, found []drydock.ImageReference) []drydock.ImageReference {
	var all []drydock.ImageReference
	for _, r := range found {
		r.Registry, r.Repository, r.Tag, r.Reference = s.String(r.Registry), s.String(r.Repository), s.String(r.Tag), s.String(r.Reference)
		all = append(all, r)
	}
	return all
}

// masked returns a copy without secrets.
func masked(s Secrets, found []drydock.ImageDependencies) []drydock.ImageDependencies {
	hide := func(r *drydock.ImageReference) *drydock.ImageReference {
		if r == nil {
			return nil
		}
		return &maskedImages(s, []drydock.ImageReference{*r})[0]
	}
	var all []drydock.ImageDependencies
	for _, d := range found {
		d.Image, d.Runtime = hide(d.Image), hide(d.Runtime)
		d.Buildtime = append([]drydock.ImageReference{}, maskedImages(s, d.Buildtime)...) // [] in JSON, not null
		all = append(all, d)
	}
	return all
}
