package serve_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/serve"
)

// webImage is the web server with a page of one colour, which is in its command.
func webImage(t *testing.T, colour string) v1.Image {
	t.Helper()
	img, err := images.Get(t.Context(), images.Web)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	changed := config.Config
	changed.Entrypoint = []string{"/bin/sh", "-c"}
	changed.Cmd = []string{"sleep 0.7; echo starting " + colour + "; echo '<body bgcolor=" + colour + ">' > /www/index.html; exec /usr/local/bin/web"}
	if img, err = mutate.Config(img, changed); err != nil {
		t.Fatal(err)
	}
	return img
}

func TestContainerGroup(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{})
	a := s.Azure()
	a.CreateRegistry("contoso")
	image := s.LoginServer("contoso") + "/web:v1"
	write(t, s, image, webImage(t, "green"))
	i := a.Instances()
	address := i.MustCreate("page", i.Definition(image))
	page, err := serve.Page(t.Context(), address)
	if err != nil || !strings.Contains(page, "green") {
		t.Fatal(page, err, s.Log())
	}
	shown := i.Show("page").Properties
	if *shown.IPAddress.IP != address || *shown.InstanceView.State != "Running" || *shown.Containers[0].Properties.InstanceView.CurrentState.State != "Running" {
		t.Errorf("%+v", shown)
	}
	if c := shown.ImageRegistryCredentials[0]; c.Password != nil || *c.Username != s.ClientID {
		t.Errorf("shown credentials: %+v", c)
	}
	i.UntilLog("page", "web", "GET /\n")
	if logs := i.Logs("page", "web"); !strings.HasPrefix(logs, "starting green\n") {
		t.Errorf("logs:\n%s", logs)
	}
	poller, err := i.Groups.BeginDelete(t.Context(), serve.Group, "page", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := poller.PollUntilDone(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	// Whatever is there now, it is not the group.
	if page, err := serve.Page(t.Context(), address); err == nil && strings.Contains(page, "green") {
		t.Errorf("the page is still there: %s", page)
	}
	if _, err := i.Groups.Get(t.Context(), serve.Group, "page", nil); err == nil || !strings.Contains(err.Error(), "ResourceNotFound") {
		t.Errorf("a deleted group: %v", err)
	}
}

// Somebody asks for the page ten times a second while its image is replaced.
func TestReplacingHasNoGap(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{})
	a := s.Azure()
	a.CreateRegistry("contoso")
	i := a.Instances()
	colours := []string{"white", "orange", "green"}
	for n, colour := range colours {
		write(t, s, fmt.Sprintf("%s/web:v%d", s.LoginServer("contoso"), n), webImage(t, colour))
	}
	address := i.MustCreate("page", i.Definition(s.LoginServer("contoso")+"/web:v0"))
	ctx, stop := context.WithCancel(t.Context())
	type answer struct {
		at   time.Time
		page string
		err  error
	}
	answers := make(chan []answer)
	go func() {
		var all []answer
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			page, err := serve.Page(context.WithoutCancel(ctx), address)
			all = append(all, answer{time.Now(), page, err})
			<-tick.C
		}
		answers <- all
	}()
	for n := range colours[1:] {
		if got := i.MustCreate("page", i.Definition(fmt.Sprintf("%s/web:v%d", s.LoginServer("contoso"), n+1))); got != address {
			t.Errorf("the address changed from %s to %s", address, got)
		}
		if page, err := serve.Page(t.Context(), address); err != nil || !strings.Contains(page, colours[n+1]) {
			t.Errorf("once the image is replaced: %q, %v, want %s", page, err, colours[n+1])
		}
	}
	stop()
	all := <-answers
	seen, failed := 0, 0
	last, gap := all[0].at, time.Duration(0)
	for _, a := range all {
		if a.err != nil {
			failed++
			t.Log(a.err)
			continue
		}
		gap, last = max(gap, a.at.Sub(last)), a.at
		for seen < len(colours)-1 && !strings.Contains(a.page, colours[seen]) {
			seen++
		}
		if !strings.Contains(a.page, colours[seen]) {
			t.Errorf("after %s came %q", colours[seen], a.page)
		}
	}
	t.Logf("%d questions in %s over two replacements, %d without an answer; the longest time between two answers was %s",
		len(all), last.Sub(all[0].at).Round(time.Millisecond), failed, gap.Round(time.Millisecond))
	if failed > 0 {
		t.Errorf("%d questions were not answered", failed)
	}
}

// A group whose image can't be had changes nothing.
func TestImageThatIsNotThere(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{})
	a := s.Azure()
	a.CreateRegistry("contoso")
	i := a.Instances()
	image := s.LoginServer("contoso") + "/web:v1"
	_, err := i.Create("page", i.Definition(image))
	if err == nil || !strings.Contains(err.Error(), "InaccessibleImage") {
		t.Fatal(err)
	}
	write(t, s, image, webImage(t, "green"))
	wrong := i.Definition(image)
	wrong.Properties.ImageRegistryCredentials[0].Password = to.Ptr("wrong")
	if _, err = i.Create("page", wrong); err == nil || !strings.Contains(err.Error(), "InaccessibleImage") ||
		!strings.Contains(err.Error(), "--registry-login-server "+s.LoginServer("contoso")+" --registry-username") || strings.Contains(err.Error(), "task") {
		t.Fatal(err)
	}
	address := i.MustCreate("page", i.Definition(image))
	if _, err = i.Create("page", i.Definition(image+"-gone")); err == nil || !strings.Contains(err.Error(), "InaccessibleImage") {
		t.Fatal(err)
	}
	if page, err := serve.Page(t.Context(), address); err != nil || !strings.Contains(page, "green") {
		t.Error(page, err)
	}
}
