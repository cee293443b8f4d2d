package arm_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestMalformedContent(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	registry := s.Scope("g", "registries", "contoso").String()
	paths := map[string]string{
		s.Scope("h").String():        http.MethodPut,
		s.Scope("g").String():        http.MethodPatch,
		registry:                     http.MethodPut,
		registry + "/":               http.MethodPatch,
		registry + "/tasks/nightly":  http.MethodPut,
		registry + "/agentPools/big": http.MethodPut,
		registry + "/taskRuns/once":  http.MethodPut,
		registry + "/scheduleRun":    http.MethodPost,
		registry + "/importImage":    http.MethodPost,
	}
	for path, method := range paths {
		for name, body := range map[string]string{
			"nothing": "", "a piece": `{"location":`, "a list": `[]`, "a text": `"x"`, "two": `{} {}`, "null": "null",
			"not JSON": "location=x", "a bad escape": `{"a":"\x"}`, "deep": strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000),
		} {
			a := s.Do(t, s.token, method, path, body)
			if a.Status != 400 || a.Code() != "InvalidRequestContent" || a.Message() == "" {
				t.Errorf("%s %s with %s: %d %.200v", method, path, name, a.Status, a.Body)
			}
		}
		if a := s.Do(t, s.token, method, path, `{"a":"`+strings.Repeat("x", 5<<20)+`"}`); a.Status != 413 || a.Code() != "RequestContentTooLarge" {
			t.Errorf("%s %s with 5 MB: %d %.200v", method, path, a.Status, a.Body)
		}
	}
}

// A query that can't be read is not one without it: it would answer all.
func TestMalformedQuery(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	runs := s.Scope("g", "registries", "contoso").String() + "/runs"
	for _, query := range []string{"$filter=TaskName eq 'x';drop", "$filter=%zz", "%zz=1", "a;b"} {
		a := s.Do(t, s.token, http.MethodGet, runs+"?"+strings.ReplaceAll(query, " ", "%20"), "")
		if a.Status != 400 || a.Code() != "InvalidQueryParameter" || !strings.Contains(a.Message(), "query") {
			t.Errorf("%s: %d %.200v", query, a.Status, a.Body)
		}
	}
}

func TestLongNamesAreMeasured(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	registry := s.Scope("g", "registries", "contoso").String()
	for path, want := range map[string]string{
		s.Scope("g", "registries", strings.Repeat("a", 300)).String(): "300",
		s.Scope("g", "registries", strings.Repeat("a", 200)).String(): "200",
		registry + "/tasks/" + strings.Repeat("a", 70):                "70",
		s.Scope(strings.Repeat("a", 95)).String():                     "95",
	} {
		a := s.Do(t, s.token, http.MethodPut, path, `{"location":"westeurope","properties":{}}`)
		if a.Status != 400 || !strings.Contains(a.Message(), want+" characters") {
			t.Errorf("%s: %d %.300v", want, a.Status, a.Body)
		}
	}
}

