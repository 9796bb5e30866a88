package config

import (
	"embed"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"plumb/fleet"
	"plumb/fleet/runbook"
)

// A runbook is a file of its own: runbooks: [runbooks/*.yaml] names them. Those
// that come with plumb are read the same way; one of the user's by the same
// name stands in for them.

//go:embed shipped/*.yaml
var shipped embed.FS

// maxBooks bounds the runbooks of a configuration, maxBook the bytes of one.
const (
	maxBooks = 200
	maxBook  = 256 << 10
)

type bookYAML struct {
	Name  ref           `yaml:"name"`
	Title ref           `yaml:"title"`
	Why   string        `yaml:"why"`
	On    ref           `yaml:"on"`
	When  []triggerYAML `yaml:"when"`
	Steps []stepYAML    `yaml:"steps"`
	At    place
}

type triggerYAML struct {
	Finding ref    `yaml:"finding"`
	Kind    ref    `yaml:"kind"`
	State   ref    `yaml:"state"`
	Reason  string `yaml:"reason"`
	Event   string `yaml:"event"`
	Is      ref    `yaml:"is"`
	At      place
}

type stepYAML struct {
	Note   ref       `yaml:"note"`
	Check  ref       `yaml:"check"`
	Wait   *waitYAML `yaml:"wait"`
	Prompt ref       `yaml:"prompt"`

	Act    ref            `yaml:"act"`
	Target texts          `yaml:"target"`
	Args   map[string]ref `yaml:"args"`
	Exec   []ref          `yaml:"exec"`
	AtMost duration       `yaml:"at_most"`

	Text     ref        `yaml:"text"`
	If       ref        `yaml:"if"`
	OnFail   ref        `yaml:"on_fail"`
	Rollback *doingYAML `yaml:"rollback"`
	At       place
}

// doingYAML is what changes something: an act or a program.
type doingYAML struct {
	Act    ref            `yaml:"act"`
	Target texts          `yaml:"target"`
	Args   map[string]ref `yaml:"args"`
	Exec   []ref          `yaml:"exec"`
	AtMost duration       `yaml:"at_most"`
	At     place
}

type waitYAML struct {
	For    ref      `yaml:"for"`
	AtMost duration `yaml:"at_most"`
	At     place
}

// texts is one text or a list of them.
type texts []ref

func (x *texts) fromYAML(d *decoder, n *yaml.Node, what string) {
	if n.Kind != yaml.SequenceNode {
		var one ref
		one.fromYAML(d, n, what)
		*x = texts{one}
		return
	}
	var list []ref
	d.into(n, &list, what)
	*x = list
}

// Shipped are the runbooks that come with plumb, by name.
func Shipped() ([]*runbook.Book, error) {
	b := &builder{errs: &Errors{}}
	list := b.shipped()
	return list, b.errs.err(b.files)
}

func (b *builder) shipped() (out []*runbook.Book) {
	list, _ := shipped.ReadDir("shipped") // it is embedded: it is there
	for _, f := range list {
		data, err := shipped.ReadFile("shipped/" + f.Name())
		if err != nil {
			b.errs.add(place{f.Name(), 1, 1}, "runbooks", err.Error(), "")
			continue
		}
		if book := b.book(f.Name(), data, false); book != nil {
			out = append(out, book)
		}
	}
	return out
}

// runbooks reads the files of the user's runbooks, beside those that come with
// plumb.
func (b *builder) runbooks(patterns []ref, dir string) {
	for _, pattern := range patterns {
		paths, err := b.env.Glob(inDir(dir, pattern.name))
		switch {
		case err != nil:
			b.errs.add(pattern.at, "runbooks", quote(pattern.name)+" is not a pattern: "+err.Error(), "")
			continue
		case len(paths) == 0 && !strings.ContainsAny(pattern.name, "*?["):
			b.errs.add(pattern.at, "runbooks", "there is no file "+quote(pattern.name), "")
		}
		slices.Sort(paths)
		for _, path := range paths {
			b.bookFile(dir, path, pattern)
		}
	}
}

