package config

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"plumb/fleet/runbook"
)

// TestShipped: what comes with plumb is sound, runs no program, and says when it
// is of use and why.
func TestShipped(t *testing.T) {
	list, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 6 {
		t.Errorf("%d runbooks", len(list))
	}
	for _, b := range list {
		if byHand := b.Name == "drain-cycle"; b.Title == "" || b.Why == "" || (len(b.When) == 0) != byHand || b.From != "" || b.Danger() == 0 {
			t.Errorf("%s: %+v", b.Name, b)
		}
		if slices.ContainsFunc(b.Steps, func(s runbook.Step) bool { return s.Do == runbook.DoExec }) {
			t.Errorf("%s runs a program", b.Name)
		}
	}
}

// TestOwnBookStandsIn: the user's runbook by the name of one of plumb's is the
// one that counts.
func TestOwnBookStandsIn(t *testing.T) {
	files := map[string]string{"books/x.yaml": "name: sel-clear\ntitle: ours\non: server\nsteps:\n  - exec: [pass, '${target}']\n    rollback: {act: identify, args: {seconds: '5'}}\n"}
	f, err := parse(t, "runbooks: [books/*.yaml]\n", files)
	if err != nil {
		t.Fatal(err)
	}
	shipped, _ := Shipped()
	if len(f.Runbooks) != len(shipped) {
		t.Errorf("%d runbooks, %d come with plumb", len(f.Runbooks), len(shipped))
	}
	i := slices.IndexFunc(f.Runbooks, func(b *runbook.Book) bool { return b.Name == "sel-clear" })
	b := f.Runbooks[i]
	if b.Title != "ours" || b.From == "" || len(b.Steps[0].Argv) != 2 || b.Steps[0].Rollback.Args["seconds"].String() != "5" {
		t.Errorf("%+v", b)
	}
}

// TestDocumentedBooks: the runbooks of the reference are sound as they stand
// there.
func TestDocumentedBooks(t *testing.T) {
	text, err := os.ReadFile("../../docs/runbooks.md")
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`/usr/local/bin/\w+`).ReplaceAll(text, []byte("pass")) // the program that is there
	books := regexp.MustCompile("(?ms)^```yaml\nname: (.*?)\n(.*?)^```").FindAllStringSubmatch(string(text), -1)
	if len(books) != 2 {
		t.Fatalf("%d runbooks in the reference", len(books))
	}
	for _, b := range books {
		f, err := parse(t, "runbooks: [books/*.yaml]\n", map[string]string{"books/x.yaml": "name: " + b[1] + "\n" + b[2]})
		if err != nil {
			t.Errorf("%s: %v", b[1], err)
			continue
		}
		if !slices.ContainsFunc(f.Runbooks, func(x *runbook.Book) bool { return x.Name == b[1] && x.From != "" && len(x.Steps) > 5 }) {
			t.Errorf("%s is not among the runbooks", b[1])
		}
	}
}
