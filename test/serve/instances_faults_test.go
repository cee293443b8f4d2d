package serve_test

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	aci "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerinstance/armcontainerinstance/v2"

	"github.com/drydockhq/drydock/test/serve"
)

// shell returns a group whose container runs a command of a shell.
func shell(i *serve.Instances, image, script string) aci.ContainerGroup {
	g := i.Definition(image)
	g.Properties.Containers[0].Properties.Command = []*string{to.Ptr("/bin/sh"), to.Ptr("-c"), to.Ptr(script)}
	return g
}

// instances starts a server with an image of a page.
func instances(t *testing.T, o serve.Options) (*serve.Server, *serve.Instances, string) {
	t.Helper()
	s := serve.Start(t, o)
	a := s.Azure()
	a.CreateRegistry("contoso")
	image := s.LoginServer("contoso") + "/web:v1"
	write(t, s, image, webImage(t, "green"))
	return s, a.Instances(), image
}

func TestGroupThatCrashes(t *testing.T) {
	t.Parallel()
	_, i, image := instances(t, serve.Options{})
	address := i.MustCreate("page", i.Definition(image))
	if _, err := i.Create("page", shell(i, image, "echo trying; exit 3")); err == nil || !strings.Contains(err.Error(), "container web crashes: it ended with status 3") {
		t.Errorf("a group that crashes: %v", err)
	}
	g := i.Until("page", "in a crash loop", func(g aci.ContainerGroup) bool {
		v := g.Properties.Containers[0].Properties.InstanceView
		return v.CurrentState.DetailStatus != nil && strings.HasPrefix(*v.CurrentState.DetailStatus, "CrashLoopBackOff")
	})
	v := g.Properties.Containers[0].Properties.InstanceView
	if *v.PreviousState.ExitCode != 3 || *v.RestartCount < 1 || !happened(v.Events, "BackOff", "Back-off") || !happened(v.Events, "Killing", "status 3") {
		t.Errorf("%+v", v)
	}
	i.UntilLog("page", "web", "trying\ntrying\n")
	if page, err := serve.Page(t.Context(), address); err != nil || !strings.Contains(page, "green") {
		t.Errorf("what was there before: %s, %v", page, err)
	}
	i.MustCreate("page", i.Definition(image))
	missing := shell(i, image, "")
	missing.Properties.Containers[0].Properties.Command = []*string{to.Ptr("/no/such/program")}
	if _, err := i.Create("missing", missing); err == nil || !strings.Contains(err.Error(), "status 127") || !strings.Contains(err.Error(), "/no/such/program") {
		t.Errorf("a program that is not there: %v", err)
	}

	never := shell(i, image, "exit 3")
	never.Properties.RestartPolicy = to.Ptr(aci.ContainerGroupRestartPolicyNever)
	i.MustCreate("once", never)
	if g := i.Show("once").Properties; *g.InstanceView.State != "Failed" || *g.Containers[0].Properties.InstanceView.CurrentState.State != "Terminated" {
		t.Errorf("a group that fails once: %s", *g.InstanceView.State)
	}
}

// happened reports whether there is an event whose message has a text.
func happened(events []*aci.Event, name, text string) bool {
	return slices.ContainsFunc(events, func(e *aci.Event) bool { return *e.Name == name && strings.Contains(*e.Message, text) })
}

