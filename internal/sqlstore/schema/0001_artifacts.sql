-- locks are bits: 1 no delete, 2 no write, 4 no list, 8 no read.
CREATE TABLE repositories (
	registry TEXT NOT NULL REFERENCES resources (key) ON DELETE CASCADE,
	name     TEXT NOT NULL,
	locks    INTEGER NOT NULL,
	created  BIGINT NOT NULL,
	updated  BIGINT NOT NULL,
	PRIMARY KEY (registry, name)
);

CREATE TABLE manifests (
	registry      TEXT NOT NULL,
	repository    TEXT NOT NULL,
	digest        TEXT NOT NULL,
	media_type    TEXT NOT NULL,
	config_type   TEXT NOT NULL,
	artifact_type TEXT NOT NULL,
	subject       TEXT NOT NULL,
	os            TEXT NOT NULL,
	architecture  TEXT NOT NULL,
	size          BIGINT NOT NULL,
	total_size    BIGINT NOT NULL,
	annotations   TEXT NOT NULL, -- JSON, as are children
	children      TEXT NOT NULL,
	locks         INTEGER NOT NULL,
	created       BIGINT NOT NULL,
	updated       BIGINT NOT NULL,
	content       BLOB NOT NULL,
	PRIMARY KEY (registry, repository, digest),
	FOREIGN KEY (registry, repository) REFERENCES repositories (registry, name) ON DELETE CASCADE
);
CREATE INDEX manifests_by_subject ON manifests (registry, repository, subject);
CREATE INDEX manifests_by_time ON manifests (registry, repository, updated);

-- The blobs that a manifest needs.
CREATE TABLE manifest_blobs (
	registry   TEXT NOT NULL,
	repository TEXT NOT NULL,
	digest     TEXT NOT NULL,
	manifest   TEXT NOT NULL,
	PRIMARY KEY (registry, repository, digest, manifest),
	FOREIGN KEY (registry, repository, manifest) REFERENCES manifests (registry, repository, digest) ON DELETE CASCADE
);
CREATE INDEX manifest_blobs_by_manifest ON manifest_blobs (registry, repository, manifest);

CREATE TABLE tags (
	registry   TEXT NOT NULL,
	repository TEXT NOT NULL,
	name       TEXT NOT NULL,
	digest     TEXT NOT NULL,
	locks      INTEGER NOT NULL,
	created    BIGINT NOT NULL,
	updated    BIGINT NOT NULL,
	PRIMARY KEY (registry, repository, name),
	FOREIGN KEY (registry, repository, digest) REFERENCES manifests (registry, repository, digest) ON DELETE CASCADE
);
CREATE INDEX tags_by_digest ON tags (registry, repository, digest);
CREATE INDEX tags_by_time ON tags (registry, repository, updated);

-- Which repositories hold which blobs. A repository holds blobs before it has a
-- manifest, that is before it exists.
CREATE TABLE blobs (
	registry   TEXT NOT NULL REFERENCES resources (key) ON DELETE CASCADE,
	repository TEXT NOT NULL,
	digest     TEXT NOT NULL,
	canonical  TEXT NOT NULL,
	size       BIGINT NOT NULL,
	used       BIGINT NOT NULL,
	PRIMARY KEY (registry, repository, digest)
);
CREATE INDEX blobs_by_canonical ON blobs (registry, canonical);
CREATE INDEX blobs_by_use ON blobs (registry, used);
