package arm_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/internal/arm"
)

func FuzzRunRequest(f *testing.F) {
	for _, seed := range []string{
		`{"type":"DockerBuildRequest","platform":{"os":"Linux"},"dockerFilePath":"D","imageNames":["a:b"],"arguments":[{"name":"a","value":"b","isSecret":true}]}`,
		`{"type":"FileTaskRunRequest","platform":{"os":"linux","architecture":"amd64"},"taskFilePath":"a.yaml","values":[{"name":"a","value":"b"}],"timeout":600}`,
		`{"type":"EncodedTaskRunRequest","platform":{"os":"Linux"},"encodedTaskContent":"eA==","credentials":{"customRegistries":{"h":{"password":{"value":"p","type":"Opaque"}}}}}`,
		`{"type":"EncodedTaskRunRequest","platform":{"os":"Linux"},"encodedTaskContent":"eA","sourceLocation":"https://u:p@h/x.git","agentConfiguration":{"cpu":3}}`,
		`{"type":null,"platform":[],"values":{}}`, `[]`, `{"type":"TaskRunRequest"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		request, err := arm.RunRequestOf(text)
		if err != nil {
			return
		}
		if request.OS != "linux" || request.Architecture != "amd64" || request.CPU < 1 || request.Timeout <= 0 || request.Kind == "" {
			t.Errorf("%s became %+v", text, request)
		}
		public, secrets := request.Split()
		for _, v := range append(public.Arguments, public.Values...) {
			if v.Secret && v.Value != "" {
				t.Errorf("%s leaves a secret in %+v", text, v)
			}
		}
		if _, err := json.Marshal(secrets); err != nil {
			t.Error(err)
		}
	})
}

func FuzzPath(f *testing.F) {
	for _, seed := range []string{
		"/subscriptions", "/subscriptions/s/resourcegroups/g/providers/Microsoft.ContainerRegistry/registries/r/tasks/t/listDetails",
		"/subscriptions/s/resourceGroups/g%2F..%2Fh", "//subscriptions//", "/subscriptions/s/operationresults/aaaaaaaaaaaaaaaaaaaaaaaa", "/%zz",
		"/subscriptions/s/resourceGroups/g/providers/Microsoft.Authorization/roleAssignments/x", "/subscriptions/providers/providers/x",
	} {
		f.Add("GET", seed)
		f.Add("POST", seed)
	}
	f.Fuzz(func(t *testing.T, method, path string) {
		route, params, scope, err := arm.RouteOf(method, path)
		if err != nil {
			return
		}
		for name, value := range params {
			if value == "" || value == "." || value == ".." || strings.ContainsAny(value, "/\\\x00\n\r%'\"") {
				t.Errorf("%s: %s is %q", path, name, value)
			}
		}
		if group := params["resourceGroupName"]; scope.Group != group && !strings.HasPrefix(route, "/providers") {
			t.Errorf("%s: the group %q has the scope %s", path, group, scope)
		}
	})
}