// The kernel kills what takes too much, and nothing beside it.
func TestGroupThatTakesAllMemory(t *testing.T) {
	t.Parallel()
	_, i, image := instances(t, serve.Options{})
	address := i.MustCreate("page", i.Definition(image))
	g := shell(i, image, "x=xxxxxxxxxxxxxxxx; while true; do x=$x$x; done")
	g.Properties.Containers[0].Properties.Resources.Requests.MemoryInGB = to.Ptr(0.05)
	g.Properties.RestartPolicy = to.Ptr(aci.ContainerGroupRestartPolicyNever)
	i.MustCreate("greedy", g)
	shown := i.Until("greedy", "killed", func(g aci.ContainerGroup) bool { return *g.Properties.InstanceView.State == "Failed" })
	v := shown.Properties.Containers[0].Properties.InstanceView
	if *v.CurrentState.ExitCode != 137 || *v.CurrentState.DetailStatus != "OOMKilled" || !happened(v.Events, "Killing", "OOMKilled") {
		t.Errorf("exit code %d, %s", *v.CurrentState.ExitCode, *v.CurrentState.DetailStatus)
	}
	if page, err := serve.Page(t.Context(), address); err != nil || !strings.Contains(page, "green") {
		t.Errorf("a group beside it: %s, %v", page, err)
	}
	if v := i.Show("page").Properties.Containers[0].Properties.InstanceView; *v.RestartCount != 0 {
		t.Errorf("a group beside it was started again: %+v", v)
	}
}

// Two groups that share the address of the machine can't have one port.
func TestGroupThatWantsATakenPort(t *testing.T) {
	t.Parallel()
	_, i, image := instances(t, serve.Options{Args: []string{"--instances-host-address"}})
	port := int32(20000 + os.Getpid()%20000)
	at := func(inside string) aci.ContainerGroup {
		g := i.Definition(image)
		g.Properties.IPAddress.Ports[0].Port = to.Ptr(port)
		g.Properties.Containers[0].Properties.Ports[0].Port = to.Ptr(port)
		g.Properties.Containers[0].Properties.EnvironmentVariables = []*aci.EnvironmentVariable{{Name: to.Ptr("PORT"), Value: to.Ptr(inside)}}
		return g
	}
	i.MustCreate("first", at(fmt.Sprint(port)))
	if _, err := i.Create("second", at(fmt.Sprint(port))); err == nil || !strings.Contains(err.Error(), "in use by another program") {
		t.Errorf("a port that is taken: %v", err)
	}
	poller, err := i.Groups.BeginDelete(t.Context(), serve.Group, "first", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := poller.PollUntilDone(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	i.Until("second", "provisioned once the port is free", func(g aci.ContainerGroup) bool {
		return *g.Properties.ProvisioningState == "Succeeded"
	})
}

// The group comes back, at its address, when the server was killed, also where
// its image is to be had no more.
func TestGroupsComeBack(t *testing.T) {
	t.Parallel()
	s, i, image := instances(t, serve.Options{})
	address := i.MustCreate("page", i.Definition(image))
	stopped := i.Definition(image)
	i.MustCreate("stopped", stopped)
	if _, err := i.Groups.Stop(t.Context(), serve.Group, "stopped", nil); err != nil {
		t.Fatal(err)
	}
	write(t, s, image, webImage(t, "red")) // the name stands for something else now
	for n, end := range []func(){s.Kill, func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	}} {
		end()
		began := time.Now()
		s.Restart()
		i = s.Azure().Instances()
		for {
			page, err := serve.Page(t.Context(), address)
			if err == nil && strings.Contains(page, "green") {
				break
			}
			if time.Since(began) > time.Minute {
				t.Fatalf("after end %d: %s, %v\n%s", n, page, err, s.Log())
			}
		}
		t.Logf("the page is back %s after the server was started again", time.Since(began).Round(time.Millisecond))
		if g := i.Show("stopped").Properties; *g.InstanceView.State != "Stopped" {
			t.Errorf("a group that was stopped: %s", *g.InstanceView.State)
		}
	}
}

// Another machine whose way is by this one reaches the page: here it is a network
// namespace. With addresses of its own network it does without a route, too.
func TestAnotherMachineReachesTheGroup(t *testing.T) {
	t.Parallel()
	id := os.Getpid()%200 + 20
	lan := netip.MustParsePrefix(fmt.Sprintf("10.251.%d.0/24", id))
	m := newMachine(t, id, lan)
	for _, c := range []struct{ args, way string }{
		{"", "default"}, {fmt.Sprintf("--instances-addresses=10.251.%d.128/28", id), ""},
	} {
		m.route(c.way)
		var o serve.Options
		if c.args != "" {
			o.Args = []string{c.args}
		}
		_, i, image := instances(t, o)
		address := i.MustCreate("page", i.Definition(image))
		if in := lan.Contains(netip.MustParseAddr(address)); in != (c.way == "") {
			t.Errorf("the address is %s", address)
		}
		// From inside of the namespace: what asks is a program of its own.
		out, err := exec.Command("ip", "netns", "exec", m.name, "curl", "--silent", "--show-error", "--max-time", "5", "http://"+address+"/").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "green") {
			t.Errorf("from %s: %s, %v", m.name, out, err)
		}
		if page, err := serve.Page(t.Context(), address); err != nil || !strings.Contains(page, "green") {
			t.Errorf("from here: %s, %v", page, err)
		}
	}
}

