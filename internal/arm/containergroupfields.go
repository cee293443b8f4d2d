package arm

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
)

// Bounds of Azure's, or such that nobody meets them.
const (
	maxContainers = 60
	maxGroupPorts = 100
	mebibyte      = 1 << 20
	gibibyte      = 1 << 30
)

// containerName is the rule for the names of groups and of their containers.
var containerName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// groupLocation is where a group can be: the place becomes part of its host name,
// which goes into hosts files and answers of name servers.
var groupLocation = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9 -]*[A-Za-z0-9])?$`)

// environmentName is what a variable can be called.
var environmentName = regexp.MustCompile(`^[^=\x00]{1,256}$`)

var containerGroupFields = withoutNulls(slices.Concat(
	kinds(anObject, "tags", "properties.ipAddress", "properties.volumes[].emptyDir", "properties.volumes[].secret"),
	kinds(aString, "tags{}", "properties.volumes[].secret{}"),
	kinds(aList, "properties.initContainers", "properties.imageRegistryCredentials", "properties.volumes", "properties.subnetIds"),
	kinds(anObject, "properties.imageRegistryCredentials[]", "properties.volumes[]"),
	[]field{
		{path: "location", kind: aString, min: 1, max: 90, form: groupLocation},
		{path: "properties", kind: anObject, required: true},
		{path: "properties.containers", kind: aList, required: true},
		anyOf("properties.osType", "Linux", "Windows"),
		anyOf("properties.restartPolicy", "Always", "OnFailure", "Never"),
		anyOf("properties.sku", "Standard", "Dedicated", "Confidential", "NotSpecified"),
		anyOf("properties.ipAddress.type", "Public", "Private"),
		{path: "properties.ipAddress.ports", kind: aList, required: true},
		{path: "properties.ipAddress.ports[]", kind: anObject},
		{path: "properties.ipAddress.ports[].port", kind: anInt, min: 1, max: 65535, required: true},
		anyOf("properties.ipAddress.ports[].protocol", "TCP", "UDP"),
		{path: "properties.ipAddress.dnsNameLabel", kind: aString, min: 1, max: 63, form: containerName},
		{path: "properties.imageRegistryCredentials[].server", kind: aString, min: 1, max: 512, required: true},
		{path: "properties.imageRegistryCredentials[].username", kind: aString, max: 512},
		{path: "properties.imageRegistryCredentials[].password", kind: aString, max: maxText},
		{path: "properties.imageRegistryCredentials[].identity", kind: aString, max: maxText},
		{path: "properties.volumes[].name", kind: aString, min: 1, max: 63, form: containerName, required: true},
	},
	containerFields("properties.containers[]"),
	containerFields("properties.initContainers[]"),
	identityFields,
))

// withoutNulls refuses null as an element of a list.
func withoutNulls(fields []field) []field {
	for i, f := range fields {
		if strings.HasSuffix(f.path, "[]") {
			fields[i].required = true
		}
	}
	return fields
}

// containerFields are those of a container in a group.
func containerFields(at string) []field {
	in := at + ".properties"
	return slices.Concat(
		kinds(anObject, at, in+".environmentVariables[]", in+".volumeMounts[]", in+".ports[]", in+".resources", in+".resources.requests", in+".resources.limits",
			in+".livenessProbe", in+".readinessProbe", in+".livenessProbe.exec", in+".readinessProbe.exec", in+".livenessProbe.httpGet", in+".readinessProbe.httpGet"),
		kinds(aList, in+".command", in+".environmentVariables", in+".volumeMounts", in+".ports", in+".livenessProbe.exec.command", in+".readinessProbe.exec.command"),
		kinds(aString, in+".command[]", in+".environmentVariables[].value", in+".environmentVariables[].secureValue",
			in+".livenessProbe.exec.command[]", in+".readinessProbe.exec.command[]"),
		[]field{
			{path: at + ".name", kind: aString, form: containerName, required: true},
			{path: in, kind: anObject, required: true},
			{path: in + ".image", kind: aString, min: 1, max: 1024, required: true},
			{path: in + ".environmentVariables[].name", kind: aString, form: environmentName, required: true},
			{path: in + ".volumeMounts[].name", kind: aString, min: 1, max: 63, required: true},
			{path: in + ".volumeMounts[].mountPath", kind: aString, min: 1, max: 1024, form: regexp.MustCompile(`^/[^:\x00]*$`), required: true},
			{path: in + ".volumeMounts[].readOnly", kind: aBool},
			{path: in + ".ports[].port", kind: anInt, min: 1, max: 65535, required: true},
			anyOf(in+".ports[].protocol", "TCP", "UDP"),
		},
	)
}

// containerGroupSecrets visits the secrets of a container group. Those of a
// volume are one text; see sealVolumes.
func containerGroupSecrets(doc object, visit secretVisitor) {
	for _, e := range list(doc, "properties.imageRegistryCredentials") {
		if c, ok := e.(object); ok {
			visit("registry "+text(c, "server")+" "+text(c, "username"), c, "password")
		}
	}
	for _, e := range list(doc, "properties.volumes") {
		if v, ok := e.(object); ok {
			visit("volume "+text(v, "name"), v, "secret")
		}
	}
	for _, at := range []string{"containers", "initContainers"} {
		for _, e := range list(doc, "properties."+at) {
			container, _ := e.(object)
			for _, e := range list(container, "properties.environmentVariables") {
				if v, ok := e.(object); ok {
					visit(at+" "+text(container, "name")+" "+text(v, "name"), v, "secureValue")
				}
			}
		}
	}
	if analytics, ok := at(doc, "properties.diagnostics.logAnalytics").(object); ok {
		visit("logAnalytics", analytics, "workspaceKey")
	}
}

// sealVolumes makes one secret of the files of each volume of secrets.
func sealVolumes(doc object) error {
	for _, e := range list(doc, "properties.volumes") {
		volume, _ := e.(object)
		files, ok := volume["secret"].(object)
		if !ok {
			continue
		}
		text, err := json.Marshal(files)
		if err != nil {
			return err
		}
		volume["secret"] = string(text)
	}
	return nil
}

// cleanContainerGroup takes out of a client's document what only the server says.
func cleanContainerGroup(doc object) {
	withoutComputed(doc, "provisioningState", "instanceView")
	if address, ok := at(doc, "properties.ipAddress").(object); ok {
		delete(address, "fqdn")
		delete(address, "ip")
	}
	for _, name := range []string{"containers", "initContainers"} {
		for _, e := range list(doc, "properties."+name) {
			if properties, ok := at(asObject(e), "properties").(object); ok {
				delete(properties, "instanceView")
			}
		}
	}
}

// fillResources gives containers that ask for none what Azure gives them: clients
// leave that to the server.
func fillResources(doc object) {
	for _, e := range list(doc, "properties.containers") {
		properties, ok := asObject(e)["properties"].(object)
		if ok && at(properties, "resources.requests") == nil && at(properties, "resources.limits") == nil {
			properties["resources"] = object{"requests": object{"cpu": json.Number("1.0"), "memoryInGB": json.Number("1.5")}}
		}
	}
}

func asObject(v any) object {
	o, _ := v.(object)
	return o
}

// refuseForeignGroup says what of Azure's container groups this server does not have.
func refuseForeignGroup(doc object) error {
	no := func(target, what string) error {
		return badRequest("UnsupportedFeature", "%s are not part of this server.", what).about(target)
	}
	switch {
	case strings.EqualFold(text(doc, "properties.osType"), "Windows"):
		return no("properties.osType", "Windows containers")
	case strings.EqualFold(text(doc, "properties.ipAddress.type"), "Private"), len(list(doc, "properties.subnetIds")) > 0:
		return no("properties.subnetIds", "Virtual networks")
	case strings.EqualFold(text(doc, "properties.sku"), "Confidential"):
		return no("properties.sku", "Confidential containers")
	}
	for _, e := range list(doc, "properties.volumes") {
		volume := asObject(e)
		switch {
		case volume["azureFile"] != nil:
			return no("properties.volumes", "Volumes of Azure Files")
		case volume["gitRepo"] != nil:
			return no("properties.volumes", "Volumes of git repositories")
		case volume["emptyDir"] == nil && volume["secret"] == nil:
			return badRequest("InvalidVolume", "The volume '%s' is neither an emptyDir nor a secret.", text(volume, "name")).about("properties.volumes")
		}
	}
	return nil
}

// groupLabel returns the DNS label of a group's address; "" for none.
func groupLabel(doc object) string {
	return strings.ToLower(text(doc, "properties.ipAddress.dnsNameLabel"))
}

// groupAlias is a group's host name in the domain of container groups, which no
// other may have; "" for none.
func groupAlias(doc object, location string) string {
	if groupLabel(doc) == "" {
		return ""
	}
	return groupLabel(doc) + "." + plainLocation(location)
}

// ContainerGroupHost returns the host name of a container group; "" for none.
func (s *Server) ContainerGroupHost(r drydock.Resource) string {
	if r.Alias == "" {
		return ""
	}
	return r.Alias + "." + s.c.InstanceDomain
}
