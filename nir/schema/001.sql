-- The core: who there is, what there is, who has it. Times are microseconds since
-- 1970, numbers of resources sixteen octets, lists and structures JSON. A row is a
-- version: it stands while until is null. The text is common to SQLite (for which
-- a type is a hint) and PostgreSQL.
CREATE TABLE schema_step (version BIGINT PRIMARY KEY, sha256 TEXT NOT NULL);

CREATE TABLE audit (
	seq BIGINT PRIMARY KEY, at BIGINT NOT NULL, actor TEXT NOT NULL, act TEXT NOT NULL,
	entry TEXT NOT NULL, hash BYTEA NOT NULL
);
CREATE INDEX audit_at ON audit (at);
CREATE TABLE head (one BIGINT PRIMARY KEY CHECK (one = 1), seq BIGINT NOT NULL, at BIGINT NOT NULL, hash BYTEA NOT NULL);
INSERT INTO head (one, seq, at, hash) VALUES (1, 0, 0, '');

CREATE TABLE nir (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	code TEXT NOT NULL, name TEXT NOT NULL, economy TEXT NOT NULL, source TEXT NOT NULL, mntner TEXT NOT NULL,
	option BIGINT NOT NULL, port43 TEXT NOT NULL, rdap TEXT NOT NULL, email TEXT NOT NULL, state TEXT NOT NULL,
	PRIMARY KEY (id, since)
);
CREATE UNIQUE INDEX nir_code ON nir (code) WHERE until IS NULL;
CREATE UNIQUE INDEX nir_source ON nir (source) WHERE until IS NULL;

CREATE TABLE allocation_window (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	nir TEXT NOT NULL, kind TEXT NOT NULL, size TEXT NOT NULL, reason TEXT NOT NULL, set_by TEXT NOT NULL,
	PRIMARY KEY (id, since)
);
CREATE UNIQUE INDEX window_current ON allocation_window (nir, kind) WHERE until IS NULL;

CREATE TABLE member (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	name TEXT NOT NULL, economy TEXT NOT NULL, address TEXT NOT NULL, phone TEXT NOT NULL, email TEXT NOT NULL,
	abuse TEXT NOT NULL, admin_c TEXT NOT NULL, tech_c TEXT NOT NULL, irt TEXT NOT NULL, mntner TEXT NOT NULL, opaque TEXT NOT NULL,
	PRIMARY KEY (id, since)
);
CREATE UNIQUE INDEX member_current ON member (id) WHERE until IS NULL;

CREATE TABLE membership (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	member TEXT NOT NULL, nir TEXT NOT NULL, uid TEXT NOT NULL, serves BIGINT NOT NULL,
	began BIGINT NOT NULL, ended BIGINT NOT NULL,
	PRIMARY KEY (id, since)
);
-- An identifier is never used again, also after its membership ended: an ended
-- membership is a row that stands.
CREATE UNIQUE INDEX membership_uid ON membership (nir, uid) WHERE until IS NULL;
CREATE UNIQUE INDEX membership_serves ON membership (member) WHERE until IS NULL AND serves = 1;
CREATE INDEX membership_member ON membership (member) WHERE until IS NULL;

CREATE TABLE pool (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	kind TEXT NOT NULL, first BYTEA NOT NULL, last BYTEA NOT NULL,
	purpose TEXT NOT NULL, nir TEXT NOT NULL, strategy TEXT NOT NULL, factor BIGINT NOT NULL, free_from BIGINT NOT NULL, description TEXT NOT NULL,
	PRIMARY KEY (id, since)
);
CREATE UNIQUE INDEX pool_first ON pool (kind, first) WHERE until IS NULL;

-- What is free of the pools, in blocks: for the choice of the next allocation. It
-- follows from pools and delegations, but for whom a block is reserved.
CREATE TABLE free_block (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	pool TEXT NOT NULL, kind TEXT NOT NULL, first BYTEA NOT NULL, last BYTEA NOT NULL, len BIGINT NOT NULL,
	member TEXT NOT NULL, reserved BIGINT NOT NULL, expires BIGINT NOT NULL,
	PRIMARY KEY (id, since)
);
CREATE UNIQUE INDEX free_block_at ON free_block (kind, first) WHERE until IS NULL;
CREATE INDEX free_block_size ON free_block (pool, member, len, first) WHERE until IS NULL;
CREATE INDEX free_block_reserved ON free_block (pool, reserved) WHERE until IS NULL AND member <> '';

CREATE TABLE delegation (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	level TEXT NOT NULL, kind TEXT NOT NULL, first BYTEA NOT NULL, last BYTEA NOT NULL,
	type TEXT NOT NULL, economy TEXT NOT NULL, nir TEXT NOT NULL, member TEXT NOT NULL, date BIGINT NOT NULL,
	evidence TEXT NOT NULL, request TEXT NOT NULL, parent TEXT NOT NULL, pool TEXT NOT NULL,
	PRIMARY KEY (id, since)
);
CREATE UNIQUE INDEX delegation_first ON delegation (level, kind, first) WHERE until IS NULL;
CREATE INDEX delegation_member ON delegation (member, kind) WHERE until IS NULL;
CREATE INDEX delegation_nir ON delegation (nir, kind) WHERE until IS NULL;
CREATE INDEX delegation_request ON delegation (request) WHERE until IS NULL;

