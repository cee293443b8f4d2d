package compat_test

import (
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
)

// route is a row of docs/api.md or docs/graph.md, or an operation of a vault.
type route struct {
	service      string // as its hosts have it: "management", "graph" or "vault"
	method, path string
	served       bool
	form         *regexp.Regexp
}

var (
	row         = regexp.MustCompile("(?m)^\\| ([A-Z]+) \\| `([^`]+)` \\| [^|]+ \\| [^|]* \\|$")
	shorthand   = regexp.MustCompile("`(\\{[SGR]\\})` is\\s+`([^`]+)`")
	byClientID  = regexp.MustCompile(`\(appId='([^']*)'\)`) // in paths of the directory, for /{id}
	placeholder = regexp.MustCompile(`\\\{[^}]*\\\}`)
)

// routes reads docs/api.md and docs/graph.md.
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
			all = append(all, newRoute("management", m[1], path, i == 0))
		}
	}
	if len(all) < 100 {
		t.Fatalf("only %d operations found in docs/api.md", len(all))
	}
	return slices.Concat(all, graphRoutes(t), secretRoutes(t))
}

func newRoute(service, method, path string, served bool) route {
	form := placeholder.ReplaceAllString(regexp.QuoteMeta(path), `[^/]+`)
	return route{service, method, path, served, regexp.MustCompile("(?i)^" + form + "$")}
}

// graphRoutes reads docs/graph.md.
func graphRoutes(t *testing.T) []route {
	t.Helper()
	var all []route
	for _, m := range row.FindAllStringSubmatch(string(must(os.ReadFile("../../docs/graph.md"))(t)), -1) {
		all = append(all, newRoute("graph", m[1], "/v1.0"+m[2], true))
	}
	if len(all) < 25 {
		t.Fatalf("only %d operations found in docs/graph.md", len(all))
	}
	return all
}

// secretRoutes are the operations of a vault, each of which is a method of
// Microsoft's client for secrets. Those with names come before those with
// placeholders.
func secretRoutes(t *testing.T) []route {
	t.Helper()
	var all []route
	for _, operation := range []string{
		"POST /secrets/restore", "GET /secrets", "GET /secrets/{name}/versions", "POST /secrets/{name}/backup",
		"PUT /secrets/{name}", "DELETE /secrets/{name}", "PATCH /secrets/{name}/{version}", "GET /secrets/{name}/{version}",
		"GET /deletedsecrets", "GET /deletedsecrets/{name}", "DELETE /deletedsecrets/{name}", "POST /deletedsecrets/{name}/recover",
	} {
		method, path, _ := strings.Cut(operation, " ")
		all = append(all, newRoute("vault", method, path, true))
	}
	if n := reflect.TypeFor[*azsecrets.Client]().NumMethod(); n != len(all) {
		t.Errorf("Microsoft's client for secrets has %d operations, and %d are known", n, len(all))
	}
	// Without a version, the newest is meant.
	return append(all, newRoute("vault", "GET", "/secrets/{name}", true), newRoute("vault", "PATCH", "/secrets/{name}", true))
}

// serviceOf returns the service that a request is for, "" for none that has routes.
func serviceOf(r *http.Request) string {
	first, rest, _ := strings.Cut(r.URL.Host, ".")
	if second, _, _ := strings.Cut(rest, "."); second == "vault" {
		return second
	}
	if first == "management" || first == "graph" {
		return first
	}
	return ""
}

// find returns the route of a request, nil for none. Names are preferred to
// placeholders, as the server does by the order of its table.
func find(all []route, r *http.Request) *route {
	service, path := serviceOf(r), byClientID.ReplaceAllString(strings.TrimSuffix(r.URL.Path, "/"), "/$1")
	for i := range all {
		if all[i].service == service && all[i].method == r.Method && all[i].form.MatchString(path) {
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
	if err == nil && resp.StatusCode < 300 && serviceOf(req) != "" {
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
			t.Errorf("no case of this package does %s %s of %s", rt.method, rt.path, rt.service)
		}
		if r.well[rt] > 0 {
			count++
		}
	}
	if n := r.well[nil]; n > 0 {
		t.Errorf("%d requests succeeded that the documentation does not know", n)
	}
	t.Logf("%d operations were done", count)
}
