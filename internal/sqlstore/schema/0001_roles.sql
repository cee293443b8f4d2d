CREATE TABLE role_assignments (
	scope_key TEXT NOT NULL, -- in lower case
	id        TEXT NOT NULL,
	scope     TEXT NOT NULL,
	role      TEXT NOT NULL,
	principal TEXT NOT NULL,
	created   BIGINT NOT NULL,
	PRIMARY KEY (scope_key, id),
	UNIQUE (principal, role, scope_key)
);