CREATE TABLE request (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	nir TEXT NOT NULL, ref TEXT NOT NULL, act TEXT NOT NULL, kind TEXT NOT NULL, size TEXT NOT NULL, type TEXT NOT NULL,
	member TEXT NOT NULL, uid TEXT NOT NULL, state TEXT NOT NULL, submitter TEXT NOT NULL, submitted BIGINT NOT NULL, due BIGINT NOT NULL,
	answered BIGINT NOT NULL, paused BIGINT NOT NULL, paused_for BIGINT NOT NULL, window_size TEXT NOT NULL,
	netname TEXT NOT NULL, descr TEXT NOT NULL, economy TEXT NOT NULL, admin_c TEXT NOT NULL, tech_c TEXT NOT NULL,
	attested BIGINT NOT NULL, justification TEXT NOT NULL, assessment TEXT NOT NULL, plan TEXT NOT NULL,
	ranges TEXT NOT NULL, digest TEXT NOT NULL,
	PRIMARY KEY (id, since)
);
CREATE UNIQUE INDEX request_ref ON request (nir, ref) WHERE until IS NULL;
CREATE INDEX request_state ON request (state, due) WHERE until IS NULL;
CREATE INDEX request_member ON request (member, submitted) WHERE until IS NULL;

CREATE TABLE evaluation (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	request TEXT NOT NULL, n BIGINT NOT NULL, author TEXT NOT NULL, verdict TEXT NOT NULL, text TEXT NOT NULL, made BIGINT NOT NULL,
	PRIMARY KEY (id, since)
);
CREATE UNIQUE INDEX evaluation_n ON evaluation (request, n) WHERE until IS NULL;

CREATE TABLE notice (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	nir TEXT NOT NULL, code TEXT NOT NULL, subject TEXT NOT NULL, severity TEXT NOT NULL, text TEXT NOT NULL, origin TEXT NOT NULL,
	opened BIGINT NOT NULL, seen BIGINT NOT NULL, closed BIGINT NOT NULL, acked BIGINT NOT NULL, acked_by TEXT NOT NULL,
	PRIMARY KEY (id, since)
);
-- One that is open per NIR, code and subject: a closed one is a row that stands.
CREATE UNIQUE INDEX notice_open ON notice (nir, code, subject) WHERE until IS NULL AND closed = 0;
CREATE INDEX notice_nir ON notice (nir, opened) WHERE until IS NULL;

-- What waits for a second person, and the signatures that approve it.
CREATE TABLE proposal (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	op TEXT NOT NULL, args TEXT NOT NULL, effects TEXT NOT NULL, hash TEXT NOT NULL, proposer TEXT NOT NULL, reason TEXT NOT NULL,
	made BIGINT NOT NULL, expires BIGINT NOT NULL, state TEXT NOT NULL, result TEXT NOT NULL,
	PRIMARY KEY (id, since)
);
CREATE UNIQUE INDEX proposal_hash ON proposal (hash) WHERE until IS NULL;
CREATE INDEX proposal_state ON proposal (state, made) WHERE until IS NULL;
CREATE TABLE approval (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	proposal TEXT NOT NULL, signer TEXT NOT NULL, key TEXT NOT NULL, role TEXT NOT NULL, signature TEXT NOT NULL, made BIGINT NOT NULL,
	PRIMARY KEY (id, since)
);
CREATE UNIQUE INDEX approval_signer ON approval (proposal, signer) WHERE until IS NULL;

-- Files that were imported, and space that other registries manage: the claims
-- for their zonelets.
CREATE TABLE import_run (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	file TEXT NOT NULL, sha256 TEXT NOT NULL, registry TEXT NOT NULL, serial TEXT NOT NULL, source TEXT NOT NULL, nirs TEXT NOT NULL,
	partial BIGINT NOT NULL, left_out BIGINT NOT NULL, counts TEXT NOT NULL, state TEXT NOT NULL, proposal TEXT NOT NULL, made BIGINT NOT NULL,
	PRIMARY KEY (id, since)
);
CREATE INDEX import_run_file ON import_run (sha256) WHERE until IS NULL;
CREATE TABLE foreign_space (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	source TEXT NOT NULL, kind TEXT NOT NULL, first BYTEA NOT NULL, last BYTEA NOT NULL, import TEXT NOT NULL,
	PRIMARY KEY (id, since)
);
CREATE UNIQUE INDEX foreign_space_first ON foreign_space (source, kind, first) WHERE until IS NULL;
