CREATE TABLE deliveries (
	number   BIGINT PRIMARY KEY,
	id       TEXT NOT NULL UNIQUE,
	owner    TEXT NOT NULL REFERENCES resources (key) ON DELETE CASCADE,
	action   TEXT NOT NULL,
	body     BLOB NOT NULL,
	created  BIGINT NOT NULL,
	attempts INTEGER NOT NULL,
	next     BIGINT NOT NULL, -- 0 once it is done with
	blocks   INTEGER NOT NULL,
	taken    BIGINT NOT NULL,
	last     BLOB -- JSON
);
CREATE INDEX deliveries_by_owner ON deliveries (owner, number);
CREATE INDEX deliveries_open ON deliveries (next, number, blocks) WHERE next <> 0;
CREATE INDEX deliveries_blocking ON deliveries (owner, number) WHERE next <> 0 AND blocks <> 0;
