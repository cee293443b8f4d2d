package arm

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/drydockhq/drydock"
)

// containerGroupOf reads a container group out of a document with its secrets.
func containerGroupOf(id drydock.ResourceID, doc object) (drydock.ContainerGroup, error) {
	g := drydock.ContainerGroup{ID: id, RestartPolicy: drydock.RestartAlways}
	for _, p := range []drydock.RestartPolicy{drydock.RestartNever, drydock.RestartOnFailure} {
		if strings.EqualFold(text(doc, "properties.restartPolicy"), string(p)) {
			g.RestartPolicy = p
		}
	}
	for _, e := range list(doc, "properties.imageRegistryCredentials") {
		c := asObject(e)
		if identity := text(c, "identity"); identity != "" {
			login, err := groupLogin(doc, c, identity)
			if err != nil {
				return g, err
			}
			g.Logins = append(g.Logins, login)
			continue
		}
		g.Credentials = append(g.Credentials, drydock.Credential{
			Registry: registryOfServer(text(c, "server")), Username: text(c, "username"), Password: text(c, "password"),
		})
	}
	var err error
	if g.Volumes, err = volumesOf(doc); err != nil {
		return g, err
	}
	if g.Init, err = containersOf(doc, "initContainers", g.Volumes); err != nil {
		return g, err
	}
	if g.Containers, err = containersOf(doc, "containers", g.Volumes); err != nil {
		return g, err
	}
	if all := len(g.Containers) + len(g.Init); len(g.Containers) == 0 || all > maxContainers {
		return g, badRequest("InvalidContainerCount", "A container group has 1 to %d containers, not %d.", maxContainers, all).about("properties.containers")
	}
	if err := distinctNames(g); err != nil {
		return g, err
	}
	g.Public, g.Ports, err = portsOf(doc)
	return g, err
}

// groupLogin reads a credential that is an identity. It must be one that the group
// is assigned: who may create groups is not to use others.
func groupLogin(doc, credential object, identity string) (drydock.GroupLogin, error) {
	server := text(credential, "server")
	fail := func(format string, args ...any) (drydock.GroupLogin, error) {
		return drydock.GroupLogin{}, badRequest("InvalidImageRegistryCredential", format, args...).about("properties.imageRegistryCredentials")
	}
	if text(credential, "username") != "" || text(credential, "password") != "" {
		return fail("The credential for '%s' has an identity and a user name or password: only one of them is possible.", shorten(server))
	}
	id, err := drydock.ParseResourceID(identity)
	if err != nil || !isUserIdentity(id) {
		return fail("The identity '%s' of the credential for '%s' is not the id of a user-assigned identity.", shorten(identity), shorten(server))
	}
	for name := range assigned(doc) {
		if strings.EqualFold(strings.Trim(name, "/"), strings.Trim(identity, "/")) {
			return drydock.GroupLogin{Registry: registryOfServer(server), Identity: id}, nil
		}
	}
	return fail("The identity '%s' of the credential for '%s' is not assigned to the container group: name it in 'identity.userAssignedIdentities' too (az container create --assign-identity).", shorten(identity), shorten(server))
}

// registryOfServer returns the host of a login server, which people write as a
// URL too.
func registryOfServer(server string) string {
	_, host, found := strings.Cut(server, "://")
	if !found {
		host = server
	}
	host, _, _ = strings.Cut(host, "/")
	return strings.ToLower(host)
}

func distinctNames(g drydock.ContainerGroup) error {
	seen := map[string]bool{}
	for _, c := range append(append([]drydock.GroupContainer{}, g.Init...), g.Containers...) {
		if seen[c.Name] {
			return badRequest("DuplicateContainerName", "Two containers of the group are called '%s'.", c.Name).about("properties.containers")
		}
		seen[c.Name] = true
	}
	return nil
}

