package compat_test

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// route is a row of docs/api.md.
type route struct {
	method, path string
	served       bool
	form         *regexp.Regexp
}

var (
	row         = regexp.MustCompile("(?m)^\\| ([A-Z]+) \\| `([^`]+)` \\| [^|]+ \\| [^|]+ \\|$")
	shorthand   = regexp.MustCompile("`(\\{[SGR]\\})` is\\s+`([^`]+)`")
	placeholder = regexp.MustCompile(`\\\{[^}]*\\\}`)
)

// routes reads docs/api.md.
func routes(t *testing.T) []route {
	t.Helper()
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	served, unserved, ok := strings.Cut(string(text), "\n## What answers 501\n")
	if !ok {
		t.Fatal("docs/api.md has lost its second part")
	}
	long := map[string]string{}
	for _, m := range shorthand.FindAllStringSubmatch(served, -1) {
		long[m[1]] = m[2]
	}
	var all []route
	for i, part := range []string{served, unserved} {
		for _, m := range row.FindAllStringSubmatch(part, -1) {
			path := m[2]
			for range 3 { // {R} is said with {G}, and that with {S}
				for short, l := range long {
					path = strings.ReplaceAll(path, short, l)
				}
			}
			form := placeholder.ReplaceAllString(regexp.QuoteMeta(path), `[^/]+`)
			all = append(all, route{m[1], path, i == 0, regexp.MustCompile("(?i)^" + form + "$")})
		}
	}
	if len(all) < 100 {
		t.Fatalf("only %d operations found in docs/api.md", len(all))
	}
	return all
}

// find returns the route of a request, nil for none. Names are preferred to
// placeholders, as the server does by the order of its table.
func find(all []route, r *http.Request) *route {
	for i := range all {
		if all[i].method == r.Method && all[i].form.MatchString(strings.TrimSuffix(r.URL.Path, "/")) {
			return &all[i]
		}
	}
	return nil
}

// recorder notes which routes were answered well.
type recorder struct {
	routes []route
	next   policy.Transporter

	mu   sync.Mutex
	well map[*route]int
}

// Do implements policy.Transporter.
func (r *recorder) Do(req *http.Request) (*http.Response, error) {
	resp, err := r.next.Do(req)
	if err == nil && resp.StatusCode < 300 && strings.HasPrefix(req.Host+req.URL.Host, "management.") {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.well[find(r.routes, req)]++
	}
	return resp, err
}

// check fails for each served route that no request reached.
func (r *recorder) check(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	count := 0
	for i := range r.routes {
		rt := &r.routes[i]
		if rt.served && r.well[rt] == 0 {
			t.Errorf("no case of this package does %s %s", rt.method, rt.path)
		}
		if r.well[rt] > 0 {
			count++
		}
	}
	if n := r.well[nil]; n > 0 {
		t.Errorf("%d requests succeeded that docs/api.md does not know", n)
	}
	t.Logf("%d operations were done", count)
}
