package nir

import (
	"path/filepath"
	"strings"
	"testing"

	"nirzone/nir/stats"
)

// TestR_NIR_13_StatisticsCompared: what the registry exports does not differ from
// the registry; an allocation, and a change in the file, do.
func TestR_NIR_13_StatisticsCompared(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "r.db"))
	smallWorld(t, db)
	export := func(form stats.Form) (file []byte) {
		view(t, db, func(v *View) error {
			list, err := v.Statistics(StatisticsOptions{Form: form, Day: day})
			if err == nil {
				file = list[0].Data
			}
			return err
		})
		return file
	}
	file := export(stats.Extended)
	compare := func(data string, holders bool) (list []stats.Difference) {
		t.Helper()
		f, err := ParseStatistics("file", []byte(data))
		if err != nil {
			t.Fatal(err)
		}
		view(t, db, func(v *View) error {
			now, err := v.StatisticsNow("registry")
			if err == nil {
				list, err = DiffStatistics(f, now, holders)
			}
			return err
		})
		return list
	}
	if list := compare(string(file), true); len(list) != 0 {
		t.Errorf("its own export differs: %+v", list)
	}
	if !strings.Contains(string(file), "|JP|") {
		t.Fatalf("nothing of JP in\n%s", file)
	}
	if list := compare(strings.ReplaceAll(string(file), "|JP|", "|TH|"), true); len(list) == 0 || list[0].Before.Economy != "TH" || list[0].After.Economy != "JP" {
		t.Errorf("another economy: %+v", list)
	}
	if list := compare(strings.ReplaceAll(string(file), "|available", "|reserved"), false); len(list) == 0 || list[0].Before.Status != stats.Reserved || list[0].After.Status != stats.Available {
		t.Errorf("what is free is reserved there: %+v", list)
	}
	if list := compare(string(export(stats.Plain)), false); len(list) != 0 {
		t.Errorf("a file that does not say what is free: %+v", list)
	}
	bad, err := ParseStatistics("bad", []byte("2|apnic|x|1|||+0000\n"))
	if err == nil {
		_, err = DiffStatistics(bad, bad, false)
	}
	if CodeOf(err) != Invalid || !strings.Contains(err.Error(), "bad:1") {
		t.Errorf("a broken file: %v", err)
	}
}
