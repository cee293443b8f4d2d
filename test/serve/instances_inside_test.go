package serve_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	aci "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerinstance/armcontainerinstance/v2"

	"github.com/drydockhq/drydock/test/serve"
)

// What containers find inside, on one server: each other, their limits, variables
// and arguments, and a port of UDP.
func TestInsideOfGroups(t *testing.T) {
	t.Parallel()
	id := os.Getpid()%200 + 20
	m := newMachine(t, 1000+id, netip.MustParsePrefix(fmt.Sprintf("10.252.%d.0/24", id)))
	m.route("default")
	_, i, image := instances(t, serve.Options{})
	besideEachOther(t, i, image)
	withinLimits(t, i, image)
	overUDP(t, i, image, m)
}

// besideEachOther has a group of two containers, after two others that come first
// and one by one. They share a folder and an address, and nothing else.
func besideEachOther(t *testing.T, i *serve.Instances, image string) {
	t.Helper()
	mounts := []*aci.VolumeMount{{Name: to.Ptr("shared"), MountPath: to.Ptr("/shared")}}
	first := func(name, script string) *aci.InitContainerDefinition {
		return &aci.InitContainerDefinition{Name: to.Ptr(name), Properties: &aci.InitContainerPropertiesDefinition{
			Image: to.Ptr(image), Command: shellCommand(script), VolumeMounts: mounts,
		}}
	}
	g := shell(i, image, "echo web >> /shared/order; cp /shared/order /www/index.html; echo mine > /mine; exec /usr/local/bin/web")
	g.Properties.Volumes = []*aci.Volume{{Name: to.Ptr("shared"), EmptyDir: map[string]any{}}}
	g.Properties.Containers[0].Properties.VolumeMounts = mounts
	g.Properties.InitContainers = []*aci.InitContainerDefinition{
		first("first", "echo preparing; sleep 0.3; echo first >> /shared/order"), first("second", "echo second >> /shared/order"),
	}
	side := aci.Container{Name: to.Ptr("side"), Properties: &aci.ContainerProperties{
		Image: to.Ptr(image), Resources: g.Properties.Containers[0].Properties.Resources, VolumeMounts: mounts,
		Command: shellCommand(`until wget -q -O /page http://localhost/ 2>/dev/null; do sleep 0.05; done
cat /page; test -e /mine || echo its own files; test "$(cat /proc/1/comm)" = sh && echo its own processes; hostname; exec sleep 1000`),
	}}
	g.Properties.Containers = append(g.Properties.Containers, &side)
	address := i.MustCreate("pair", g)
	if page, err := serve.Page(t.Context(), address); err != nil || page != "first\nsecond\nweb\n" {
		t.Errorf("the page is %q, %v", page, err)
	}
	const want = "first\nsecond\nweb\nits own files\nits own processes\npair\n"
	i.UntilLog("pair", "side", "pair\n")
	if said := i.Logs("pair", "side"); said != want {
		t.Errorf("the container beside it says %q", said)
	}
	if said := i.Logs("pair", "first"); said != "preparing\n" {
		t.Errorf("the first container says %q", said)
	}
	for _, c := range i.Show("pair").Properties.InitContainers {
		if state := c.Properties.InstanceView.CurrentState; *state.State != "Terminated" || *state.ExitCode != 0 || *state.DetailStatus != "Completed" {
			t.Errorf("%s: %s, %s", *c.Name, *state.State, *state.DetailStatus)
		}
	}
}

// withinLimits has a container that says what it may use and what it was given.
func withinLimits(t *testing.T, i *serve.Instances, image string) {
	t.Helper()
	g := i.Definition(image)
	g.Properties.IPAddress = nil
	g.Properties.RestartPolicy = to.Ptr(aci.ContainerGroupRestartPolicyNever)
	c := g.Properties.Containers[0].Properties
	c.Ports = nil
	c.Resources.Limits = &aci.ResourceLimits{CPU: to.Ptr(0.25), MemoryInGB: to.Ptr(0.125)}
	c.EnvironmentVariables = []*aci.EnvironmentVariable{
		{Name: to.Ptr("OPEN"), Value: to.Ptr("a b=$HOME")}, {Name: to.Ptr("HIDDEN"), SecureValue: to.Ptr("c'est \"hush\"")},
	}
	// The last line is the processor's time, in hundredths of a second, that went
	// into two seconds of hurry.
	c.Command = append(shellCommand(`echo "$OPEN|$HIDDEN|$0|$1|$#"
cd /sys/fs/cgroup
cat cpu.max 2>/dev/null || echo $(cat cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us)
cat memory.max 2>/dev/null || cat memory/memory.limit_in_bytes
end=$(($(date +%s) + 2)); while test $(date +%s) -lt $end; do :; done
set -- $(cat /proc/$$/stat); echo $((${14} + ${15} + ${16} + ${17}))`), to.Ptr("zero"), to.Ptr("an argument"), to.Ptr(""))
	i.MustCreate("limited", g)
	i.Until("limited", "done", func(g aci.ContainerGroup) bool { return *g.Properties.InstanceView.State == "Succeeded" })
	said := i.Logs("limited", "web")
	spent, found := strings.CutPrefix(said, "a b=$HOME|c'est \"hush\"|zero|an argument|2\n25000 100000\n134217728\n")
	if n, err := strconv.Atoi(strings.TrimSpace(spent)); !found || err != nil || n > 80 {
		t.Errorf("with a quarter of a processor and 128 MB it says %q", said)
	}
	shown, err := json.Marshal(i.Show("limited"))
	if err != nil || strings.Contains(string(shown), "hush") || !strings.Contains(string(shown), "a b=$HOME") {
		t.Errorf("shown: %s, %v", shown, err)
	}
}

// overUDP has another machine ask a port of UDP.
func overUDP(t *testing.T, i *serve.Instances, image string, m *otherMachine) {
	t.Helper()
	g := i.Definition(image)
	udp := to.Ptr(aci.ContainerGroupNetworkProtocolUDP)
	g.Properties.IPAddress.Ports = append(g.Properties.IPAddress.Ports, &aci.Port{Port: to.Ptr[int32](5353), Protocol: udp})
	c := g.Properties.Containers[0].Properties
	c.Ports = append(c.Ports, &aci.ContainerPort{Port: to.Ptr[int32](5353), Protocol: to.Ptr(aci.ContainerNetworkProtocolUDP)})
	c.EnvironmentVariables = []*aci.EnvironmentVariable{{Name: to.Ptr("ECHO"), Value: to.Ptr("5353")}}
	address := i.MustCreate("echo", g)
	// A datagram may be lost.
	script := `for try in 1 2 3 4 5; do
	exec 3<>/dev/udp/` + address + `/5353 && echo hello >&3 && timeout 2 head -n 1 <&3 && exit
done`
	out, err := exec.CommandContext(t.Context(), "ip", "netns", "exec", m.name, "bash", "-c", script).CombinedOutput()
	if err != nil || string(out) != "hello\n" {
		t.Errorf("from %s: %q, %v", m.name, out, err)
	}
}

// shellCommand is a script as a container's command.
func shellCommand(script string) []*string {
	return []*string{to.Ptr("/bin/sh"), to.Ptr("-c"), to.Ptr(script)}
}