// portsOf returns the public ports of a group. A port that two containers want,
// which share one address, is refused.
func portsOf(doc object) (public bool, ports []drydock.GroupPort, err error) {
	holders := map[drydock.GroupPort]string{}
	for _, e := range list(doc, "properties.containers") {
		c := asObject(e)
		for _, e := range list(c, "properties.ports") {
			p := portOf(asObject(e))
			if holder, taken := holders[p]; taken {
				return false, nil, badRequest("DuplicateContainerPorts", "The port %d/%s of container '%s' is taken by container '%s': the containers of a group share one network.",
					p.Number, p.Protocol, text(c, "name"), holder).about("properties.containers")
			}
			holders[p] = text(c, "name")
		}
	}
	if at(doc, "properties.ipAddress") == nil {
		return false, nil, nil
	}
	seen := map[drydock.GroupPort]bool{}
	for _, e := range list(doc, "properties.ipAddress.ports") {
		p := portOf(asObject(e))
		if seen[p] {
			return false, nil, badRequest("DuplicatePorts", "The port %d/%s is there twice.", p.Number, p.Protocol).about("properties.ipAddress.ports")
		}
		seen[p] = true
		ports = append(ports, p)
	}
	if len(ports) == 0 || len(ports) > maxGroupPorts {
		return false, nil, badRequest("InvalidIPAddressPorts", "An IP address has 1 to %d ports, not %d.", maxGroupPorts, len(ports)).about("properties.ipAddress.ports")
	}
	return true, ports, nil
}

func portOf(o object) drydock.GroupPort {
	protocol := "tcp"
	if strings.EqualFold(text(o, "protocol"), "udp") {
		protocol = "udp"
	}
	return drydock.GroupPort{Number: uint16(number(o, "port", 0)), Protocol: protocol}
}

// volumesOf returns the volumes of a group. The files of one of secrets are an
// object, or the text that sealVolumes made of it.
func volumesOf(doc object) ([]drydock.GroupVolume, error) {
	var all []drydock.GroupVolume
	for _, e := range list(doc, "properties.volumes") {
		o := asObject(e)
		v := drydock.GroupVolume{Name: text(o, "name")}
		for _, other := range all {
			if other.Name == v.Name {
				return nil, badRequest("DuplicateVolume", "Two volumes are called '%s'.", v.Name).about("properties.volumes")
			}
		}
		files, sealed := o["secret"].(object)
		if text, ok := o["secret"].(string); ok {
			var err error
			if files, err = parseObject([]byte(text)); err != nil {
				return nil, err
			}
			sealed = true
		}
		if sealed {
			v.Files = map[string][]byte{}
		}
		for name, value := range files {
			data, err := base64.StdEncoding.DecodeString(asText(value))
			if err != nil || strings.ContainsAny(name, "/\x00") || name == "" || name == "." || name == ".." {
				return nil, badRequest("InvalidSecretVolume", "The secret '%s' of volume '%s' is not a file name with a value in base64.", shorten(name), v.Name).about("properties.volumes")
			}
			v.Files[name] = data
		}
		all = append(all, v)
	}
	return all, nil
}

func containersOf(doc object, key string, volumes []drydock.GroupVolume) ([]drydock.GroupContainer, error) {
	var all []drydock.GroupContainer
	for i, e := range list(doc, "properties."+key) {
		c, err := containerOf(asObject(e), volumes)
		if err != nil {
			return nil, err.about(fmt.Sprintf("properties.%s[%d]", key, i))
		}
		all = append(all, c)
	}
	return all, nil
}

func containerOf(o object, volumes []drydock.GroupVolume) (drydock.GroupContainer, *apiError) {
	c := drydock.GroupContainer{Name: text(o, "name"), Image: text(o, "properties.image")}
	for _, e := range list(o, "properties.command") {
		c.Command = append(c.Command, asText(e))
	}
	for _, e := range list(o, "properties.environmentVariables") {
		v := asObject(e)
		value, secret := text(v, "value"), text(v, "secureValue")
		if value != "" && secret != "" {
			return c, badRequest("InvalidEnvironmentVariable", "The variable '%s' of container '%s' has both a value and a secureValue.", text(v, "name"), c.Name)
		}
		if strings.Contains(value+secret, "\x00") {
			return c, badRequest("InvalidEnvironmentVariable", "The variable '%s' of container '%s' has a NUL in it.", text(v, "name"), c.Name)
		}
		c.Env = append(c.Env, text(v, "name")+"="+value+secret)
	}
	for _, e := range list(o, "properties.volumeMounts") {
		m := asObject(e)
		mount := drydock.GroupMount{Volume: text(m, "name"), Path: text(m, "mountPath"), ReadOnly: flag(m, "readOnly", false)}
		if !hasVolume(volumes, mount.Volume) {
			return c, badRequest("VolumeNotFound", "The container '%s' mounts the volume '%s', which the group does not have.", c.Name, mount.Volume)
		}
		c.Mounts = append(c.Mounts, mount)
	}
	var err *apiError
	if c.CPUs, c.Memory, err = resourcesOf(c.Name, o); err != nil {
		return c, err
	}
	if c.Ready, err = probeOf(c.Name, o, "readinessProbe"); err != nil {
		return c, err
	}
	c.Alive, err = probeOf(c.Name, o, "livenessProbe")
	return c, err
}