func TestWrongTypesNameTheProperty(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	registry := s.Scope("g", "registries", "contoso").String()
	const step = `"step":{"type":"Docker","dockerFilePath":"Dockerfile"}`
	for _, test := range []struct{ method, path, body, target string }{
		{"PUT", s.Scope("h").String(), `{}`, "location"},
		{"PUT", s.Scope("h").String(), `{"location":3}`, "location"},
		{"PUT", s.Scope("h").String(), `{"location":"x","tags":{"a":1}}`, "tags.a"},
		{"PUT", registry, `{"location":"x","properties":[]}`, "properties"},
		{"PUT", registry, `{"location":"westeurope","properties":{"adminUserEnabled":"yes"}}`, "properties.adminUserEnabled"},
		{"PUT", registry, `{"location":"westeurope","sku":{"name":7}}`, "sku.name"},
		{"PUT", registry, `{"location":"eastus"}`, "location"},
		{"PATCH", registry, `{"properties":{"publicNetworkAccess":"Perhaps"}}`, "properties.publicNetworkAccess"},
		{"PATCH", registry, `{"properties":{"publicNetworkAccess":"Disabled"}}`, "properties.publicNetworkAccess"},
		{"PATCH", registry, `{"properties":{"networkRuleSet":{"defaultAction":"Deny"}}}`, "properties.networkRuleSet.defaultAction"},
		{"PUT", registry, `{"location":"westeurope","properties":{"policies":{"softDeletePolicy":{"status":"Enabled"}}}}`, "properties.policies.softDeletePolicy.status"},
		{"PUT", s.Scope("g").String() + "/providers/Microsoft.KeyVault/vaults/a-vault", `{"location":"x","properties":{"networkAcls":{"defaultAction":"Deny"}}}`, "properties.networkAcls.defaultAction"},
		{"PATCH", registry, `{"properties":{"policies":{"retentionPolicy":{"days":"7"}}}}`, "properties.policies.retentionPolicy.days"},
		{"PATCH", registry, `{"properties":{"policies":{"retentionPolicy":{"days":1e99}}}}`, "properties.policies.retentionPolicy.days"},
		{"PUT", registry + "/tasks/t", `{}`, "properties"},
		{"PUT", registry + "/tasks/t", `{"properties":{}}`, "properties.step"},
		{"PUT", registry + "/tasks/t", `{"properties":{"step":{}}}`, "properties.step.type"},
		{"PUT", registry + "/tasks/t", `{"properties":{"step":{"type":"Shell"}}}`, "properties.step.type"},
		{"PUT", registry + "/tasks/t", `{"properties":{"step":{"type":"FileTask"}}}`, "properties.step.taskFilePath"},
		{"PUT", registry + "/tasks/t", `{"properties":{"step":{"type":"EncodedTask","encodedTaskContent":"%%%"}}}`, "properties.step.encodedTaskContent"},
		{"PUT", registry + "/tasks/t", `{"properties":{"timeout":1.5,` + step + `}}`, "properties.timeout"},
		{"PUT", registry + "/tasks/t", `{"properties":{"timeout":30,` + step + `}}`, "properties.timeout"},
		{"PUT", registry + "/tasks/t", `{"properties":{"timeout":99999,` + step + `}}`, "properties.timeout"},
		{"PUT", registry + "/tasks/t", `{"properties":{"status":"Off",` + step + `}}`, "properties.status"},
		{"PUT", registry + "/tasks/t", `{"properties":{"platform":{"os":"Windows"},` + step + `}}`, "properties.platform"},
		{"PUT", registry + "/tasks/t", `{"properties":{"platform":{"os":"Plan9"},` + step + `}}`, "properties.platform.os"},
		{"PUT", registry + "/tasks/t", `{"properties":{"agentConfiguration":{"cpu":0},` + step + `}}`, "properties.agentConfiguration.cpu"},
		{"PUT", registry + "/tasks/t", `{"properties":{"agentPoolName":"nowhere",` + step + `}}`, "agentPoolName"},
		{"PUT", registry + "/tasks/t", `{"properties":{"trigger":{"timerTriggers":[{"name":"t"}]},` + step + `}}`, "properties.trigger.timerTriggers[0].schedule"},
		{"PUT", registry + "/tasks/t", `{"properties":{"trigger":{"sourceTriggers":[{"name":"t","sourceTriggerEvents":["push"]}]},` + step + `}}`, "properties.trigger.sourceTriggers[0].sourceTriggerEvents[0]"},
		{"PUT", registry + "/tasks/t", `{"properties":{"trigger":{"baseImageTrigger":{"name":"b","baseImageTriggerType":"Some"}},` + step + `}}`, "properties.trigger.baseImageTrigger.baseImageTriggerType"},
		{"PUT", registry + "/tasks/t", `{"identity":{"type":"Root"},"properties":{` + step + `}}`, "identity.type"},
		{"PUT", registry + "/tasks/t", `{"properties":{"step":{"type":"Docker","dockerFilePath":"D","arguments":[{"value":"1"}]}}}`, "properties.step.arguments[0].name"},
		{"PUT", registry + "/tasks/t", `{"properties":{"step":{"type":"Docker","dockerFilePath":"D","contextPath":"../../etc"}}}`, "properties.step.contextPath"},
		{"PUT", registry + "/tasks/t", `{"properties":{"step":{"type":"Docker","dockerFilePath":"D","contextPath":"."}}}`, "properties.step.contextPath"},
		{"PUT", registry + "/tasks/t", `{"properties":{"step":{"type":"EncodedTask","encodedTaskContent":"eA==","contextPath":"C:\\src"}}}`, "properties.step.contextPath"},
		{"PUT", registry + "/agentPools/p", `{"properties":{"count":-1}}`, "properties.count"},
		{"PUT", registry + "/taskRuns/once", `{"properties":{}}`, "properties.runRequest"},
		{"PUT", registry + "/taskRuns/once", `{"properties":{"runRequest":{"type":"Other","platform":{"os":"Linux"}}}}`, "type"},
		{"POST", registry + "/scheduleRun", `{"platform":{"os":"Linux"}}`, "type"},
		{"POST", registry + "/scheduleRun", `{"type":"DockerBuildRequest","dockerFilePath":"D"}`, "platform"},
		{"POST", registry + "/scheduleRun", `{"type":"DockerBuildRequest","dockerFilePath":"D","platform":{}}`, "platform.os"},
		{"POST", registry + "/scheduleRun", `{"type":"DockerBuildRequest","platform":{"os":"Linux"}}`, "dockerFilePath"},
		{"POST", registry + "/scheduleRun", `{"type":"DockerBuildRequest","platform":{"os":"Linux"},"dockerFilePath":"D","imageNames":"a:b"}`, "imageNames"},
		{"POST", registry + "/scheduleRun", `{"type":"DockerBuildRequest","platform":{"os":"Linux"},"dockerFilePath":"D","imageNames":["a",1]}`, "imageNames[1]"},
		{"POST", registry + "/scheduleRun", `{"type":"FileTaskRunRequest","platform":{"os":"Linux","architecture":"arm"},"taskFilePath":"a"}`, "platform"},
		{"POST", registry + "/scheduleRun", `{"type":"TaskRunRequest"}`, "taskId"},
		{"POST", registry + "/scheduleRun", `{"type":"FileTaskRunRequest","platform":{"os":"Linux"},"taskFilePath":"a","sourceLocation":"source/../../x"}`, "sourceLocation"},
		{"POST", registry + "/scheduleRun", `{"type":"FileTaskRunRequest","platform":{"os":"Linux"},"taskFilePath":"a","credentials":{"customRegistries":{"h":{"password":"p"}}}}`, "credentials.customRegistries.h.password"},
		{"POST", registry + "/scheduleRun", `{"type":"FileTaskRunRequest","platform":{"os":"Linux"},"taskFilePath":"` + strings.Repeat("a", 1<<20) + `"}`, "taskFilePath"},
		{"POST", registry + "/scheduleRun", `{"type":"FileTaskRunRequest","platform":{"os":"Linux"},"taskFilePath":"a","sourceLocation":"https://x/` + strings.Repeat("a", 5000) + `"}`, "sourceLocation"},
		{"POST", registry + "/scheduleRun", `{"type":"FileTaskRunRequest","platform":{"os":"Linux"},"taskFilePath":"a","runRegistry":"ghcr.io/acme/../x"}`, "runRegistry"},
		{"POST", registry + "/scheduleRun", `{"type":"FileTaskRunRequest","platform":{"os":"Linux"},"taskFilePath":"a","runRegistry":"https://ghcr.io"}`, "runRegistry"},
		{"PUT", registry + "/tasks/t", `{"properties":{"runRegistry":"a b",` + step + `}}`, "properties.runRegistry"},
		{"PUT", registry + "/tasks/t", `{"properties":{"runRegistry":"` + strings.Repeat("a", 300) + `",` + step + `}}`, "properties.runRegistry"},
		{"POST", registry + "/importImage", `{"source":{}}`, "source.sourceImage"},
		{"POST", registry + "/importImage", `{"source":{"sourceImage":"a","resourceId":"x"}}`, "source.resourceId"},
		{"POST", registry + "/regenerateCredential", `{"name":"password3"}`, "name"},
		{"POST", "/subscriptions/" + s.Subscription + "/providers/Microsoft.ContainerRegistry/checkNameAvailability", `{"type":"x"}`, "name"},
	} {
		a := s.Do(t, s.token, test.method, test.path, test.body)
		if (a.Status != 400 && a.Status != 409) || a.At("error.target") != test.target || a.Message() == "" {
			t.Errorf("%s %s %s: %d %v", test.method, strings.TrimPrefix(test.path, registry), test.body, a.Status, a.Body)
		}
	}
	if ids, _ := s.list(t, nil); len(ids) > 0 {
		t.Errorf("bad requests made the runs %v", ids)
	}
}

