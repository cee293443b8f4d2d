package cli

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/google/shlex"
	"go.yaml.in/yaml/v3"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/args"
)

// secretsVolume is the name of the volume that --secrets makes.
const secretsVolume = "secrets"

// containerSettings are the flags of `container create`.
type containerSettings struct {
	containerFlags
	image, location, command, file, label       string
	server, username, password, acrIdentity     string
	secretsPath                                 string
	cpus, memory                                float64
	address, protocol, osType, restart          args.Enum
	ports, env, secureEnv, secrets, ids, tagged args.List
	ignored                                     []string
	noWait                                      bool
}

func containerCreate() command {
	s := &containerSettings{
		address: args.Enum{Choices: []string{"Public", "Private"}}, protocol: args.Enum{Choices: []string{"TCP", "UDP"}},
		osType: args.Enum{Choices: []string{"Linux", "Windows"}}, restart: args.Enum{Choices: []string{"Always", "OnFailure", "Never"}},
	}
	return command{
		use: "create", short: "Create a container group, or replace its containers", table: containerTable,
		example: "  drydock container create -g demo -n hello --image contoso.azurecr.drydock.test/hello:v1 --ip-address Public --ports 80 \\\n" +
			"      --registry-login-server contoso.azurecr.drydock.test --registry-username NAME --registry-password PASSWORD",
		flags: s.bind,
		run: func(c *call) (any, error) {
			a, err := c.api()
			if err != nil {
				return nil, err
			}
			body, err := s.body(c)
			if err != nil {
				return nil, err
			}
			group, err := (&groupFlags{s.group}).path(c, a)
			if err != nil {
				return nil, err
			}
			if text(body, "location") == "" {
				if body["location"], err = a.locationOf(c, group, s.location); err != nil {
					return nil, err
				}
			}
			made, err := a.operate(c.ctx, request{
				method: http.MethodPut, path: group + "/providers/" + containerGroupType + "/" + escape(s.name), version: containerVersion, body: body,
			}, !s.noWait)
			return flatContainers(made), err
		},
	}
}

func (s *containerSettings) bind(f *flags) {
	f.StringVarP(&s.name, "name", "n", "", "name of the container group, and of its container")
	f.StringVarP(&s.group, "resource-group", "g", "", "name of the resource group")
	f.StringVar(&s.image, "image", "", "name of the image")
	f.StringVarP(&s.location, "location", "l", "", "where it is (default: where the resource group is)")
	f.Float64Var(&s.cpus, "cpu", 1, "number of processors")
	f.Float64Var(&s.memory, "memory", 1.5, "memory in GB")
	f.Var(&s.address, "ip-address", "give it an address that others reach")
	f.Var(&s.ports, "ports", "ports of the address (default: 80)")
	f.Var(&s.protocol, "protocol", "of the ports (default: TCP)")
	f.StringVar(&s.label, "dns-name-label", "", "first part of the name of the address")
	f.Var(&s.restart, "restart-policy", "when containers that have ended are started again (default: Always)")
	f.StringVar(&s.command, "command-line", "", "command in place of the image's, as '/bin/sh -c \"echo hello\"'")
	f.VarP(&s.env, "environment-variables", "e", "variables: NAME=VALUE ...")
	f.Var(&s.secureEnv, "secure-environment-variables", "variables that nobody is shown: NAME=VALUE ...")
	f.StringVar(&s.server, "registry-login-server", "", "registry of the image")
	f.StringVar(&s.username, "registry-username", "", "who signs in there")
	f.StringVar(&s.password, "registry-password", "", "password for that")
	f.StringVar(&s.acrIdentity, "acr-identity", "", "id of the user-assigned identity that signs in there")
	f.Var(&s.secrets, "secrets", "files of a volume of secrets: NAME=CONTENT ...")
	f.StringVar(&s.secretsPath, "secrets-mount-path", "", "folder in the container that they are in")
	s.ids.Empty = true
	f.Var(&s.ids, "assign-identity", "identities of the group: [system] (the default), or ids of others")
	f.Var(&s.osType, "os-type", "Linux")
	f.StringVarP(&s.file, "file", "f", "", "YAML file with the whole definition, as `container export` writes it")
	tagsFlag(f, &s.tagged)
	noWaitFlag(f, &s.noWait)
	s.ignored = make([]string, 3)
	for i, name := range []string{"zone", "priority", "sku"} {
		f.StringVar(&s.ignored[i], name, "", "ignored: of Azure's data centres")
	}
}

