CREATE TRIGGER whois_ref_add AFTER INSERT ON whois_object WHEN NEW.until IS NULL AND NEW.refs <> 'null'
BEGIN INSERT OR IGNORE INTO whois_ref (object, ref) SELECT NEW.id, value FROM json_each(NEW.refs); END;
CREATE TRIGGER whois_ref_end AFTER UPDATE OF until ON whois_object WHEN NEW.until IS NOT NULL
BEGIN DELETE FROM whois_ref WHERE object = NEW.id; END;
CREATE TRIGGER whois_ref_take AFTER DELETE ON whois_object WHEN OLD.until IS NULL
BEGIN DELETE FROM whois_ref WHERE object = OLD.id; END;
