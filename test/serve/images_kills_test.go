package serve_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"

	"github.com/drydockhq/drydock/test/serve"
)

// TestKillsDuringCascades pushes a base again and again and kills the server a
// moment later: between the event and what it makes due, between that and the
// run, while runs go on and end. At the end everything stands on the newest, and
// no run was made for what the one before it had brought already.
func TestKillsDuringCascades(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Args: []string{"--runs-slots=2"}})
	a := s.Azure()
	login := a.CreateRegistry("contoso")
	pushBase(t, s, login+"/base:1", "start")
	buildTask(a, t, "contoso", "middle", "middle:1", "FROM "+login+"/base:1\nRUN echo $VERSION > /version\n")
	buildTask(a, t, "contoso", "product", "product:1", "FROM "+login+"/middle:1\n")
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0)) // moments, not secrets
	last := ""
	for i := range kills(t) {
		last = pushBase(t, s, login+"/base:1", fmt.Sprint("v", i))
		time.Sleep(time.Duration(random.Int64N(int64(1200 * time.Millisecond))))
		s.Kill()
		s.Restart()
	}
	standing := func(task, on string) bool {
		shown, err := a.Tasks.Get(t.Context(), serve.Group, "contoso", task, nil)
		if err != nil {
			t.Fatal(err)
		}
		bases := shown.Properties.Step.GetTaskStepProperties().BaseImageDependencies
		return len(bases) == 1 && bases[0].Digest != nil && *bases[0].Digest == on
	}
	var middle, product []*armcontainerregistry.RunProperties
	for deadline := time.Now().Add(3 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		middle, product = updates(a, t, "contoso", "middle"), updates(a, t, "contoso", "product")
		if newest := output(middle); ended(middle) && ended(product) && newest != "" && standing("middle", last) && standing("product", newest) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("middle stands on the newest: %v; it has %d runs, ended: %v; product has %d, ended: %v",
				standing("middle", last), len(middle), ended(middle), len(product), ended(product))
		}
	}
	for task, runs := range map[string][]*armcontainerregistry.RunProperties{"middle": middle, "product": product} {
		t.Logf("%s has %d runs", task, len(runs))
		before := ""
		for _, r := range runs {
			i := cause(a, t, "contoso", *r.RunID).Images[0]
			if i.Digest == i.Previous || i.Digest == before {
				t.Errorf("run %s of %s goes from %s to %s, and the one before had gone to %s", *r.RunID, task, i.Previous, i.Digest, before)
			}
			before = i.Digest
			if *r.Status != armcontainerregistry.RunStatusSucceeded && !strings.Contains(*r.RunErrorMessage, "was gone before it ended") {
				t.Errorf("run %s of %s is %s", *r.RunID, task, *r.Status)
			}
		}
	}
}

func ended(runs []*armcontainerregistry.RunProperties) bool {
	for _, r := range runs {
		if r.FinishTime == nil {
			return false
		}
	}
	return true
}

// output returns the digest that the newest run has pushed.
func output(runs []*armcontainerregistry.RunProperties) string {
	if len(runs) == 0 || len(runs[len(runs)-1].OutputImages) == 0 {
		return ""
	}
	return *runs[len(runs)-1].OutputImages[0].Digest
}
