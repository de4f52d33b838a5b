CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_next BEFORE INSERT ON audit WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit)
BEGIN SELECT RAISE(ABORT, 'the audit has no gaps'); END;

-- No two delegations of one level overlap: the one that begins last at or before
-- the new one's end would have to end before its beginning.
CREATE TRIGGER delegation_overlap BEFORE INSERT ON delegation
WHEN NEW.last < NEW.first OR EXISTS (
	SELECT 1 FROM (SELECT last FROM delegation WHERE level = NEW.level AND kind = NEW.kind AND first <= NEW.last AND until IS NULL
		ORDER BY first DESC LIMIT 1) AS before WHERE before.last >= NEW.first)
BEGIN SELECT RAISE(ABORT, 'delegations of one level overlap'); END;
CREATE TRIGGER free_block_overlap BEFORE INSERT ON free_block
WHEN NEW.last < NEW.first OR EXISTS (
	SELECT 1 FROM (SELECT last FROM free_block WHERE kind = NEW.kind AND first <= NEW.last AND until IS NULL
		ORDER BY first DESC LIMIT 1) AS before WHERE before.last >= NEW.first)
BEGIN SELECT RAISE(ABORT, 'free blocks overlap'); END;
CREATE TRIGGER pool_overlap BEFORE INSERT ON pool
WHEN NEW.last < NEW.first OR EXISTS (
	SELECT 1 FROM (SELECT last FROM pool WHERE kind = NEW.kind AND first <= NEW.last AND until IS NULL
		ORDER BY first DESC LIMIT 1) AS before WHERE before.last >= NEW.first)
BEGIN SELECT RAISE(ABORT, 'pools overlap'); END;

-- A version that stands is ended, once: an update that does anything else could
-- make an overlap past the triggers above.
CREATE TRIGGER delegation_altered BEFORE UPDATE ON delegation WHEN OLD.until IS NOT NULL OR NEW.until IS NULL
	OR NEW.level <> OLD.level OR NEW.kind <> OLD.kind OR NEW.first <> OLD.first OR NEW.last <> OLD.last
BEGIN SELECT RAISE(ABORT, 'a version is ended, not altered'); END;
CREATE TRIGGER free_block_altered BEFORE UPDATE ON free_block WHEN OLD.until IS NOT NULL OR NEW.until IS NULL
	OR NEW.kind <> OLD.kind OR NEW.first <> OLD.first OR NEW.last <> OLD.last
BEGIN SELECT RAISE(ABORT, 'a version is ended, not altered'); END;
CREATE TRIGGER pool_altered BEFORE UPDATE ON pool WHEN OLD.until IS NOT NULL OR NEW.until IS NULL
	OR NEW.kind <> OLD.kind OR NEW.first <> OLD.first OR NEW.last <> OLD.last
BEGIN SELECT RAISE(ABORT, 'a version is ended, not altered'); END;
