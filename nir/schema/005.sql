-- What is told to people: where a notice comes from, and the messages that follow
-- from changes. A message waits until a digest takes it; a digest is one mail to
-- one NIR, or to the registry itself ('').
ALTER TABLE notice ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE notice ADD COLUMN place TEXT NOT NULL DEFAULT '';
CREATE INDEX notice_source ON notice (origin, source) WHERE until IS NULL AND closed = 0;

CREATE TABLE notice_feed (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	source TEXT NOT NULL, nir TEXT NOT NULL, made BIGINT NOT NULL, sha256 TEXT NOT NULL,
	PRIMARY KEY (id, since)
);
CREATE UNIQUE INDEX notice_feed_source ON notice_feed (source) WHERE until IS NULL;

CREATE TABLE outbox (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	nir TEXT NOT NULL, kind TEXT NOT NULL, code TEXT NOT NULL, subject TEXT NOT NULL, severity TEXT NOT NULL, text TEXT NOT NULL,
	notice TEXT NOT NULL, data TEXT NOT NULL, event BIGINT NOT NULL, created BIGINT NOT NULL,
	state TEXT NOT NULL, digest TEXT NOT NULL,
	PRIMARY KEY (id, since)
);
CREATE INDEX outbox_waiting ON outbox (nir, created) WHERE until IS NULL AND state = 'waiting';
CREATE INDEX outbox_digest ON outbox (digest) WHERE until IS NULL AND digest <> '';

CREATE TABLE digest (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	nir TEXT NOT NULL, message_id TEXT NOT NULL, sender TEXT NOT NULL, reply_to TEXT NOT NULL, addressees TEXT NOT NULL, messages BIGINT NOT NULL, made BIGINT NOT NULL,
	state TEXT NOT NULL, tries BIGINT NOT NULL, next BIGINT NOT NULL, lease BIGINT NOT NULL, taken BIGINT NOT NULL,
	unsure BIGINT NOT NULL, delivered BIGINT NOT NULL,
	PRIMARY KEY (id, since)
);
-- One at a time for each NIR: two deliveries cannot make two mails of one message.
CREATE UNIQUE INDEX digest_due ON digest (nir) WHERE until IS NULL AND state = 'due';
CREATE INDEX digest_made ON digest (nir, made) WHERE until IS NULL;

-- Domain objects that were active once: when their zone changed.
CREATE INDEX whois_domain_past ON whois_object (until) WHERE until IS NOT NULL AND type = 'domain' AND state = 'active';
