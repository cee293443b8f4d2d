CREATE TABLE events (
	number  BIGINT PRIMARY KEY,
	id      TEXT NOT NULL UNIQUE,
	kind    TEXT NOT NULL,
	subject TEXT NOT NULL,
	data    BLOB,
	time    BIGINT NOT NULL
);

CREATE TABLE event_cursors (
	consumer TEXT PRIMARY KEY,
	number   BIGINT NOT NULL
);

-- The last number that was given out, in its only row. To take the next one is
-- to wait for who took the one before: readers never see a gap that is filled
-- later.
CREATE TABLE event_numbers (
	one  INTEGER PRIMARY KEY,
	last BIGINT NOT NULL
);
INSERT INTO event_numbers (one, last) VALUES (1, 0);
