CREATE TABLE people (
	principal   TEXT PRIMARY KEY REFERENCES principals (id) ON DELETE CASCADE,
	login       TEXT NOT NULL UNIQUE, -- in lower case
	issuer      TEXT NOT NULL,        -- '' for own users
	disabled    INTEGER NOT NULL,
	must_change INTEGER NOT NULL
);
