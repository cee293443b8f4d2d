package sqlstore

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

const (
	runColumns = `resources.id, runs.number, runs.id, runs.status, runs.type, runs.task, runs.pool,
		runs.created, runs.started, runs.finished, runs.updated,
		runs.archived, runs.cancel_requested, runs.attempts, runs.owner, runs.lease_until, runs.root, runs.after_event, runs.batch, runs.altered, `
	runBlobs  = `runs.request, runs.secrets, runs.cause, runs.result`
	fromRuns  = ` FROM runs JOIN resources ON resources.key = runs.registry`
	selectRun = `SELECT ` + runColumns + runBlobs + fromRuns
	noBlobs   = `NULL, NULL, NULL, NULL`
)

// selectRuns returns the query for a filter.
func selectRuns(f drydock.RunFilter) (string, []any) {
	c := runConditions(f)
	query := selectRun
	if f.Brief {
		query = `SELECT ` + runColumns + noBlobs + fromRuns
	}
	query += c.where()
	if f.Registry.Subscription != "" {
		query += ` ORDER BY runs.number DESC`
	} else {
		query += ` ORDER BY runs.created DESC, runs.registry, runs.number DESC`
	}
	if f.Limit > 0 {
		query += ` LIMIT ` + strconv.Itoa(f.Limit)
	}
	return query, c.args
}

// selectOldRuns returns the query for the runs that DeleteRuns deletes.
func selectOldRuns(before time.Time, limit int) (string, []any) {
	no := false
	c := runConditions(drydock.RunFilter{FinishedBefore: before, Archived: &no})
	c.add("runs.status NOT IN (?, ?, ?)", string(drydock.RunQueued), string(drydock.RunStarted), string(drydock.RunRunning))
	c.add(`(runs.task_key = '' OR EXISTS (SELECT 1 FROM runs newer WHERE newer.registry = runs.registry
		AND newer.task_key = runs.task_key AND newer.number > runs.number))`)
	return `SELECT ` + runColumns + noBlobs + fromRuns + c.where() +
		` ORDER BY runs.finished, runs.registry, runs.number LIMIT ` + strconv.Itoa(limit), c.args
}

func runConditions(f drydock.RunFilter) *conditions {
	c := &conditions{}
	if f.Registry.Subscription != "" {
		c.add("runs.registry = ?", f.Registry.Key())
	}
	in(c, "runs.id", lower(f.IDs))
	in(c, "runs.task_key", lower(f.Tasks))
	in(c, "runs.status", f.Statuses)
	in(c, "runs.type", f.Types)
	if f.OnlyActive {
		in(c, "runs.status", []drydock.RunStatus{drydock.RunQueued, drydock.RunStarted, drydock.RunRunning})
	}
	if !f.After.IsZero() {
		c.add("runs.created > ?", nanos(f.After))
	}
	if !f.Before.IsZero() {
		c.add("runs.created < ?", nanos(f.Before))
	}
	if !f.FinishedAfter.IsZero() {
		c.add("runs.finished > ?", nanos(f.FinishedAfter))
	}
	if !f.FinishedBefore.IsZero() {
		c.add("runs.finished > 0 AND runs.finished < ?", nanos(f.FinishedBefore))
	}
	if f.OutputHas != "" {
		c.add(`runs.outputs LIKE ? ESCAPE '\'`, "%"+likeEscaper.Replace(strings.ToLower(f.OutputHas))+"%")
	}
	if f.OlderThan > 0 {
		c.add("runs.number < ?", f.OlderThan)
	}
	if f.Archived != nil {
		c.add("runs.archived = ?", number(*f.Archived))
	}
	if f.Pool != nil {
		c.add("runs.pool_key = ?", strings.ToLower(*f.Pool))
	}
	return c
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func lower(values []string) []string {
	low := make([]string, len(values))
	for i, v := range values {
		low[i] = strings.ToLower(v)
	}
	return low
}

// outputs returns the names of the images in a run's result in lower case, with
// tag and with digest, a line each. A result that is no such JSON has none.
func outputs(result []byte) string {
	var r struct {
		OutputImages []struct{ Registry, Repository, Tag, Digest string }
	}
	if json.Unmarshal(result, &r) != nil {
		return ""
	}
	var b strings.Builder
	for _, image := range r.OutputImages {
		name := strings.ToLower(image.Registry + "/" + image.Repository)
		b.WriteString(name + ":" + strings.ToLower(image.Tag) + "\n")
		b.WriteString(name + "@" + strings.ToLower(image.Digest) + "\n")
	}
	return b.String()
}
