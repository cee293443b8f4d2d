package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// The versions of the APIs that are spoken.
const (
	resourcesVersion = "2021-04-01"
	registryVersion  = "2023-07-01"
	tasksVersion     = "2019-06-01-preview"
	rolesVersion     = "2022-04-01"
)

// pollEvery is how often an operation is asked whether it has ended, unless the
// server says.
const pollEvery = time.Second

// api is a client of the resource manager, or of the directory.
type api struct {
	session  *session
	pipeline runtime.Pipeline
	endpoint string
	base     string // path of the subscription, or of the directory's version
}

// request is one to the resource manager.
type request struct {
	method  string
	path    string // below the endpoint
	version string
	query   url.Values
	body    any // nil for none
}

// send sends a request and returns the answer, if it is a success.
func (a *api) send(ctx context.Context, r request) (*http.Response, error) {
	location := r.path
	if !strings.HasPrefix(location, "https://") {
		location = a.endpoint + r.path
	}
	req, err := runtime.NewRequest(ctx, r.method, location)
	if err != nil {
		return nil, err
	}
	query := url.Values{}
	for key, values := range r.query {
		query[key] = values
	}
	if r.version != "" {
		query.Set("api-version", r.version)
	}
	if len(query) > 0 { // the links to further pages have theirs
		// The resource manager takes no "+" for a space.
		req.Raw().URL.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	}
	req.Raw().Header.Set("Accept", "application/json")
	if r.body != nil {
		if err := runtime.MarshalAsJSON(req, r.body); err != nil {
			return nil, err
		}
	}
	answer, err := a.pipeline.Do(req)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode >= 300 {
		return nil, runtime.NewResponseError(answer)
	}
	return answer, nil
}

// do carries out a request whose answer is final.
func (a *api) do(ctx context.Context, r request) (object, error) {
	answer, err := a.send(ctx, r)
	if err != nil {
		return nil, err
	}
	var o object
	return o, decode(answer, &o)
}

func decode(answer *http.Response, to any) error {
	text, err := runtime.Payload(answer)
	if err != nil || len(text) == 0 {
		return err
	}
	if err := json.Unmarshal(text, to); err != nil {
		return fmt.Errorf("reading the answer to %s %s: %w", answer.Request.Method, answer.Request.URL.Path, err)
	}
	return nil
}

// operate carries out a request and waits until the operation that it starts
// has ended, unless wait is false.
func (a *api) operate(ctx context.Context, r request, wait bool) (object, error) {
	answer, err := a.send(ctx, r)
	if err != nil {
		return nil, err
	}
	if !wait || answer.StatusCode == http.StatusNoContent {
		var o object
		return o, decode(answer, &o)
	}
	poller, err := runtime.NewPoller[object](answer, a.pipeline, nil)
	if err != nil {
		return nil, err
	}
	return poller.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: pollEvery})
}

// list returns the items of all pages, or the first of them if most is above 0.
func (a *api) list(ctx context.Context, r request, most int) ([]any, error) {
	items := []any{}
	r.method = http.MethodGet
	for {
		page, err := a.do(ctx, r)
		if err != nil {
			return nil, err
		}
		list, _ := page["value"].([]any)
		items = append(items, list...)
		next := text(page, "nextLink") + text(page, "@odata.nextLink") // there is one of them
		if most > 0 && len(items) >= most {
			return items[:most], nil
		}
		if next == "" {
			return items, nil
		}
		r = request{method: http.MethodGet, path: next}
	}
}

// escape makes a part of a path of a name.
func escape(name string) string { return url.PathEscape(name) }
