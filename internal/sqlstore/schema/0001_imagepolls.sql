-- What is known of images of other registries.
CREATE TABLE image_polls (
	registry   TEXT NOT NULL,
	repository TEXT NOT NULL,
	tag        TEXT NOT NULL,
	digest     TEXT NOT NULL,
	validator  TEXT NOT NULL,
	checked    BIGINT NOT NULL,
	changed    BIGINT NOT NULL,
	next       BIGINT NOT NULL,
	failures   INTEGER NOT NULL,
	problem    TEXT NOT NULL,
	PRIMARY KEY (registry, repository, tag)
);

CREATE TABLE registry_pauses (
	host     TEXT PRIMARY KEY,
	until    BIGINT NOT NULL,
	failures INTEGER NOT NULL,
	reason   TEXT NOT NULL
);
