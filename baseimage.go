package drydock

import (
	"context"
	"time"
)

// BaseImageKind says how an image goes into a build, named as in ACR's API.
type BaseImageKind string

// The kinds of base image.
const (
	// RuntimeBase is what the final stage of a build stands on.
	RuntimeBase BaseImageKind = "Runtime"
	// BuildTimeBase is any other image that a build takes something from.
	BuildTimeBase BaseImageKind = "BuildTime"
)

// BaseImage is an image that a task is built from.
type BaseImage struct {
	Image ImageName // one that is pinned to a digest is known and never due
	Kind  BaseImageKind
	// Digest is what the task's newest run stands on, or is going to; empty when
	// there was nothing under this name.
	Digest string
	// Before is what the tag was known to point at when the newest run was made,
	// if that run resolved something else in a registry that is not this server's:
	// the registry had changed already, or doesn't say the same to all. Such a tag
	// doesn't make the task due before it changes again.
	Before string
	// Built is what the task's newest run that succeeded stands on, and so what it
	// has pushed; empty when none of its runs has.
	Built string
	// Since is the root, as of a RunRecord, of the change that made the task due
	// because of this image; 0 while it stands on what the tag means. The store
	// sets it.
	Since int64
}

// TaskImages is what is known of a task's images.
//
// Reading, ReadFor, Outdated, Learnt and Ended say how far it is to be believed.
// They change with these events, and with nothing else:
//
//	what happens             Reading  ReadFor  Outdated    Learnt   Ended      Bases
//	the task is created, or
//	its definition changes,
//	or it does with Problem  true     -        newest run  -        ≥Outdated  stay, count no more
//	it changes otherwise     -        -        -           -        -          stay
//	Dockerfiles are read     false    is read  -           0        -          those of the Dockerfiles
//	they can't be            false    is read  -           -        -          stay, count again; Problem
//	a run ends, altered or
//	≤ Learnt or ≤ Outdated   -        -        -           -        ≥its own   stay
//	one that tells nothing   -        -        -           -        ≥its own   stay
//	one that tells of bases  false    -        -           its own  ≥its own   those of the run; no Problem
//
// While Reading, a push to any base is noted as always (Since) and makes nothing
// due; Reading is kept with the rest, and a server that was killed reads the task
// at its next start. What ends Reading decides: a base that the changed task is
// built from still makes it due then, for all that was pushed meanwhile; one that
// it is not built from any more is gone, and its pushes since the change have
// started nothing. When the Dockerfiles can't be read, also for want of time, the
// bases from before are the best that is known, and a push that may concern the
// task is not lost: it starts one run, which tells. A base that the change has
// brought is watched from the moment that it is read.
type TaskImages struct {
	Task    ResourceID
	Bases   []BaseImage // ordered by their names
	Outputs []ImageName // that it pushes, ordered

	// Learnt is the number of the run whose builds resolved the bases; 0 when
	// they were read from Dockerfiles.
	Learnt int64
	// Outdated is the number of the last run that was made from what the task was
	// before it was changed; such runs say nothing any more.
	Outdated int64
	// Ended is the greatest number of a run whose end was taken notice of.
	Ended int64
	// Reading says that the task has been changed and that its Dockerfiles are
	// being read, or wait for it: nothing makes it due before it is known what it
	// is built from.
	Reading bool
	// ReadFor tells definitions of the task apart: the one that was last read for.
	ReadFor string
	// Armed is when the Dockerfiles were last read; zero for never.
	Armed time.Time
	// Problem says why they could not be read, or what of them; empty when they
	// were.
	Problem string
	// Trigger is what makes the task due; empty when nothing does: it has no base
	// image trigger, or that or the task is disabled.
	Trigger BaseImageTriggerType
	// Paused says that its registry holds triggers back.
	Paused bool
}

// Counts reports whether a change of the base makes the task due now; one that
// doesn't is not forgotten, see TaskImages.
func (t TaskImages) Counts(b BaseImage) bool {
	switch {
	case b.Image.Pinned(), t.Paused, t.Reading:
		return false
	case t.Trigger == AllImages:
		return true
	}
	return t.Trigger == RuntimeImages && b.Kind == RuntimeBase
}

