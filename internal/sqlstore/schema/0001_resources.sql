-- Keys are ids in lower case; their order is that of their bytes.
CREATE TABLE resources (
	key         TEXT PRIMARY KEY,
	id          TEXT NOT NULL,
	parent      TEXT REFERENCES resources (key),
	type        TEXT NOT NULL, -- in lower case, as is name
	name        TEXT NOT NULL,
	global_name TEXT UNIQUE, -- type and name, of those that may have no namesake
	alias       TEXT, -- a second name, in no other resource of its type
	location    TEXT NOT NULL,
	body        BLOB,
	secrets     BLOB,
	etag        TEXT NOT NULL,
	created     BIGINT NOT NULL,
	updated     BIGINT NOT NULL
);
CREATE INDEX resources_by_parent ON resources (parent);
CREATE UNIQUE INDEX resources_by_alias ON resources (type, alias);
CREATE INDEX resources_by_type ON resources (type, name);
