package publish_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"nirzone/zone/publish"
)

func Example() {
	dir, err := os.MkdirTemp("", "public")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	release, err := publish.Lock(filepath.Join(dir, "lock"))
	if err != nil {
		log.Fatal(err)
	}
	defer release()

	ctx := context.Background()
	tree := publish.Tree{Root: filepath.Join(dir, "public"), Keep: 48}
	for run := 1; run <= 2; run++ {
		draft, err := tree.Begin()
		if err != nil {
			log.Fatal(err)
		}
		file := publish.Zone(verified{"202.in-addr.arpa", "; signed and verified\n"})
		if draft.Previous().Number > 0 {
			file = publish.Link("202.in-addr.arpa") // nothing has changed
		}
		if err := draft.Add(file); err != nil {
			log.Fatal(err)
		}
		g, err := draft.Commit(ctx, publish.Note("generation.json", []byte(`{"version":1}`)))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("published", g.Number)
	}
	if _, err := tree.Prune(ctx, nil); err != nil {
		log.Fatal(err)
	}
	for _, r := range publish.Reload(ctx, [][]string{{"echo", "reload", "{zone}"}}, []string{"202.in-addr.arpa"}, publish.ReloadOptions{}) {
		fmt.Print(r.Output)
	}
	// Output:
	// published 1
	// published 2
	// reload 202.in-addr.arpa
}
