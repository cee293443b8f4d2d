CREATE TABLE runs (
	registry         TEXT NOT NULL REFERENCES resources (key) ON DELETE CASCADE,
	number           BIGINT NOT NULL,
	id               TEXT NOT NULL,
	status           TEXT NOT NULL,
	type             TEXT NOT NULL,
	task             TEXT NOT NULL,
	task_key         TEXT NOT NULL, -- in lower case
	pool             TEXT NOT NULL,
	pool_key         TEXT NOT NULL, -- in lower case
	request          BLOB,
	secrets          BLOB,
	cause            BLOB, -- the trigger
	result           BLOB,
	outputs          TEXT NOT NULL, -- of the result, in lower case, a line each
	created          BIGINT NOT NULL,
	started          BIGINT NOT NULL,
	finished         BIGINT NOT NULL,
	updated          BIGINT NOT NULL,
	archived         INTEGER NOT NULL,
	cancel_requested INTEGER NOT NULL,
	attempts         INTEGER NOT NULL,
	owner            TEXT NOT NULL,
	lease_until      BIGINT NOT NULL,
	root             BIGINT NOT NULL,
	after_event      BIGINT NOT NULL,
	batch            TEXT NOT NULL,
	altered          INTEGER NOT NULL,
	PRIMARY KEY (registry, number)
);
CREATE UNIQUE INDEX runs_by_id ON runs (registry, id);
CREATE INDEX runs_by_task ON runs (registry, task_key, number, altered);
CREATE INDEX runs_by_status ON runs (status, created);
CREATE INDEX runs_by_end ON runs (finished);

-- The last number that was given out in a registry.
CREATE TABLE run_numbers (
	registry TEXT PRIMARY KEY REFERENCES resources (key) ON DELETE CASCADE,
	last     BIGINT NOT NULL
);
