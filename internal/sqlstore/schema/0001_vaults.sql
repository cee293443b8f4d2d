-- Secrets belong to the uid of a vault: names of vaults are given again.
CREATE TABLE vault_secrets (
	vault   TEXT NOT NULL,
	key     TEXT NOT NULL, -- the name in lower case
	name    TEXT NOT NULL,
	deleted BIGINT NOT NULL,
	purge   BIGINT NOT NULL,
	PRIMARY KEY (vault, key)
);
CREATE INDEX vault_secrets_due ON vault_secrets (purge) WHERE purge <> 0;
CREATE TABLE vault_secret_versions (
	vault        TEXT NOT NULL,
	key          TEXT NOT NULL,
	version      TEXT NOT NULL,
	number       BIGINT NOT NULL, -- counts the versions of a secret
	sealed       BLOB NOT NULL,
	seal_key     BIGINT NOT NULL,
	content_type TEXT NOT NULL,
	tags         BLOB NOT NULL, -- JSON
	disabled     INTEGER NOT NULL,
	not_before   BIGINT NOT NULL,
	expires      BIGINT NOT NULL,
	created      BIGINT NOT NULL,
	updated      BIGINT NOT NULL,
	PRIMARY KEY (vault, key, version),
	FOREIGN KEY (vault, key) REFERENCES vault_secrets (vault, key) ON DELETE CASCADE
);
CREATE UNIQUE INDEX vault_secret_versions_by_number ON vault_secret_versions (vault, key, number);
CREATE INDEX vault_secret_versions_by_seal_key ON vault_secret_versions (seal_key);
CREATE TABLE deleted_vaults (
	uid      TEXT PRIMARY KEY,
	key      TEXT NOT NULL, -- the name in lower case
	id       TEXT NOT NULL,
	location TEXT NOT NULL,
	body     BLOB NOT NULL,
	created  BIGINT NOT NULL,
	deleted  BIGINT NOT NULL,
	purge    BIGINT NOT NULL
);
CREATE INDEX deleted_vaults_by_name ON deleted_vaults (key, deleted);
