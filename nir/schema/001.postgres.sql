CREATE FUNCTION audit_append() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP <> 'INSERT' THEN RAISE EXCEPTION 'the audit is append-only'; END IF;
	IF NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit) THEN RAISE EXCEPTION 'the audit has no gaps'; END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER audit_append BEFORE INSERT OR UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_append();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_append();

-- No two delegations of one level overlap: the one that begins last at or before
-- the new one's end would have to end before its beginning. Writers are a sequence
-- (they hold the head), so a trigger sees what the others wrote.
CREATE FUNCTION delegation_overlap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.last < NEW.first OR (SELECT last FROM delegation WHERE level = NEW.level AND kind = NEW.kind AND first <= NEW.last AND until IS NULL
		ORDER BY first DESC LIMIT 1) >= NEW.first THEN RAISE EXCEPTION 'delegations of one level overlap'; END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER delegation_overlap BEFORE INSERT ON delegation FOR EACH ROW EXECUTE FUNCTION delegation_overlap();
CREATE FUNCTION free_block_overlap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.last < NEW.first OR (SELECT last FROM free_block WHERE kind = NEW.kind AND first <= NEW.last AND until IS NULL
		ORDER BY first DESC LIMIT 1) >= NEW.first THEN RAISE EXCEPTION 'free blocks overlap'; END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER free_block_overlap BEFORE INSERT ON free_block FOR EACH ROW EXECUTE FUNCTION free_block_overlap();
CREATE FUNCTION pool_overlap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.last < NEW.first OR (SELECT last FROM pool WHERE kind = NEW.kind AND first <= NEW.last AND until IS NULL
		ORDER BY first DESC LIMIT 1) >= NEW.first THEN RAISE EXCEPTION 'pools overlap'; END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER pool_overlap BEFORE INSERT ON pool FOR EACH ROW EXECUTE FUNCTION pool_overlap();

-- A version that stands is ended, once: an update that does anything else could
-- make an overlap past the triggers above.
CREATE FUNCTION version_altered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a version is ended, not altered'; END $$;
CREATE TRIGGER delegation_altered BEFORE UPDATE ON delegation FOR EACH ROW WHEN (OLD.until IS NOT NULL OR NEW.until IS NULL
	OR NEW.level <> OLD.level OR NEW.kind <> OLD.kind OR NEW.first <> OLD.first OR NEW.last <> OLD.last) EXECUTE FUNCTION version_altered();
CREATE TRIGGER free_block_altered BEFORE UPDATE ON free_block FOR EACH ROW WHEN (OLD.until IS NOT NULL OR NEW.until IS NULL
	OR NEW.kind <> OLD.kind OR NEW.first <> OLD.first OR NEW.last <> OLD.last) EXECUTE FUNCTION version_altered();
CREATE TRIGGER pool_altered BEFORE UPDATE ON pool FOR EACH ROW WHEN (OLD.until IS NOT NULL OR NEW.until IS NULL
	OR NEW.kind <> OLD.kind OR NEW.first <> OLD.first OR NEW.last <> OLD.last) EXECUTE FUNCTION version_altered();