// body returns the definition of the group.
func (s *containerSettings) body(c *call) (object, error) {
	if s.file != "" {
		return s.fromFile(c)
	}
	switch {
	case s.name == "":
		return nil, missingFlags(c.cmd, []string{"name"})
	case s.image == "":
		return nil, missingFlags(c.cmd, []string{"image"})
	case s.secrets.Given != (s.secretsPath != ""):
		return nil, usageError(c.cmd, fmt.Errorf("--secrets and --secrets-mount-path belong together"))
	}
	container, err := s.container(c)
	if err != nil {
		return nil, err
	}
	properties := object{"containers": []any{container}, "osType": "Linux"}
	if s.osType.Value != "" {
		properties["osType"] = s.osType.Value
	}
	if s.restart.Value != "" {
		properties["restartPolicy"] = s.restart.Value
	}
	if properties["imageRegistryCredentials"] = s.credentials(); isEmpty(properties["imageRegistryCredentials"]) {
		delete(properties, "imageRegistryCredentials")
	}
	if s.public() {
		kind := s.address.Value
		if kind == "" {
			kind = "Public"
		}
		ports, err := s.portList(c)
		if err != nil {
			return nil, err
		}
		properties["ipAddress"] = with("type", kind, "ports", ports, "dnsNameLabel", s.label)
	}
	if s.secrets.Given {
		files, err := pairs(c, "--secrets", s.secrets.Values)
		if err != nil {
			return nil, err
		}
		encoded := object{}
		for _, p := range files {
			encoded[p[0]] = base64.StdEncoding.EncodeToString([]byte(p[1]))
		}
		properties["volumes"] = []any{object{"name": secretsVolume, "secret": encoded}}
	}
	body := object{"location": s.location, "properties": properties}
	if s.ids.Given {
		body["identity"] = identityOf(s.ids.Values)
	}
	if tags := tagsOf(s.tagged); tags != nil {
		body["tags"] = tags
	}
	return body, nil
}

func (s *containerSettings) public() bool { return s.address.Value != "" || s.label != "" }

// container returns the one container of the group.
func (s *containerSettings) container(c *call) (object, error) {
	command, err := shlex.Split(s.command)
	if err != nil {
		return nil, usageError(c.cmd, fmt.Errorf("argument --command-line: %q can't be split into words: %w", s.command, err))
	}
	properties := with("image", s.image, "command", command)
	properties["resources"] = object{"requests": object{"cpu": s.cpus, "memoryInGB": s.memory}}
	var env []any
	for _, list := range []struct {
		flag, key string
		values    []string
	}{
		{"--environment-variables", "value", s.env.Values}, {"--secure-environment-variables", "secureValue", s.secureEnv.Values},
	} {
		given, err := pairs(c, list.flag, list.values)
		if err != nil {
			return nil, err
		}
		for _, p := range given {
			env = append(env, object{"name": p[0], list.key: p[1]})
		}
	}
	if env != nil {
		properties["environmentVariables"] = env
	}
	if s.public() {
		if properties["ports"], err = s.portList(c); err != nil {
			return nil, err
		}
	}
	if s.secrets.Given {
		properties["volumeMounts"] = []any{object{"name": secretsVolume, "mountPath": s.secretsPath}}
	}
	return object{"name": s.name, "properties": properties}, nil
}

// pairs splits NAME=VALUE.
func pairs(c *call, flag string, values []string) (list [][2]string, err error) {
	for _, v := range values {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return nil, usageError(c.cmd, fmt.Errorf("argument %s: %q is not NAME=VALUE", flag, name))
		}
		list = append(list, [2]string{name, value})
	}
	return list, nil
}

func (s *containerSettings) portList(c *call) ([]any, error) {
	values := s.ports.Values
	if len(values) == 0 {
		values = []string{"80"}
	}
	protocol := s.protocol.Value
	if protocol == "" {
		protocol = "TCP"
	}
	var list []any
	for _, v := range values {
		n, err := strconv.ParseUint(v, 10, 16)
		if err != nil || n == 0 {
			return nil, usageError(c.cmd, fmt.Errorf("argument --ports: %q is not a port", v))
		}
		list = append(list, object{"port": n, "protocol": protocol})
	}
	return list, nil
}

// credentials returns those for the registry; that of the image unless another is
// given.
func (s *containerSettings) credentials() []any {
	if s.username == "" && s.password == "" && s.acrIdentity == "" {
		return nil
	}
	server := s.server
	if server == "" {
		server, _, _ = strings.Cut(s.image, "/")
	}
	return []any{with("server", server, "username", s.username, "password", s.password, "identity", s.acrIdentity)}
}

// fromFile reads a definition in YAML; ${NAME} in it is a variable of the
// environment, as for the Azure CLI.
func (s *containerSettings) fromFile(c *call) (object, error) {
	data, err := os.ReadFile(s.file)
	if err != nil {
		return nil, drydock.Errorf(drydock.Invalid, "reading the definition: %w", err)
	}
	var doc any
	if err := yaml.Unmarshal([]byte(os.Expand(string(data), c.variable)), &doc); err != nil {
		return nil, drydock.Errorf(drydock.Invalid, "reading %s: %w", s.file, err)
	}
	value, err := plain(doc)
	body, ok := value.(object)
	if err != nil || !ok {
		return nil, drydock.Errorf(drydock.Invalid, "%s is not the definition of a container group", s.file)
	}
	name := text(body, "name")
	switch {
	case s.name == "":
		s.name = name
	case name != "" && name != s.name:
		return nil, drydock.Errorf(drydock.Invalid, "%s is about the container group %q, not %q", s.file, name, s.name)
	}
	if s.name == "" {
		return nil, missingFlags(c.cmd, []string{"name"})
	}
	for _, key := range []string{"name", "apiVersion", "type", "id"} {
		delete(body, key)
	}
	return body, nil
}

// variable returns a variable of the environment; what is none stays as it is.
func (c *call) variable(name string) string {
	for _, pair := range c.Environ {
		if key, value, _ := strings.Cut(pair, "="); key == name {
			return value
		}
	}
	return "${" + name + "}"
}
