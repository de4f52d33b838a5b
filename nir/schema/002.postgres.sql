CREATE FUNCTION whois_ref_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'INSERT' THEN
		IF NEW.until IS NULL AND NEW.refs <> 'null' THEN
			INSERT INTO whois_ref (object, ref) SELECT NEW.id, value FROM json_array_elements_text(NEW.refs::json) ON CONFLICT DO NOTHING;
		END IF;
		RETURN NEW;
	END IF;
	IF TG_OP = 'DELETE' AND OLD.until IS NULL OR TG_OP = 'UPDATE' AND NEW.until IS NOT NULL THEN
		DELETE FROM whois_ref WHERE object = OLD.id;
	END IF;
	RETURN OLD;
END $$;
CREATE TRIGGER whois_ref_keep AFTER INSERT OR DELETE OR UPDATE OF until ON whois_object FOR EACH ROW EXECUTE FUNCTION whois_ref_keep();
