package arm_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock/internal/arm"
)

// dig returns what is at a path of keys.
func dig(v any, path string) any {
	for _, key := range strings.Split(path, ".") {
		o, _ := v.(map[string]any)
		v = o[key]
	}
	return v
}

func TestMergeTask(t *testing.T) {
	t.Parallel()
	const old = `{"tags":{"a":"1"},"identity":{"type":"SystemAssigned"},"properties":{"timeout":600,"platform":{"os":"linux","architecture":"amd64"},
		"step":{"type":"FileTask","taskFilePath":"a.yaml","contextPath":"x","contextAccessToken":"t","values":[{"name":"A","value":"1"},{"name":"B","value":"2"}]},
		"trigger":{"sourceTriggers":[{"name":"s","status":"Enabled","sourceRepository":{"repositoryUrl":"u","sourceControlAuthProperties":{"token":"t"}}}],
			"timerTriggers":[{"name":"t1","schedule":"a"}]},
		"credentials":{"customRegistries":{"one.example":{"password":{"value":"p"}},"Two.example":{"identity":"[system]"}}}}}`
	for name, test := range map[string]struct{ patch, path, want string }{
		"nothing":               {`{}`, "", old},
		"empty objects":         {`{"properties":{"platform":{},"agentConfiguration":null,"credentials":{},"step":{"values":[]},"trigger":{}}}`, "", old},
		"a number":              {`{"properties":{"timeout":900}}`, "timeout", `900`},
		"a part of an object":   {`{"properties":{"platform":{"architecture":"arm64"}}}`, "platform", `{"os":"linux","architecture":"arm64"}`},
		"null removes":          {`{"properties":{"timeout":null}}`, "timeout", `null`},
		"values by name":        {`{"properties":{"step":{"type":"FileTask","values":[{"name":"B","value":"3"},{"name":"C","value":"4"}]}}}`, "step", `{"type":"FileTask","taskFilePath":"a.yaml","contextPath":"x","contextAccessToken":"t","values":[{"name":"A","value":"1"},{"name":"B","value":"3"},{"name":"C","value":"4"}]}`},
		"another type of step":  {`{"properties":{"step":{"type":"Docker","dockerFilePath":"D"}}}`, "step", `{"type":"Docker","dockerFilePath":"D","contextPath":"x","contextAccessToken":"t"}`},
		"a trigger by name":     {`{"properties":{"trigger":{"sourceTriggers":[{"name":"s","status":"Disabled"}]}}}`, "trigger", `{"sourceTriggers":[{"name":"s","status":"Disabled","sourceRepository":{"repositoryUrl":"u","sourceControlAuthProperties":{"token":"t"}}}],"timerTriggers":[{"name":"t1","schedule":"a"}]}`},
		"a new timer":           {`{"properties":{"trigger":{"timerTriggers":[{"name":"t2","schedule":"b"}]}}}`, "trigger.timerTriggers", `[{"name":"t1","schedule":"a"},{"name":"t2","schedule":"b"}]`},
		"a base image":          {`{"properties":{"trigger":{"baseImageTrigger":{"name":"b"}}}}`, "trigger.baseImageTrigger", `{"name":"b"}`},
		"a registry goes":       {`{"properties":{"credentials":{"customRegistries":{"one.example":null,"none.example":null}}}}`, "credentials", `{"customRegistries":{"Two.example":{"identity":"[system]"}}}`},
		"a registry is another": {`{"properties":{"credentials":{"customRegistries":{"two.example":{"password":{"value":"n"}}}}}}`, "credentials", `{"customRegistries":{"one.example":{"password":{"value":"p"}},"two.example":{"password":{"value":"n"}}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parse := func(text string) map[string]any {
				o, err := arm.ParseObject(text)
				if err != nil {
					t.Fatal(err)
				}
				return o
			}
			before := parse(old)
			merged := arm.MergeTask(before, parse(test.patch))
			var got any = merged
			if test.path != "" {
				got = dig(merged["properties"], test.path)
			}
			want := parse(`{"v":` + test.want + `}`)["v"]
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("merged (-want +got):\n%s", d)
			}
			if d := cmp.Diff(parse(old), before); d != "" {
				t.Errorf("the old task was changed:\n%s", d)
			}
		})
	}
}