func (b *builder) bookFile(dir, path string, pattern ref) {
	if len(b.books) >= maxBooks {
		b.errs.add(pattern.at, "runbooks", fmt.Sprintf("more than %d", maxBooks), "")
		return
	}
	name := path
	if rel, err := filepath.Rel(dir, path); err == nil {
		name = filepath.Join(filepath.Dir(b.files[0]), rel)
	}
	data, err := b.env.ReadFile(path)
	if err == nil && len(data) > maxBook {
		err = fmt.Errorf("is larger than %d KiB", maxBook>>10)
	}
	if err != nil {
		b.errs.add(pattern.at, "runbooks", quote(name)+": "+reason(err).Error(), "")
		return
	}
	b.files = append(b.files, name)
	book := b.book(name, data, true)
	if book == nil || book.Name == "" {
		return
	}
	if first, ok := b.books[book.Name]; ok {
		b.errs.add(place{name, 1, 1}, "runbook "+quote(book.Name), "stands twice, first at "+first.String(), "")
		return
	}
	b.books[book.Name] = place{name, 1, 1}
	if i := slices.IndexFunc(b.file.Runbooks, func(x *runbook.Book) bool { return x.Name == book.Name }); i >= 0 {
		b.file.Runbooks[i] = book
		return
	}
	b.file.Runbooks = append(b.file.Runbooks, book)
}

// book reads one runbook; nil: there was none in the file. Only the user's own
// may run programs.
func (b *builder) book(name string, data []byte, own bool) *runbook.Book {
	y := bookYAML{At: place{name, 1, 1}}
	if !b.one(name, data, &y) {
		return nil
	}
	what := "runbook " + quote(y.Name.name)
	book := &runbook.Book{Name: y.Name.name, Title: y.Title.name, Why: y.Why, On: runbook.Kind(y.On.name)}
	if own {
		book.From = name
	}
	b.isName(y.Name, y.At, "runbook")
	b.oneOf(y.On, what+": on", runbook.Kinds)
	if y.On.name == "" {
		b.errs.add(y.At, what, "does not say what it is carried out on", "on: one of "+strings.Join(runbook.Kinds, " "))
	}
	if y.Title.name == "" {
		b.errs.add(y.At, what, "has no title", "one line that says what it does")
	}
	if n := len(y.Steps); n == 0 || n > runbook.MaxSteps {
		b.errs.add(y.At, what, fmt.Sprintf("has %d steps; 1 to %d", n, runbook.MaxSteps), "")
	}
	for i := range y.When {
		book.When = append(book.When, b.trigger(&y.When[i], what+": when"))
	}
	for i := range y.Steps {
		book.Steps = append(book.Steps, b.step(&y.Steps[i], fmt.Sprintf("%s: step %d", what, i+1), own))
	}
	return book
}

var findingKinds = []string{string(fleet.FindFirmware), string(fleet.FindConfig), string(fleet.FindCabling), string(fleet.FindInventory), string(fleet.FindSecurity),
	string(fleet.FindPerformance), string(fleet.FindCapacity), string(fleet.FindResilience), string(fleet.FindLifecycle)}

func (b *builder) trigger(y *triggerYAML, what string) runbook.Trigger {
	t := runbook.Trigger{Finding: y.Finding.name, Kind: fleet.FindingKind(y.Kind.name), State: y.State.name, Reason: y.Reason, Event: y.Event, When: b.condition(y.Is, what+": is")}
	if !runbook.ValidPattern(t.Finding) {
		b.errs.add(y.Finding.at, what, quote(t.Finding)+" is not a pattern", `* stands for any text, ? for a letter, [ab] for one of them`)
	}
	b.oneOf(y.Kind, what+": kind", findingKinds)
	b.oneOf(y.State, what+": state", []string{"ok", "warn", "crit", "unknown", "off"})
	if y.Is.name == "" && t.Empty() {
		b.errs.add(y.At, what, "asks for nothing", "finding, kind, state, reason, event or is")
	}
	return t
}

