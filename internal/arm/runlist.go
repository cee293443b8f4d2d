package arm

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/drydockhq/drydock"
)

const (
	runPage = 100 // runs on a page of a list
	runScan = 500 // runs that are read at a time when a filter is not the store's
)

// runFilterFields are the fields of ACR's RunFilter.
var runFilterFields = map[string]filterField{
	"runid":                {},
	"taskname":             {},
	"agentpoolname":        {},
	"outputimagemanifests": {},
	"runtype":              {enum: []string{string(drydock.QuickBuild), string(drydock.QuickRun), string(drydock.AutoBuild), string(drydock.AutoRun)}},
	"status": {enum: []string{
		string(drydock.RunQueued), string(drydock.RunStarted), string(drydock.RunRunning), string(drydock.RunSucceeded),
		string(drydock.RunFailed), string(drydock.RunCanceled), string(drydock.RunError), string(drydock.RunTimeout),
	}},
	"createtime":       {kind: filterTime},
	"finishtime":       {kind: filterTime},
	"isarchiveenabled": {kind: filterBool},
}

// runRecordValues are the values of a run that filters compare.
func runRecordValues(r drydock.RunRecord) filterRecord {
	record := filterRecord{
		"runid": {r.ID}, "taskname": {r.Task}, "agentpoolname": {r.Pool}, "runtype": {string(r.Type)},
		"status": {string(r.Status)}, "createtime": {r.Created.UTC().Format(time.RFC3339Nano)},
		"isarchiveenabled": {strconv.FormatBool(r.Archived)},
	}
	if !r.Finished.IsZero() {
		record["finishtime"] = []string{r.Finished.UTC().Format(time.RFC3339Nano)}
	}
	var result struct {
		OutputImages []struct{ Registry, Repository, Tag, Digest string }
	}
	if json.Unmarshal(r.Result, &result) == nil {
		for _, image := range result.OutputImages {
			name := image.Registry + "/" + image.Repository
			record["outputimagemanifests"] = append(record["outputimagemanifests"], name+":"+image.Tag, name+"@"+image.Digest)
		}
	}
	return record
}

// storeFilter returns as much of a filter as the store can apply.
func storeFilter(registry drydock.ResourceID, f *filter) drydock.RunFilter {
	want := drydock.RunFilter{Registry: registry}
	for _, c := range f.conditions() {
		switch c.field + " " + c.op {
		case "runid eq":
			want.IDs = []string{c.value}
		case "taskname eq":
			want.Tasks = []string{c.value}
		case "status eq":
			want.Statuses = []drydock.RunStatus{drydock.RunStatus(c.value)}
		case "runtype eq":
			want.Types = []drydock.RunType{drydock.RunType(c.value)}
		case "outputimagemanifests contains":
			want.OutputHas = c.value
		case "createtime gt", "createtime ge":
			want.After = justBefore(c.value)
		}
	}
	return want
}

// justBefore makes "at or after" of the store's "after".
func justBefore(value string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, value)
	if err != nil {
		return time.Time{}
	}
	return t.Add(-time.Nanosecond)
}

// listRuns lists the runs of a registry, newest first. $top is how many are
// wanted in all, over all pages.
func (s *Server) listRuns(req *request) (*answer, error) {
	f, err := req.filter(runFilterFields)
	if err != nil {
		return nil, err
	}
	top, err := req.top()
	if err != nil {
		return nil, err
	}
	registry, err := s.find(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	want := storeFilter(registry.ID, f)
	if token := req.query.Get("$skiptoken"); token != "" {
		if want.OlderThan, err = strconv.ParseInt(token, 10, 64); err != nil || want.OlderThan < 1 {
			return nil, badRequest("InvalidSkipToken", "The value of $skipToken is not one that this server gave out.").about("$skipToken")
		}
	}
	size := runPage
	if top > 0 {
		size = min(top, runPage)
	}
	runs, more, err := s.selectRuns(req.Context(), want, f, size)
	if err != nil {
		return nil, err
	}
	docs := make([]any, len(runs))
	for i, run := range runs {
		if docs[i], err = s.runDoc(req.Context(), run); err != nil {
			return nil, err
		}
	}
	next := ""
	if more && (top == 0 || top > size) {
		next = req.next(strconv.FormatInt(runs[len(runs)-1].Number, 10), top-size)
	}
	return listAnswer(docs, next)
}

// selectRuns returns up to size runs that a filter selects, and whether there
// are more.
func (s *Server) selectRuns(ctx context.Context, want drydock.RunFilter, f *filter, size int) ([]drydock.RunRecord, bool, error) {
	var selected []drydock.RunRecord
	want.Limit = size + 1
	for {
		found, err := s.c.Runs.Runs(ctx, want)
		if err != nil {
			return nil, false, err
		}
		for _, run := range found {
			if !f.Matches(runRecordValues(run)) {
				continue
			}
			if len(selected) == size {
				return selected, true, nil
			}
			selected = append(selected, run)
		}
		if len(found) < want.Limit {
			return selected, false, nil
		}
		want.OlderThan, want.Limit = found[len(found)-1].Number, runScan
	}
}
