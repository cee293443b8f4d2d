CREATE TABLE timers (
	task     TEXT NOT NULL REFERENCES resources (key) ON DELETE CASCADE,
	name     TEXT NOT NULL,
	schedule TEXT NOT NULL,
	since    BIGINT NOT NULL,
	next     BIGINT NOT NULL,
	PRIMARY KEY (task, name)
);
CREATE INDEX timers_by_next ON timers (next);
