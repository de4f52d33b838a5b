-- Transfers, returns and the quarantine.
CREATE TABLE transfer (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	type TEXT NOT NULL, source TEXT NOT NULL, destination TEXT NOT NULL, member TEXT NOT NULL, receiver TEXT NOT NULL,
	uid TEXT NOT NULL, who TEXT NOT NULL, whole BIGINT NOT NULL, serve BIGINT NOT NULL, whois TEXT NOT NULL,
	reason TEXT NOT NULL, ticket TEXT NOT NULL, state TEXT NOT NULL, submitter TEXT NOT NULL, made BIGINT NOT NULL,
	PRIMARY KEY (id, since)
);
CREATE UNIQUE INDEX transfer_current ON transfer (id) WHERE until IS NULL;
CREATE INDEX transfer_source ON transfer (source, made) WHERE until IS NULL;
CREATE INDEX transfer_destination ON transfer (destination, made) WHERE until IS NULL;
CREATE INDEX transfer_member ON transfer (member) WHERE until IS NULL;
CREATE INDEX transfer_receiver ON transfer (receiver) WHERE until IS NULL;

CREATE TABLE transfer_line (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	transfer TEXT NOT NULL, kind TEXT NOT NULL, first BYTEA NOT NULL, last BYTEA NOT NULL,
	due BIGINT NOT NULL, state TEXT NOT NULL, done BIGINT NOT NULL, type TEXT NOT NULL, economy TEXT NOT NULL, date BIGINT NOT NULL,
	parts TEXT NOT NULL,
	PRIMARY KEY (id, since)
);
CREATE UNIQUE INDEX transfer_line_current ON transfer_line (id) WHERE until IS NULL;
CREATE INDEX transfer_line_of ON transfer_line (transfer) WHERE until IS NULL;
CREATE INDEX transfer_line_due ON transfer_line (state, due) WHERE until IS NULL;

CREATE TABLE resource_return (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	nir TEXT NOT NULL, member TEXT NOT NULL, ranges TEXT NOT NULL, whois TEXT NOT NULL, reason TEXT NOT NULL, ticket TEXT NOT NULL,
	state TEXT NOT NULL, submitter TEXT NOT NULL, made BIGINT NOT NULL, due BIGINT NOT NULL, answered BIGINT NOT NULL, plan TEXT NOT NULL,
	PRIMARY KEY (id, since)
);
CREATE UNIQUE INDEX resource_return_current ON resource_return (id) WHERE until IS NULL;
CREATE INDEX resource_return_nir ON resource_return (nir, made) WHERE until IS NULL;
CREATE INDEX resource_return_state ON resource_return (state, due) WHERE until IS NULL;

-- What was returned and may not be allocated yet: neither free nor held.
CREATE TABLE quarantine (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	kind TEXT NOT NULL, first BYTEA NOT NULL, last BYTEA NOT NULL, source TEXT NOT NULL, began BIGINT NOT NULL, free_from BIGINT NOT NULL,
	PRIMARY KEY (id, since)
);
CREATE UNIQUE INDEX quarantine_first ON quarantine (kind, first) WHERE until IS NULL;
CREATE INDEX quarantine_end ON quarantine (free_from) WHERE until IS NULL;
