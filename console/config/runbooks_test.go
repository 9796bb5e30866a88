package config

import (
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
