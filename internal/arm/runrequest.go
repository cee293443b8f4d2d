package arm

import (
	"encoding/base64"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// The types of run request on the wire.
const taskRunRequest = "TaskRunRequest"

// runRegistryForm is that of a login server with a path, if any; empty for the
// run's own registry.
var runRegistryForm = regexp.MustCompile(`^$|^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$`)

const (
	defaultTimeout = 3600 // seconds, as ACR's
	minTimeout     = 300
	maxTimeout     = 28800
	maxCPU         = 256
)

// credentialFields are the fields of the credentials below a path.
func credentialFields(path string) []field {
	return slices.Concat(
		kinds(anObject, path, path+".sourceRegistry", path+".customRegistries", path+".customRegistries{}",
			path+".customRegistries{}.userName", path+".customRegistries{}.password"),
		kinds(aString, path+".customRegistries{}.identity", path+".sourceRegistry.identity",
			path+".customRegistries{}.userName.value", path+".customRegistries{}.password.value"),
		[]field{
			anyOf(path+".sourceRegistry.loginMode", "None", "Default"),
			anyOf(path+".customRegistries{}.userName.type", "Opaque", "Vaultsecret"),
			anyOf(path+".customRegistries{}.password.type", "Opaque", "Vaultsecret"),
		},
	)
}

// valueFields are the fields of a list of names with values below a path.
func valueFields(path string) []field {
	return []field{
		{path: path, kind: aList},
		{path: path + "[]", kind: anObject, required: true},
		{path: path + "[].name", kind: aString, required: true, min: 1, max: 1024},
		{path: path + "[].value", kind: aString, required: true},
		{path: path + "[].isSecret", kind: aBool},
	}
}

// machineFields are the fields that say where something runs, below a prefix.
func machineFields(prefix string) []field {
	return []field{
		{path: prefix + "platform", kind: anObject},
		// The Azure CLI says linux, and its tables have what it is answered.
		{path: prefix + "platform.os", kind: aString, enum: []string{"Linux", "Windows"}, asSent: true},
		anyOf(prefix+"platform.architecture", "amd64", "x86", "386", "arm", "arm64"),
		anyOf(prefix+"platform.variant", "v6", "v7", "v8"),
		{path: prefix + "agentConfiguration", kind: anObject},
		{path: prefix + "agentConfiguration.cpu", kind: anInt, min: 1, max: maxCPU},
		{path: prefix + "agentPoolName", kind: aString},
		{path: prefix + "timeout", kind: anInt, min: minTimeout, max: maxTimeout},
		{path: prefix + "logTemplate", kind: aString, max: 1024},
		{path: prefix + "runRegistry", kind: aString, max: 255, form: runRegistryForm},
	}
}

// stepFields are the fields of what is carried out, which run requests and task
// steps share.
func stepFields(prefix string) []field {
	return slices.Concat(
		kinds(aString, prefix+"dockerFilePath", prefix+"target", prefix+"taskFilePath", prefix+"valuesFilePath"),
		[]field{{path: prefix + "encodedTaskContent", kind: aString}, {path: prefix + "encodedValuesContent", kind: aString}},
		kinds(aBool, prefix+"isPushEnabled", prefix+"noCache"),
		kinds(aString, prefix+"imageNames[]"),
		[]field{{path: prefix + "imageNames", kind: aList}},
		valueFields(prefix+"arguments"), valueFields(prefix+"values"),
	)
}

var runRequestFields = slices.Concat(
	[]field{
		{path: "type", kind: aString, required: true, enum: []string{
			string(drydock.DockerBuildRun), string(drydock.FileTaskRun), string(drydock.EncodedTaskRun), taskRunRequest,
		}},
		{path: "platform", kind: anObject, required: true},
		{path: "platform.os", kind: aString, required: true},
	},
	kinds(aBool, "isArchiveEnabled"),
	kinds(aString, "sourceLocation", "taskId"),
	machineFields(""), stepFields(""), credentialFields("credentials"),
	[]field{{path: "overrideTaskStepProperties", kind: anObject}},
	kinds(aString, "overrideTaskStepProperties.contextPath", "overrideTaskStepProperties.file",
		"overrideTaskStepProperties.target", "overrideTaskStepProperties.updateTriggerToken"),
	valueFields("overrideTaskStepProperties.arguments"), valueFields("overrideTaskStepProperties.values"),
)

// requestOf reads what all quick runs have: doc is a checked request other than
// one to run a task.
func (s *Server) requestOf(doc object) (drydock.RunRequest, error) {
	r := drydock.RunRequest{
		Source:      text(doc, "sourceLocation"),
		RunRegistry: text(doc, "runRegistry"),
		LogTemplate: text(doc, "logTemplate"),
	}
	for _, kind := range []drydock.RunRequestKind{drydock.DockerBuildRun, drydock.FileTaskRun, drydock.EncodedTaskRun} {
		if strings.EqualFold(text(doc, "type"), string(kind)) {
			r.Kind = kind
		}
	}
	if r.Kind == "" {
		return r, badRequest("InvalidRequestContent", "A request of type '%s' can't be used here.", text(doc, "type")).about("type")
	}
	if err := s.takeMachine(&r, doc, ""); err != nil {
		return r, err
	}
	takeCredentials(&r, doc, "credentials")
	return r, takeStep(&r, doc, "")
}

// takeMachine reads platform, CPU and timeout below a prefix.
func (s *Server) takeMachine(r *drydock.RunRequest, doc object, prefix string) error {
	os, arch, variant := text(doc, prefix+"platform.os"), text(doc, prefix+"platform.architecture"), text(doc, prefix+"platform.variant")
	if os == "" {
		os = "Linux"
	}
	if arch == "" {
		arch = "amd64"
	}
	r.Platform = strings.TrimSuffix(os+"/"+arch+"/"+variant, "/")
	r.OS, r.Architecture, r.Variant = strings.ToLower(os), strings.ToLower(arch), strings.ToLower(variant)
	switch r.Architecture {
	case "x86":
		r.Architecture = "386"
	}
	if err := s.checkPlatform(*r, prefix); err != nil {
		return err
	}
	r.CPU = number(doc, prefix+"agentConfiguration.cpu", 2)
	r.Timeout = time.Duration(number(doc, prefix+"timeout", defaultTimeout)) * time.Second
	return nil
}

func takeCredentials(r *drydock.RunRequest, doc object, path string) {
	if r.RegistryLogin = !strings.EqualFold(text(doc, path+".sourceRegistry.loginMode"), "None"); r.RegistryLogin {
		r.RegistryIdentity = text(doc, path+".sourceRegistry.identity")
	}
	registries, _ := at(doc, path+".customRegistries").(object)
	for host, value := range registries {
		c, ok := value.(object)
		if !ok {
			continue
		}
		r.Credentials = append(r.Credentials, drydock.RunCredential{
			Registry: host, Identity: text(c, "identity"),
			Username: secretValue(c, "userName"), Password: secretValue(c, "password"),
		})
	}
	sort.Slice(r.Credentials, func(i, j int) bool { return r.Credentials[i].Registry < r.Credentials[j].Registry })
}

func secretValue(c object, key string) drydock.SecretValue {
	return drydock.SecretValue{Value: text(c, key+".value"), Vault: strings.EqualFold(text(c, key+".type"), "Vaultsecret")}
}

// takeStep reads what is carried out, and checks that nothing lacks.
func takeStep(r *drydock.RunRequest, doc object, prefix string) error {
	missing := func(key string) error {
		return badRequest("InvalidRequestContent", "The property '%s' is required for a %s.", prefix+key, r.Kind).about(prefix + key)
	}
	r.Arguments, r.Values = runValues(doc, prefix+"arguments"), runValues(doc, prefix+"values")
	switch r.Kind {
	case drydock.DockerBuildRun:
		r.Dockerfile, r.Target = text(doc, prefix+"dockerFilePath"), text(doc, prefix+"target")
		r.Push, r.NoCache = flag(doc, prefix+"isPushEnabled", true), flag(doc, prefix+"noCache", false)
		for _, image := range list(doc, prefix+"imageNames") {
			r.Images = append(r.Images, asText(image))
		}
		if r.Dockerfile == "" {
			return missing("dockerFilePath")
		}
	case drydock.FileTaskRun:
		r.TaskFile, r.ValuesFile = text(doc, prefix+"taskFilePath"), text(doc, prefix+"valuesFilePath")
		if r.TaskFile == "" {
			return missing("taskFilePath")
		}
	case drydock.EncodedTaskRun:
		if text(doc, prefix+"encodedTaskContent") == "" {
			return missing("encodedTaskContent")
		}
		var err error
		if r.TaskContent, err = decoded(doc, prefix+"encodedTaskContent"); err != nil {
			return err
		}
		if r.ValuesContent, err = decoded(doc, prefix+"encodedValuesContent"); err != nil {
			return err
		}
	}
	return nil
}

func runValues(doc object, path string) []drydock.RunValue {
	var values []drydock.RunValue
	for _, e := range list(doc, path) {
		if v, ok := e.(object); ok {
			values = append(values, drydock.RunValue{Name: text(v, "name"), Value: text(v, "value"), Secret: flag(v, "isSecret", false)})
		}
	}
	return values
}

// decoded returns a base64 text; clients differ in whether they pad it.
func decoded(doc object, path string) ([]byte, error) {
	content, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text(doc, path), "=\r\n "))
	if err != nil {
		return nil, badRequest("InvalidRequestContent", "The property '%s' is not base64.", path).about(path)
	}
	return content, nil
}

func asText(v any) string {
	s, _ := v.(string)
	return s
}
