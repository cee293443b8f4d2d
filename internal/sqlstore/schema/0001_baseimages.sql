-- What is known of the images of a task. The trigger is empty when none counts.
CREATE TABLE task_images (
	task     TEXT PRIMARY KEY REFERENCES resources (key) ON DELETE CASCADE,
	registry TEXT NOT NULL, -- key of the registry that the task is in
	name     TEXT NOT NULL, -- of the task, in lower case
	learnt   BIGINT NOT NULL,
	outdated BIGINT NOT NULL,
	ended    BIGINT NOT NULL,
	armed    BIGINT NOT NULL,
	reading  INTEGER NOT NULL,
	read_for TEXT NOT NULL,
	problem  TEXT NOT NULL,
	base_trigger TEXT NOT NULL,
	paused   INTEGER NOT NULL
);
CREATE INDEX task_images_by_registry ON task_images (registry);
CREATE INDEX task_images_to_read ON task_images (reading, armed) WHERE reading = 1 OR problem <> '';

-- Images are written as host/repository:tag, or with a digest if they are
-- pinned to one. counts says that a change makes the task due; since is 0 while
-- the task stands on what the tag points at.
CREATE TABLE task_bases (
	task   TEXT NOT NULL REFERENCES task_images (task) ON DELETE CASCADE,
	image  TEXT NOT NULL,
	kind   TEXT NOT NULL,
	digest TEXT NOT NULL,
	before TEXT NOT NULL, -- a digest
	built  TEXT NOT NULL, -- a digest
	since  BIGINT NOT NULL,
	counts INTEGER NOT NULL,
	PRIMARY KEY (task, image)
);
CREATE INDEX task_bases_by_image ON task_bases (image);
CREATE INDEX task_bases_due ON task_bases (since) WHERE since > 0 AND counts = 1;

CREATE TABLE task_outputs (
	task  TEXT NOT NULL REFERENCES task_images (task) ON DELETE CASCADE,
	image TEXT NOT NULL,
	PRIMARY KEY (task, image)
);
CREATE INDEX task_outputs_by_image ON task_outputs (image);

-- What tags point at that tasks are built from.
CREATE TABLE image_states (
	image    TEXT PRIMARY KEY,
	digest   TEXT NOT NULL,
	previous TEXT NOT NULL,
	event    BIGINT NOT NULL,
	changed  BIGINT NOT NULL,
	root     BIGINT NOT NULL,
	run      TEXT NOT NULL -- resource id
);
