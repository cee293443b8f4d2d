CREATE TABLE principals (
	id        TEXT PRIMARY KEY,
	app_id    TEXT UNIQUE, -- null for none
	kind      TEXT NOT NULL,
	name      TEXT NOT NULL,
	owner     TEXT NOT NULL,
	owner_key TEXT NOT NULL, -- in lower case
	created   BIGINT NOT NULL
);
CREATE INDEX principals_by_owner ON principals (owner_key);

CREATE TABLE principal_secrets (
	principal TEXT NOT NULL REFERENCES principals (id) ON DELETE CASCADE,
	position  INTEGER NOT NULL,
	id        TEXT NOT NULL,
	name      TEXT NOT NULL,
	hash      TEXT NOT NULL,
	created   BIGINT NOT NULL,
	expires   BIGINT NOT NULL,
	PRIMARY KEY (principal, position)
);
