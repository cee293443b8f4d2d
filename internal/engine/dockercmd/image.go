package dockercmd

import (
	"encoding/json"
	"time"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Image is an image of the run's table.
type Image struct {
	// ID is the digest of the image's config where one platform of it is here,
	// else the digest of Target. It identifies the image in a run.
	ID      string
	Names   []string           // complete names with a tag, sorted
	Digests []string           // complete names with a digest, under which a registry has it
	Target  ocispec.Descriptor // manifest or index; what a push sends
	Config  []byte             // the image config, byte for byte; nil when no platform of it is here
	Size    int64              // bytes of the content
	Tagged  time.Time          // when the newest name was given; zero when unknown
}

// config decodes the image's config. An image without one has an empty config.
func (i *Image) config() (dockerspec.DockerOCIImage, error) {
	var c dockerspec.DockerOCIImage
	if len(i.Config) == 0 {
		return c, nil
	}
	err := json.Unmarshal(i.Config, &c)
	return c, err
}
