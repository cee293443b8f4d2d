-- How changes of repositories are learnt of. A row may outlive its task, since
-- the webhook has to be removed from the git host.
CREATE TABLE source_watches (
	id         TEXT PRIMARY KEY,
	task       TEXT NOT NULL,
	task_key   TEXT NOT NULL, -- in lower case
	name       TEXT NOT NULL, -- of the trigger
	repository TEXT NOT NULL,
	commits    INTEGER NOT NULL,
	pulls      INTEGER NOT NULL,
	state      TEXT NOT NULL,
	provider   TEXT NOT NULL,
	hook       TEXT NOT NULL,
	secrets    BLOB,
	problem    TEXT NOT NULL,
	failure    TEXT NOT NULL,
	seen       BLOB,
	changes    BIGINT NOT NULL,
	due        BIGINT NOT NULL,
	failures   INTEGER NOT NULL,
	looked     BIGINT NOT NULL,
	delivered  BIGINT NOT NULL,
	missed     BIGINT NOT NULL,
	rearm      BIGINT NOT NULL,
	version    BIGINT NOT NULL
);
CREATE INDEX source_watches_by_task ON source_watches (task_key, name);
CREATE INDEX source_watches_by_due ON source_watches (due);

-- What git hosts are told of runs.
CREATE TABLE commit_statuses (
	registry   TEXT NOT NULL REFERENCES resources (key) ON DELETE CASCADE,
	run        TEXT NOT NULL,
	task       TEXT NOT NULL,
	name       TEXT NOT NULL, -- of the trigger
	repository TEXT NOT NULL,
	revision   TEXT NOT NULL, -- the commit
	pull       TEXT NOT NULL, -- number of the pull request
	link       TEXT NOT NULL UNIQUE,
	state      TEXT NOT NULL,
	text       TEXT NOT NULL,
	told       TEXT NOT NULL,
	attempts   INTEGER NOT NULL,
	due        BIGINT NOT NULL, -- 0 for none
	created    BIGINT NOT NULL,
	PRIMARY KEY (registry, run)
);
CREATE INDEX commit_statuses_by_due ON commit_statuses (due) WHERE due > 0;
CREATE INDEX commit_statuses_by_created ON commit_statuses (created);