// otherMachine is a network namespace with a link to this machine.
type otherMachine struct {
	t    *testing.T
	name string
	here string // address of this machine on the link
}

func newMachine(t *testing.T, id int, lan netip.Prefix) *otherMachine {
	t.Helper()
	m := &otherMachine{t: t, name: fmt.Sprintf("aci-test-%d", id), here: lan.Addr().Next().String()}
	link := fmt.Sprintf("acitest%d", id)
	m.ip("netns", "add", m.name)
	t.Cleanup(func() {
		m.ip("netns", "delete", m.name)
		_ = exec.Command("ip", "link", "delete", link).Run() // it went with the namespace
	})
	m.ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", m.name)
	m.ip("address", "add", m.here+"/24", "dev", link)
	m.ip("link", "set", link, "up")
	m.ip("-n", m.name, "address", "add", lan.Addr().Next().Next().String()+"/24", "dev", "eth0")
	m.ip("-n", m.name, "link", "set", "eth0", "up")
	return m
}

// route gives the machine a way out by this one, or takes it away.
func (m *otherMachine) route(to string) {
	m.t.Helper()
	if to != "" {
		m.ip("-n", m.name, "route", "add", to, "via", m.here)
		return
	}
	m.ip("-n", m.name, "route", "delete", "default")
}

func (m *otherMachine) ip(args ...string) {
	m.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		m.t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// Nothing is left when a resource group is deleted in the middle of everything:
// groups, one of them half-made, and runs, one in a step and one in a build, whose
// followers hear how they ended.
func TestResourceGroupInTheMiddle(t *testing.T) {
	t.Parallel()
	s, i, image := instances(t, serve.Options{Args: []string{hub(t), "--runs-slots=2"}})
	a := i.Azure
	step := a.Schedule("contoso", slow("600"))
	building := a.Schedule("contoso", fileTask(a.Upload("contoso", "-- acr-task.yaml --\nsteps:\n- build: .\n-- Dockerfile --\nFROM busybox\nRUN echo begun; sleep 600\n")))
	waiting := a.Schedule("contoso", slow("600"))
	address := i.MustCreate("page", i.Definition(image))
	waitText(t, a, step, "begun")
	waitText(t, a, building, " begun\r\n")
	if len(inControlGroups(t, s.Data+"/engine")) == 0 {
		t.Error("no container runs: the test tests nothing")
	}
	ends := map[string]<-chan string{}
	for _, id := range []string{step, building, waiting} {
		ends[id] = followedToItsEnd(t, s, followLink(t, a, id))
	}
	half, err := i.Groups.BeginCreateOrUpdate(t.Context(), serve.Group, "half", shell(i, image, "trap '' TERM; sleep 1000"), nil)
	if err != nil {
		t.Fatal(err)
	}
	gone, err := a.Groups.BeginDelete(t.Context(), serve.Group, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gone.PollUntilDone(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for id, end := range ends {
		select {
		case got := <-end:
			if got != "canceled" {
				t.Errorf("run %s ended as %q", id, got)
			}
		case <-time.After(time.Minute):
			t.Errorf("who follows run %s hears nothing of its end", id)
		}
	}
	if _, err := half.Poll(t.Context()); err == nil {
		t.Error("the half-made group is still there")
	}
	if page, err := serve.Page(t.Context(), address); err == nil && strings.Contains(page, "green") {
		t.Error("the page is still there")
	}
	wantNothingLeft(t, s)
}

// followedToItsEnd follows a log and tells how its run ended.
func followedToItsEnd(t *testing.T, s *serve.Server, link string) <-chan string {
	t.Helper()
	resp, err := s.HTTP().Get(link)
	if err != nil {
		t.Fatal(err)
	}
	end := make(chan string, 1)
	go func() {
		defer resp.Body.Close()
		_, err := io.Copy(io.Discard, resp.Body)
		end <- cmp.Or(resp.Trailer.Get("x-ms-meta-Complete"), fmt.Sprint(resp.Status, err))
	}()
	return end
}

// wantNothingLeft checks that no run and no container of a server has a folder or
// a process.
func wantNothingLeft(t *testing.T, s *serve.Server) {
	t.Helper()
	if entries, err := os.ReadDir(s.Data + "/instances"); err != nil || len(entries) != 0 {
		t.Errorf("left in the folder of container groups: %v, %v", entries, err)
	}
	entries, err := os.ReadDir(s.Data + "/engine/run")
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return e.Name() == "programs" }) // of all runs
	if err != nil || len(entries) != 0 {
		t.Errorf("left of the engine: %v, %v", entries, err)
	}
	for _, m := range mountsBelow(t, s.Data+"/engine/run") {
		if !strings.HasPrefix(m, s.Data+"/engine/run/programs/") {
			t.Errorf("%s is still mounted", m)
		}
	}
	for _, p := range inControlGroups(t, s.Data+"/engine") {
		t.Errorf("%s is still there", p)
	}
}

// inControlGroups returns the processes in the control groups of an engine.
func inControlGroups(t *testing.T, engine string) []string {
	t.Helper()
	name := sha256.Sum256([]byte(engine))
	files, err := filepath.Glob("/proc/[0-9]*/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(text), "/drydock/"+hex.EncodeToString(name[:4])) {
			found = append(found, file)
		}
	}
	return found
}

