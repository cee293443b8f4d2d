package cli_test

import (
	"context"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/drydockhq/drydock"
)

// builds TASK TRIGGER FROM PUSHES says what a task of contoso is built from and
// pushes: names of images with commas between them, "-" for none. What it is built
// from may be IMAGE=C, for the digest of the hexadecimal digit C that its newest run
// stands on, which succeeded.
func builds(ts *testscript.TestScript, _ bool, args []string) {
	s := siteOf(ts)
	known := drydock.TaskImages{Task: s.Scope("demo", "registries", "contoso", "tasks", args[0]), Learnt: 1}
	if args[1] != "-" {
		known.Trigger = drydock.BaseImageTriggerType(args[1])
	}
	from, digit, stands := strings.Cut(args[2], "=")
	for _, name := range names(ts, from) {
		base := drydock.BaseImage{Image: name, Kind: drydock.RuntimeBase}
		if stands {
			base.Digest = "sha256:" + strings.Repeat(digit, 64)
			base.Built = base.Digest
		}
		known.Bases = append(known.Bases, base)
	}
	known.Outputs = names(ts, args[3])
	ts.Check(s.Store.PutTaskImages(context.Background(), known))
}

func names(ts *testscript.TestScript, list string) []drydock.ImageName {
	if list == "-" {
		return nil
	}
	var all []drydock.ImageName
	for text := range strings.SplitSeq(list, ",") {
		name, err := drydock.ParseImageName(text)
		ts.Check(err)
		all = append(all, name)
	}
	return all
}

// pushed IMAGE C says that an image has a digest of the hexadecimal digit C.
func pushed(ts *testscript.TestScript, _ bool, args []string) {
	_, err := siteOf(ts).Store.PutImageState(context.Background(), drydock.ImageState{
		Image: names(ts, args[0])[0], Digest: "sha256:" + strings.Repeat(args[1], 64),
	})
	ts.Check(err)
}

// held true|false says that the triggers of contoso are held.
func held(ts *testscript.TestScript, _ bool, args []string) {
	s := siteOf(ts)
	ts.Check(s.Store.PauseTasks(context.Background(), s.Scope("demo", "registries", "contoso"), args[0] == "true"))
}
