package drydock

import "context"

// TaskImagesView is what is known of a task's images, as people see it.
type TaskImagesView struct {
	Task  ResourceID
	Known TaskImages
	Bases []BaseImageView // as Known.Bases
	Due   bool            // a base that counts has changed since the newest run
	// Failed is the newest run, in brief, when it did not succeed and what the task
	// has pushed before stands on bases that have changed; zero otherwise.
	Failed  RunRecord
	Waiting []ImageWait // what a run waits for, if the task is due
}

// BaseImageView is a base image of a task, as people see it.
type BaseImageView struct {
	BaseImage
	// Now is what the tag points at; without a digest when there is none, and
	// zero when nothing is known of it yet.
	Now ImageState
	// Stands is the digest that the task's images stand on as far as is known: that
	// of its newest run, or if that has failed of the last that succeeded.
	Stands string
	// Stale says that Now has another digest than the task stands on, whether or
	// not that makes the task due: a run that failed is not repeated.
	Stale bool
	Due   bool
	// Note says why a change of the image starts no run; empty when it does.
	Note string
	// Producers are the tasks of this server that push the image.
	Producers []ResourceID
}

// ImageWait is what a task that is due waits for.
type ImageWait struct {
	Task ResourceID // itself when it waits for the end of a run of its own
	Why  string     // in words
}

// TaskImagesViewer shows what is known of tasks' images.
type TaskImagesViewer interface {
	// ViewTaskImages returns the views of the tasks of a registry, or of all with
	// the zero id, ordered by their ids. It reads, and asks nobody outside.
	ViewTaskImages(ctx context.Context, registry ResourceID) ([]TaskImagesView, error)
}
