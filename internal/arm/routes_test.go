package arm_test

import (
	"bytes"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/internal/arm"
	"github.com/drydockhq/drydock/internal/arm/armtest"
)

var update = flag.Bool("update", false, "write docs/api.md")

func TestDocument(t *testing.T) {
	t.Parallel()
	const file = "../../docs/api.md"
	want := []byte(arm.Document())
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the table of routes gives: go test ./internal/arm -run TestDocument -update", file)
	}
}

// operation is a method and a path as the SDK has them.
type operation struct{ method, path string }

// sdkOperations reads the operations out of the source of the Azure SDK's
// package: of each function …CreateRequest its urlPath and its http.Method.
func sdkOperations(t *testing.T) []operation {
	t.Helper()
	const module = "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
	files, version := sdkClients(t, module)
	if version != "v1.2.0" {
		t.Errorf("the operations are those of %s, and should be those of v1.2.0", version)
	}
	var found []operation
	for _, file := range files {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && strings.HasSuffix(f.Name.Name, "CreateRequest") {
				found = append(found, operationOf(t, f))
			}
		}
	}
	return found
}

// sdkClients parses the clients of a package of the Azure SDK.
func sdkClients(t *testing.T, module string) (files []*ast.File, version string) {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}} {{.Module.Version}}", module).Output()
	if err != nil {
		t.Fatalf("looking for the source of %s: %v", module, err)
	}
	place, version, _ := strings.Cut(strings.TrimSpace(string(dir)), " ")
	names, err := filepath.Glob(filepath.Join(place, "*_client.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no clients in %s: %v", place, err)
	}
	for _, name := range names {
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, parsed)
	}
	return files, version
}

func operationOf(t *testing.T, f *ast.FuncDecl) operation {
	t.Helper()
	var o operation
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			name, ok := n.Lhs[0].(*ast.Ident)
			value, literal := n.Rhs[0].(*ast.BasicLit)
			if ok && literal && name.Name == "urlPath" {
				o.path, _ = strconv.Unquote(value.Value)
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "http" && strings.HasPrefix(n.Sel.Name, "Method") {
				o.method = strings.ToUpper(strings.TrimPrefix(n.Sel.Name, "Method"))
			}
		}
		return true
	})
	if o.method == "" || o.path == "" {
		t.Fatalf("%s: found %+v", f.Name.Name, o)
	}
	return o
}

var parameter = regexp.MustCompile(`\{[^}]*\}`)

// Every operation of the SDK is in the table: served, or answered with 501.
func TestTableHasTheOperationsOfTheSDK(t *testing.T) {
	t.Parallel()
	have := map[operation]bool{}
	for _, rt := range arm.Routes() {
		have[operation{rt.Method, strings.ToLower(parameter.ReplaceAllString(rt.Path, "{}"))}] = true
	}
	operations := sdkOperations(t)
	if len(operations) < 70 {
		t.Errorf("only %d operations found in the SDK", len(operations))
	}
	for _, o := range operations {
		if !have[operation{o.method, strings.ToLower(parameter.ReplaceAllString(o.path, "{}"))}] {
			t.Errorf("%s %s is not in the table", o.method, o.path)
		}
	}
}

// pathOf fills in the parameters of a route's path.
func pathOf(s *armtest.Site, rt arm.Route) string {
	return parameter.ReplaceAllStringFunc(strings.ReplaceAll(rt.Path, "{subscriptionId}", s.Subscription), func(p string) string {
		switch p {
		case "{resourceGroupName}":
			return "g"
		case "{registryName}":
			return "contoso"
		case "{operationId}":
			return strings.Repeat("a", 40)
		}
		return "something"
	})
}

// open are the routes that anybody may use who has signed in.
var open = []string{"/subscriptions", "/tenants", "/providers/Microsoft.ContainerRegistry/operations", "/subscriptions/{subscriptionId}/operationresults/{operationId}"}

func TestEveryRouteIsAuthorised(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	nobody := s.Token(t, s.Principal(t, "", s.Scope("")))
	for _, rt := range arm.Routes() {
		if rt.Action == "" && !slices.Contains(open, rt.Path) {
			t.Errorf("%s %s needs no action", rt.Method, rt.Path)
		}
		path := pathOf(s.Site, rt)
		none := s.Do(t, "", rt.Method, path, "")
		if none.Status != http.StatusUnauthorized || rt.Method != http.MethodHead && none.Code() != "AuthenticationFailed" ||
			!strings.HasPrefix(none.Header.Get("WWW-Authenticate"), "Bearer ") {
			t.Errorf("%s %s without a token: %d %v", rt.Method, rt.Path, none.Status, none.Body)
		}
		got := s.Do(t, nobody, rt.Method, path, "")
		if rt.Action == "" {
			continue
		}
		if got.Status != http.StatusForbidden || rt.Method != http.MethodHead && (got.Code() != "AuthorizationFailed" || !strings.Contains(got.Message(), rt.Action)) {
			t.Errorf("%s %s without rights: %d %v", rt.Method, rt.Path, got.Status, got.Body)
		}
	}
	if a := s.Do(t, nobody, http.MethodGet, "/subscriptions", ""); a.Status != 200 || len(a.At("value").([]any)) != 0 {
		t.Errorf("a principal without rights sees %v", a.Body)
	}
	if a := s.Do(t, s.token, http.MethodGet, "/subscriptions", ""); a.Status != 200 || len(a.At("value").([]any)) != 1 {
		t.Errorf("the admin sees %v", a.Body)
	}
}

func TestWhatIsNotServedAnswers501(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, rt := range arm.Routes() {
		if !rt.Unserved {
			continue
		}
		a := s.Do(t, s.token, rt.Method, pathOf(s.Site, rt), "{}")
		if a.Status != http.StatusNotImplemented || a.Code() != "NotImplemented" || !strings.HasSuffix(a.Message(), ".") {
			t.Errorf("%s %s: %d %v", rt.Method, rt.Path, a.Status, a.Body)
		}
	}
}
