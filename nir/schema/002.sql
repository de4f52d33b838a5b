-- Whois objects: those of delegations, those that people keep here, and those of
-- an NIR's own whois (origin mirror). spot is the smallest block around the
-- range: every object around an address has one of the blocks around it.
CREATE TABLE whois_object (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	type TEXT NOT NULL, key TEXT NOT NULL, source TEXT NOT NULL, origin TEXT NOT NULL,
	kind TEXT NOT NULL, first BYTEA NOT NULL, last BYTEA NOT NULL, spot TEXT NOT NULL,
	text TEXT NOT NULL, mntner TEXT NOT NULL, refs TEXT NOT NULL, derived_from TEXT NOT NULL, nir TEXT NOT NULL,
	state TEXT NOT NULL, validated BIGINT NOT NULL,
	PRIMARY KEY (id, since)
);
CREATE UNIQUE INDEX whois_key ON whois_object (type, key, source, origin) WHERE until IS NULL;
CREATE INDEX whois_space ON whois_object (kind, first DESC, last) WHERE until IS NULL AND kind <> '' AND type <> 'domain';
CREATE INDEX whois_spot ON whois_object (spot) WHERE until IS NULL AND kind <> '' AND type <> 'domain';
CREATE INDEX whois_domain ON whois_object (kind, first) WHERE until IS NULL AND type = 'domain';
CREATE INDEX whois_derived ON whois_object (derived_from) WHERE until IS NULL AND derived_from <> '';
CREATE INDEX whois_source ON whois_object (source, type, origin) WHERE until IS NULL;
CREATE INDEX whois_nir ON whois_object (nir, type) WHERE until IS NULL;

-- Which object names which: kept by triggers, of what stands.
CREATE TABLE whois_ref (object TEXT NOT NULL, ref TEXT NOT NULL, PRIMARY KEY (object, ref));
CREATE INDEX whois_ref_to ON whois_ref (ref);

-- What objects may name although it is not here.
CREATE TABLE whois_external (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	ref TEXT NOT NULL, source TEXT NOT NULL, reason TEXT NOT NULL,
	PRIMARY KEY (id, since)
);
CREATE UNIQUE INDEX whois_external_ref ON whois_external (ref, source) WHERE until IS NULL;

-- What whois says of a delegation that no request says, or differently.
CREATE TABLE registration (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	delegation TEXT NOT NULL, netname TEXT NOT NULL, descr TEXT NOT NULL, economy TEXT NOT NULL,
	admin_c TEXT NOT NULL, tech_c TEXT NOT NULL, irt TEXT NOT NULL,
	PRIMARY KEY (id, since)
);
CREATE UNIQUE INDEX registration_delegation ON registration (delegation) WHERE until IS NULL;

-- The state of an NIR's mirror; its versions are the cycles.
CREATE TABLE whois_mirror (
	id TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT,
	nir TEXT NOT NULL, file TEXT NOT NULL, digest TEXT NOT NULL, signer TEXT NOT NULL, serial TEXT NOT NULL,
	dumped BIGINT NOT NULL, checked BIGINT NOT NULL, objects BIGINT NOT NULL, added BIGINT NOT NULL, changed BIGINT NOT NULL,
	deleted BIGINT NOT NULL, refused BIGINT NOT NULL, held BIGINT NOT NULL, hash TEXT NOT NULL,
	released TEXT NOT NULL, released_by TEXT NOT NULL,
	PRIMARY KEY (id, since)
);
CREATE UNIQUE INDEX whois_mirror_nir ON whois_mirror (nir) WHERE until IS NULL;
