-- Evaluations say when the answer was due that they are; and the register of what
-- was disclosed to authorities.
ALTER TABLE evaluation ADD COLUMN due BIGINT NOT NULL DEFAULT 0;

CREATE TABLE disclosure (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	ref TEXT NOT NULL, requester TEXT NOT NULL, contact TEXT NOT NULL, jurisdiction TEXT NOT NULL, basis TEXT NOT NULL, document TEXT NOT NULL,
	scope TEXT NOT NULL, received BIGINT NOT NULL, recorder TEXT NOT NULL, state TEXT NOT NULL, decision TEXT NOT NULL, decided BIGINT NOT NULL,
	proposal TEXT NOT NULL, items TEXT NOT NULL, digest TEXT NOT NULL, approvers TEXT NOT NULL,
	PRIMARY KEY (id, since)
);
CREATE UNIQUE INDEX disclosure_ref ON disclosure (ref) WHERE until IS NULL;
CREATE INDEX disclosure_state ON disclosure (state, received) WHERE until IS NULL;
