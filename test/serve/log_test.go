package serve_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/drydockhq/drydock/test/serve"
)

// followLink returns the URL of a run's log as a stream.
func followLink(t *testing.T, a *serve.Azure, id string) string {
	t.Helper()
	s := a.Server
	token, err := s.Admin().GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://" + s.Host("management") + "/.default"}})
	if err != nil {
		t.Fatal(err)
	}
	url := "https://" + s.Host("management") + "/subscriptions/" + a.Subscription + "/resourceGroups/" + serve.Group +
		"/providers/Microsoft.ContainerRegistry/registries/contoso/runs/" + id + "/listLogSasUrl?api-version=2019-06-01-preview"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token.Token)
	resp, err := s.HTTP().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var links struct{ LogFollowLink string }
	if err := json.NewDecoder(resp.Body).Decode(&links); err != nil || links.LogFollowLink == "" {
		t.Fatal(resp.Status, err)
	}
	return links.LogFollowLink
}

// uptime is the machine's clock that containers see too, in seconds.
func uptime(t *testing.T, text string) float64 {
	t.Helper()
	first, _, _ := strings.Cut(text, " ")
	seconds, err := strconv.ParseFloat(first, 64)
	if err != nil {
		t.Fatal(err)
	}
	return seconds
}

// What a container says is at the client within 100 ms, and what was streamed is
// what is stored.
func TestFollowedLog(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Args: []string{hub(t)}})
	a := s.Azure()
	a.CreateRegistry("contoso")
	id := a.Schedule("contoso", serve.Task("steps:\n- cmd: busybox sh -c 'sleep 2; for i in $(seq 60); do echo at $(cat /proc/uptime); sleep 0.05; done'\n"))
	waitText(t, a, id, "Launching container")
	resp, err := s.HTTP().Get(followLink(t, a, id))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var text strings.Builder
	var late []float64
	for lines := bufio.NewReader(resp.Body); ; {
		line, err := lines.ReadString('\n')
		now, readErr := os.ReadFile("/proc/uptime")
		if readErr != nil {
			t.Fatal(readErr)
		}
		text.WriteString(line)
		if said, ok := strings.CutPrefix(line, "at "); ok {
			late = append(late, uptime(t, string(now))-uptime(t, said))
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(late)
	// A busy machine may be late now and then, a buffer on the way always is.
	if len(late) != 60 || late[len(late)/2] > 0.1 || late[len(late)*9/10] > 1 {
		t.Errorf("%d lines, %v s after they were said", len(late), late)
	}
	if end := resp.Trailer.Get("x-ms-meta-Complete"); end != "successful" {
		t.Errorf("the stream ended with %v", resp.Trailer)
	}
	stored, _ := a.WaitLog("contoso", id)
	if stored != text.String() {
		t.Errorf("streamed:\n%s\nstored:\n%s", text.String(), stored)
	}
	s.Kill()
	s.Restart()
	if again, end := a.WaitLog("contoso", id); again != stored || end != "successful" {
		t.Errorf("after a restart: %s\n%s", end, again)
	}
}

// Deleting a group ends what is in it and frees the names.
func TestDeletedGroup(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Args: []string{hub(t)}})
	a := s.Azure()
	login := a.CreateRegistry("contoso")
	push(t, s, login+"/hello:v1")
	id := a.Schedule("contoso", slow("600"))
	waitText(t, a, id, "begun")
	poller, err := a.Groups.BeginDelete(t.Context(), serve.Group, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := poller.PollUntilDone(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(s.Data + "/blobs"); err != nil || len(left) != 0 {
		t.Errorf("blobs are left: %v, %v", left, err)
	}
	a.CreateRegistry("contoso")
	if pages, err := a.Runs.NewListPager(serve.Group, "contoso", nil).NextPage(t.Context()); err != nil || len(pages.Value) != 0 {
		t.Errorf("runs %v, %v", pages.Value, err)
	}
	next := a.Schedule("contoso", slow("0"))
	if text, end := a.WaitLog("contoso", next); end != "successful" || strings.Count(text, "begun") != 1 {
		t.Errorf("%s\n%s", end, text)
	}
}
