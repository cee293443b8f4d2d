CREATE TABLE instances (
	container_group TEXT PRIMARY KEY,
	notes           BLOB NOT NULL
);