// Several people who create, stop, start, restart and delete one group at once get
// answers, and what the last of them wants is what there is.
func TestManyHandsOnOneGroup(t *testing.T) {
	t.Parallel()
	s, i, image := instances(t, serve.Options{})
	ctx := t.Context()
	hands := map[string]func() error{
		"create": func() error {
			_, err := i.Groups.BeginCreateOrUpdate(ctx, serve.Group, "page", i.Definition(image), nil)
			return err
		},
		"another": func() error {
			_, err := i.Groups.BeginCreateOrUpdate(ctx, serve.Group, "page", shell(i, image, "exec /usr/local/bin/web"), nil)
			return err
		},
		"stop": func() error { _, err := i.Groups.Stop(ctx, serve.Group, "page", nil); return err },
		"start": func() error {
			poller, err := i.Groups.BeginStart(ctx, serve.Group, "page", nil)
			_ = poller
			return err
		},
		"restart": func() error {
			poller, err := i.Groups.BeginRestart(ctx, serve.Group, "page", nil)
			_ = poller
			return err
		},
		"delete": func() error {
			poller, err := i.Groups.BeginDelete(ctx, serve.Group, "page", nil)
			_ = poller
			return err
		},
	}
	var all sync.WaitGroup
	for name, do := range hands {
		all.Go(func() {
			for range 5 {
				var problem *azcore.ResponseError
				if err := do(); err != nil && (!errors.As(err, &problem) || problem.StatusCode >= http.StatusInternalServerError) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	all.Wait()
	var address string
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		made, err := i.Create("page", i.Definition(image))
		if err == nil {
			address = *made.Properties.IPAddress.IP
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	if page, err := serve.Page(ctx, address); err != nil || !strings.Contains(page, "green") {
		t.Errorf("in the end: %s, %v", page, err)
	}
	poller, err := i.Groups.BeginDelete(ctx, serve.Group, "page", nil)
	if err == nil {
		_, err = poller.PollUntilDone(ctx, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	wantNothingLeft(t, s)
}
