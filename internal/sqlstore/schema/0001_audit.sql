CREATE TABLE audit (
	number     INTEGER PRIMARY KEY,
	id         TEXT NOT NULL UNIQUE,
	time       BIGINT NOT NULL,
	principal  TEXT NOT NULL,
	app_id     TEXT NOT NULL,
	name       TEXT NOT NULL,
	origin     TEXT NOT NULL,
	action     TEXT NOT NULL,
	target     TEXT NOT NULL,
	target_key TEXT NOT NULL, -- in lower case
	result     TEXT NOT NULL,
	status     INTEGER NOT NULL,
	detail     TEXT NOT NULL
);
CREATE INDEX audit_by_time ON audit (time);
CREATE INDEX audit_by_principal ON audit (principal, number);
CREATE INDEX audit_by_target ON audit (target_key, number);