func (b *builder) step(y *stepYAML, what string, own bool) runbook.Step {
	s := b.doing(&doingYAML{y.Act, y.Target, y.Args, y.Exec, y.AtMost, y.At}, what, own)
	s.If, s.OnFail = b.condition(y.If, what+": if"), runbook.OnFail(y.OnFail.name)
	b.oneOf(y.OnFail, what+": on_fail", runbook.Failures)
	s.Text = b.template(y.Text, what+": text")
	n := 0
	is := func(given bool, do runbook.Doing) {
		if given {
			n++
			s.Do = do
		}
	}
	is(y.Act.name != "", runbook.DoAct)
	is(len(y.Exec) > 0, runbook.DoExec)
	is(y.Note.name != "", runbook.DoNote)
	is(y.Prompt.name != "", runbook.DoPrompt)
	is(y.Check.name != "", runbook.DoCheck)
	is(y.Wait != nil, runbook.DoWait)
	if n != 1 {
		b.errs.add(y.At, what, fmt.Sprintf("does %d things", n), "one of note, check, wait, act, prompt, exec")
		return s
	}
	switch s.Do {
	case runbook.DoNote:
		s.Text = b.template(y.Note, what+": note")
	case runbook.DoPrompt:
		s.Text = b.template(y.Prompt, what+": prompt")
	case runbook.DoCheck:
		s.For = b.condition(y.Check, what+": check")
	case runbook.DoWait:
		s.For, s.AtMost = b.condition(y.Wait.For, what+": wait.for"), y.Wait.AtMost.Duration
	}
	if y.Rollback != nil {
		back := b.doing(y.Rollback, what+": rollback", own)
		s.Rollback = &back
	}
	b.sound(&s, y, what)
	return s
}

// sound asks the package that carries steps out, where their parts can be read.
func (b *builder) sound(s *runbook.Step, y *stepYAML, what string) {
	if s.For == nil && (y.Check.name != "" || y.Wait != nil && y.Wait.For.name != "") {
		return // said already
	}
	why := s.Check(false)
	if why == "" {
		return
	}
	hint := ""
	if s.Do == runbook.DoAct && s.Action.Spec() == nil {
		var names []string
		for i := range fleet.Actions {
			names = append(names, string(fleet.Actions[i].Kind))
		}
		hint = didYouMean(y.Act.name, slices.Values(names), "help act lists them")
	}
	b.errs.add(y.At, what, why, hint)
}

func (b *builder) doing(y *doingYAML, what string, own bool) runbook.Step {
	s := runbook.Step{Do: runbook.DoAct, Action: fleet.ActionKind(y.Act.name), AtMost: y.AtMost.Duration}
	for _, t := range y.Target {
		s.Targets = append(s.Targets, b.template(t, what+": target"))
	}
	for name, t := range y.Args {
		if s.Args == nil {
			s.Args = map[string]*runbook.Text{}
		}
		s.Args[name] = b.template(t, what+": args."+name)
	}
	for _, t := range y.Exec {
		s.Do = runbook.DoExec
		s.Argv = append(s.Argv, b.template(t, what+": exec"))
	}
	switch {
	case s.Do == runbook.DoExec && !own:
		b.errs.add(y.At, what, "runs a program, which only your own runbooks may", "")
	case s.Do == runbook.DoExec && b.env.LookPath != nil:
		if err := b.env.LookPath(y.Exec[0].name); err != nil {
			b.errs.add(y.Exec[0].at, what+": exec", "cannot run "+quote(y.Exec[0].name)+": "+reason(err).Error(), "")
		}
	}
	return s
}

func (b *builder) condition(r ref, what string) *runbook.Cond {
	if r.name == "" {
		return nil
	}
	c, err := runbook.Condition(r.name)
	if err != nil {
		b.errs.add(r.at, what, fleet.Clean(err.Error(), 2*fleet.MaxText), "")
	}
	return c
}

// template is never nil where there is text, so that what is wrong with it is
// said once.
func (b *builder) template(r ref, what string) *runbook.Text {
	if r.name == "" {
		return nil
	}
	t, err := runbook.Template(r.name)
	if err != nil {
		b.errs.add(r.at, what, fleet.Clean(err.Error(), 2*fleet.MaxText), "")
		return new(runbook.Text)
	}
	return t
}