// resourcesOf returns what a container may use: its limits, or else what it
// asks for.
func resourcesOf(name string, o object) (cpus float64, memory int64, err *apiError) {
	const maxCPUs, maxGigabytes, leastMemory = 1024, 16384, 16 * mebibyte
	pick := func(key string) float64 {
		if limit := amount(o, "properties.resources.limits."+key); limit != 0 {
			return limit
		}
		return amount(o, "properties.resources.requests."+key)
	}
	cpus = pick("cpu")
	gigabytes := pick("memoryInGB")
	if cpus < 0 || cpus > maxCPUs || gigabytes < 0 || gigabytes > maxGigabytes {
		return 0, 0, badRequest("InvalidResourceRequirements", "The container '%s' asks for %g CPUs and %g GB of memory; up to %d and %d are possible.",
			name, cpus, gigabytes, maxCPUs, maxGigabytes)
	}
	if memory = int64(gigabytes * gibibyte); memory > 0 {
		memory = max(memory, leastMemory)
	}
	return cpus, memory, nil
}

// probeOf returns a probe with Kubernetes' defaults, as Azure has them.
func probeOf(name string, o object, key string) (*drydock.Probe, *apiError) {
	probe, ok := at(o, "properties."+key).(object)
	if !ok {
		return nil, nil
	}
	p := &drydock.Probe{
		Delay: number(probe, "initialDelaySeconds", 0), Period: number(probe, "periodSeconds", 10), Timeout: number(probe, "timeoutSeconds", 1),
		FailureThreshold: number(probe, "failureThreshold", 3), SuccessThreshold: number(probe, "successThreshold", 1),
	}
	for _, n := range []int{p.Delay, p.Period - 1, p.Timeout - 1, p.FailureThreshold - 1, p.SuccessThreshold - 1} {
		if n < 0 || n > 1_000_000 {
			return nil, badRequest("InvalidProbe", "The %s of container '%s' has a number that is out of bounds.", key, name)
		}
	}
	for _, e := range list(probe, "exec.command") {
		p.Exec = append(p.Exec, asText(e))
	}
	get, isGet := probe["httpGet"].(object)
	if isGet == (len(p.Exec) > 0) {
		return nil, badRequest("InvalidProbe", "The %s of container '%s' needs either a command or an httpGet.", key, name)
	}
	if !isGet {
		return p, nil
	}
	port, path := number(get, "port", 0), text(get, "path")
	if port < 1 || port > 65535 || strings.EqualFold(text(get, "scheme"), "https") {
		return nil, badRequest("InvalidProbe", "The %s of container '%s' must name a port from 1 to 65535, which is asked in plain HTTP.", key, name)
	}
	p.URL = (&url.URL{Scheme: "http", Host: "localhost:" + strconv.Itoa(port), Path: "/"}).String()
	if ref, err := url.Parse(p.URL + strings.TrimPrefix(path, "/")); err == nil {
		p.URL = ref.String()
	}
	for _, e := range list(get, "httpHeaders") {
		h := asObject(e)
		p.Headers = append(p.Headers, [2]string{text(h, "name"), text(h, "value")})
	}
	return p, nil
}

func hasVolume(volumes []drydock.GroupVolume, name string) bool {
	for _, v := range volumes {
		if v.Name == name {
			return true
		}
	}
	return false
}

// amount returns a number that may have a fraction; 0 if there is none.
func amount(o object, path string) float64 {
	n, _ := at(o, path).(json.Number)
	f, err := strconv.ParseFloat(n.String(), 64)
	if err != nil {
		return 0
	}
	return f
}
