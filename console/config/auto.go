package config

import (
	"fmt"
	"slices"

	"plumb/fleet/runbook"
)

// autoYAML lets plumb begin a runbook by itself.
type autoYAML struct {
	Runbook   ref               `yaml:"runbook"`
	Select    map[string]string `yaml:"select"`
	MaxPerDay *int              `yaml:"max_per_day"`
	Mode      ref               `yaml:"mode"`
	At        place
}

// mostPerDay bounds max_per_day.
const mostPerDay = 100

// auto reads what plumb may begin by itself; books may stand in any file, so
// they are looked up once all are known.
func (b *builder) auto(y *autoYAML) {
	const what = "policies.auto"
	p := runbook.Policy{Book: y.Runbook.name, Select: y.Select, Act: y.Mode.name == "act"}
	at := what + ": " + quote(p.Book)
	if p.Book == "" {
		b.errs.add(y.At, what, "names no runbook", "runbook: NAME")
		return
	}
	b.oneOf(y.Mode, at+": mode", []string{"observe", "act"})
	if n := y.MaxPerDay; n != nil {
		if p.MaxPerDay = *n; *n < 1 || *n > mostPerDay {
			b.errs.add(y.At, at, fmt.Sprintf("max_per_day: %d is not within 1 and %d", *n, mostPerDay), "")
		}
	}
	b.selects(y.Select, y.At, at+": select", false)
	b.file.Auto = append(b.file.Auto, p)
	b.after = append(b.after, func() { b.autoBook(y, at) })
}

func (b *builder) autoBook(y *autoYAML, at string) {
	i := slices.IndexFunc(b.file.Runbooks, func(x *runbook.Book) bool { return x.Name == y.Runbook.name })
	if i < 0 {
		names := func(yield func(string) bool) {
			for _, x := range b.file.Runbooks {
				if !yield(x.Name) {
					return
				}
			}
		}
		b.errs.add(y.Runbook.at, at, didYouMean(y.Runbook.name, names, "there is no such runbook"), "")
		return
	}
	if why := b.file.Runbooks[i].FitsAuto(); why != "" {
		b.errs.add(y.Runbook.at, at, why, "a person may run it")
	}
}