// ImageState is what a tag is known to point at. It is known of tags that some
// task is built from.
type ImageState struct {
	Image    ImageName
	Digest   string    // empty when there is no such tag
	Previous string    // the digest before, the last that was not empty
	Event    int64     // number of the event that told of the change; 0 for none
	Changed  time.Time // when it happened
	// Root is that of the run which pushed the digest, or else Event.
	Root int64
	Run  ResourceID // that pushed the digest; zero when none of this server's did
}

// DueTask is a task that stands on another digest than one of its tags points
// at now.
type DueTask struct {
	Task   ResourceID
	Images []DueImage
	Ended  int64 // as of TaskImages
	Newest int64 // number of its newest run that isn't altered; 0 for none
}

// DueImage is an image that makes a task due.
type DueImage struct {
	Base BaseImage
	Now  ImageState
}

// TaskImageStore keeps what tasks are built from and what they push. A task
// that is not there is an error with code NotFound. What is kept of a task goes
// with it.
type TaskImageStore interface {
	// TaskImages returns what is known of tasks; a zero value, but for the task,
	// of one that nothing is known of.
	TaskImages(ctx context.Context, tasks ...ResourceID) ([]TaskImages, error)

	// PutTaskImages replaces what is known of a task.
	PutTaskImages(ctx context.Context, t TaskImages) error

	// RegistryImages returns what is known of the tasks of a registry, or of all
	// with the zero id, ordered by their ids.
	RegistryImages(ctx context.Context, registry ResourceID) ([]TaskImages, error)

	// TasksToRead returns the tasks that are being read, and those that were read
	// before a time, with a problem, and have learnt nothing from runs since.
	TasksToRead(ctx context.Context, before time.Time) ([]ResourceID, error)

	// AddOutput says that a task pushes an image.
	AddOutput(ctx context.Context, task ResourceID, image ImageName) error
}

// TaskGraph knows which tasks build on which.
type TaskGraph interface {
	// Producers returns the tasks that push images, by image.
	Producers(ctx context.Context, images ...ImageName) (map[ImageName][]ResourceID, error)

	// Foundations returns which tasks push what some tasks are built from.
	Foundations(ctx context.Context, tasks ...ResourceID) ([]Foundation, error)
}

// Foundation says that a task is built from what another one pushes, or itself.
type Foundation struct {
	Task ResourceID
	On   ResourceID
	// Counts says that a change of such an image makes the task due.
	Counts bool
}

// ImageStateStore keeps what tags point at.
type ImageStateStore interface {
	// ImageStates returns what is known of images; those that nothing is known of
	// are left out.
	ImageStates(ctx context.Context, images ...ImageName) (map[ImageName]ImageState, error)

	// PutImageState says what a tag points at, and makes the tasks due that stand
	// on something else. Of the first that is known of a tag, those that stand on
	// nothing are not due but stand on it from then on. It reports false, and
	// forgets the tag, when no task is built from it.
	PutImageState(ctx context.Context, s ImageState) (bool, error)

	// ImagesWithDigest returns the tags of a repository that are known to point
	// at a digest.
	ImagesWithDigest(ctx context.Context, registry, repository, digest string) ([]ImageName, error)
}

// DueStore finds the tasks that are due.
type DueStore interface {
	// DueTasks returns the tasks that are due by images that count, those given
	// or all, in the order in which they became due.
	DueTasks(ctx context.Context, tasks ...ResourceID) ([]DueTask, error)

	// StillDue reports of tasks whether they are due still, and have no newer run
	// than they had.
	StillDue(ctx context.Context, tasks ...DueTask) ([]bool, error)

	// Settle says that tasks stand on what their tags point at now, or are going
	// to. A RunStore does so itself for the task of a run that it stores.
	Settle(ctx context.Context, tasks ...ResourceID) error

	// SettleImages says so of some of the images of a task.
	SettleImages(ctx context.Context, task ResourceID, images ...ImageName) error

	// PauseTasks says of all tasks of a registry whether it holds triggers back.
	PauseTasks(ctx context.Context, registry ResourceID, paused bool) error
}
