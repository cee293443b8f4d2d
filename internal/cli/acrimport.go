package cli

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/drydockhq/drydock"
)

type importFlags struct {
	registryFlags
	source, from, user, password string
	tags, repositories           []string
	force, noWait                bool
}

func acrImport() command {
	var i importFlags
	return command{
		use: "import", short: "Copy an image into a registry",
		example: "  drydock acr import -n contoso --source docker.io/library/alpine:3.20 -t base/alpine:3.20",
		flags: func(f *flags) {
			i.byName(f)
			f.StringVar(&i.source, "source", "", "the image, with its registry in front unless --registry names that")
			f.StringVarP(&i.from, "registry", "r", "", "name, login server or id of the registry that the image is in")
			f.StringVarP(&i.user, "username", "u", "", "user for that registry")
			f.StringVarP(&i.password, "password", "p", "", "password for that registry")
			f.StringArrayVarP(&i.tags, "image", "t", nil, "name:tag of the copy; may be given several times (default: as the source's)")
			f.StringArrayVar(&i.repositories, "repository", nil, "repository for a copy without a tag; may be given several times")
			f.BoolVar(&i.force, "force", false, "replace tags that are there")
			noWaitFlag(f, &i.noWait)
			f.need("source")
		},
		run: i.run,
	}
}

func (i *importFlags) run(c *call) (any, error) {
	if i.user != "" && i.password == "" {
		return nil, usageError(c.cmd, fmt.Errorf("the following arguments are required: --password/-p"))
	}
	r, err := i.find(c)
	if err != nil {
		return nil, err
	}
	source, err := i.sourceOf(c, r)
	if err != nil {
		return nil, err
	}
	tags := i.tags
	if len(tags) == 0 && len(i.repositories) == 0 {
		name, _, _ := strings.Cut(text(source, "sourceImage"), "@")
		tags = []string{name}
	}
	body := with("source", source, "targetTags", tags, "untaggedTargetRepositories", i.repositories, "mode", word(i.force, "Force", "NoForce"))
	if i.noWait {
		c.say("Import has started. Due to no-wait option, failures will not be reflected.")
	}
	_, err = r.operate(c.ctx, request{method: http.MethodPost, path: r.path + "/importImage", version: registryVersion, body: body}, !i.noWait)
	return nil, err
}

// sourceOf says where the image is: in a registry that the server knows by its
// id, or at a host.
func (i *importFlags) sourceOf(c *call, r *registry) (object, error) {
	if strings.HasPrefix(i.from, "/") {
		return object{"resourceId": i.from, "sourceImage": i.source}, nil
	}
	server, name, ok := strings.Cut(i.source, "/")
	isHost := ok && strings.ContainsAny(server, ".:")
	if i.from == "" && !isHost {
		return nil, drydock.Errorf(drydock.Invalid, "%q does not say which registry the image is in", i.source).
			WithHint("put its host in front, as docker.io/library/alpine:3.20, or name one of yours with --registry")
	}
	wanted := i.from
	if wanted == "" {
		wanted = server
	}
	if i.password != "" {
		credentials := with("username", i.user, "password", i.password)
		return object{"registryUri": server, "sourceImage": name, "credentials": credentials}, nil
	}
	known, err := r.knownRegistry(c, wanted)
	switch {
	case err != nil:
		return nil, err
	case known != nil:
		image := i.source
		if isHost && strings.EqualFold(server, text(known, "loginServer")) {
			image = name
		}
		return object{"resourceId": text(known, "id"), "sourceImage": image}, nil
	case i.from != "":
		return nil, drydock.Errorf(drydock.NotFound, "there is no registry %q in the subscription", i.from).
			WithHint("name others in --source, with their host in front")
	}
	return object{"registryUri": server, "sourceImage": name}, nil
}

// knownRegistry returns the registry with a name or login server, nil for none.
func (a *api) knownRegistry(c *call, nameOrServer string) (object, error) {
	all, err := a.list(c.ctx, request{path: a.base + "/providers/" + registryType, version: registryVersion}, 0)
	if err != nil {
		return nil, err
	}
	for _, item := range all {
		o, _ := flat(item).(object)
		if strings.EqualFold(text(o, "loginServer"), nameOrServer) || strings.EqualFold(text(o, "name"), nameOrServer) {
			return o, nil
		}
	}
	return nil, nil
}