// All that is wrong is told at once.
func TestSeveralMistakes(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	a := s.Do(t, s.token, http.MethodPut, s.Scope("g", "registries", "contoso", "tasks", "t").String(),
		`{"properties":{"status":"Off","timeout":"long","step":{"type":"Docker","isPushEnabled":"no"}}}`)
	details, _ := a.At("error.details").([]any)
	if a.Status != 400 || len(details) != 3 {
		t.Errorf("%d %v", a.Status, a.Body)
	}
}

func TestPathsThatLeadNowhere(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	sub := "/subscriptions/" + s.Subscription
	registry := s.Scope("g", "registries", "contoso").String()
	for _, test := range []struct {
		method, path string
		status       int
		code         string
	}{
		{"GET", "/", 400, "InvalidResourceName"},
		{"GET", "/nothing/here", 404, "InvalidResourceType"},
		{"GET", sub + "/providers/Microsoft.Compute/virtualMachines", 404, "InvalidResourceType"},
		{"GET", sub + "/providers/Microsoft.Compute", 404, "InvalidResourceNamespace"},
		{"DELETE", sub, 405, "HttpMethodNotAllowed"},
		{"GET", registry + "/scheduleRun", 405, "HttpMethodNotAllowed"},
		{"GET", "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups", 404, "SubscriptionNotFound"},
		{"GET", registry + "/tasks/..%2f..%2fx", 400, "InvalidResourceName"},
		{"GET", registry + "/tasks/a%2Fb", 400, "InvalidResourceName"},
		{"GET", registry + "/tasks/" + strings.Repeat("a", 300), 400, "InvalidResourceName"},
		{"GET", registry + "/tasks/missing", 404, "ResourceNotFound"},
		{"GET", s.Scope("g", "registries", "nobody").String() + "/tasks/missing", 404, "ParentResourceNotFound"},
		{"GET", s.Scope("g", "registries", "nobody").String() + "/runs", 404, "ResourceNotFound"},
		{"POST", s.Scope("g", "registries", "nobody").String() + "/scheduleRun", 400, "InvalidRequestContent"},
		{"POST", s.Scope("g", "registries", "nobody").String() + "/listBuildSourceUploadUrl", 404, "ResourceNotFound"},
		{"GET", registry + "/runs/'%20or%201=1", 400, "InvalidResourceName"},
		{"GET", sub + "/operationresults/" + strings.Repeat("a", 64), 404, "OperationNotFound"},
		{"GET", registry + "?api-version=", 400, "MissingApiVersionParameter"},
		{"GET", registry + "?api-version=9999-99-99-whatever", 200, ""},
		{"GET", strings.ToUpper(registry), 200, ""},
		{"PUT", registry + "/tasks/with.dot", 400, "InvalidResourceName"},
		{"PUT", registry + "/tasks/" + strings.Repeat("a", 51), 400, "InvalidResourceName"},
		{"POST", registry + "/listCredentials", 400, "AdminUserDisabled"},
	} {
		body := ""
		if test.method == "PUT" {
			body = "{}"
		}
		a := s.Do(t, s.token, test.method, test.path, body)
		if a.Status != test.status || a.Code() != test.code {
			t.Errorf("%s %.120s: %d %v", test.method, test.path, a.Status, a.Body)
		}
	}
}

func TestHeadersOfAnswers(t *testing.T) {
	t.Parallel()
	s := start(t)
	if a := s.Do(t, s.token, http.MethodPatch, "/tenants", "{}"); a.Status != 405 || a.Header.Get("Allow") != "GET" {
		t.Errorf("%d %v", a.Status, a.Header)
	}
	a := s.Do(t, s.token, http.MethodGet, "/tenants", "", "x-ms-client-request-id", "mine")
	for name, want := range map[string]string{
		"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-cache", "X-Ms-Client-Request-Id": "mine",
		"X-Content-Type-Options": "nosniff",
	} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	if a.Header.Get("X-Ms-Request-Id") == "" {
		t.Error("the request has no id")
	}
	for _, token := range []string{"x", s.token + "x", fmt.Sprintf("%s.e30.", "eyJhbGciOiJub25lIn0")} {
		if a := s.Do(t, token, http.MethodGet, "/tenants", ""); a.Status != 401 || a.Code() != "InvalidAuthenticationToken" || a.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%d %v", a.Status, a.Body)
		}
	}
}
