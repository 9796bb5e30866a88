package keys

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
)

// ErrOverride says that keys given in the configuration cannot be used.
var ErrOverride = errors.New("cannot remap keys")

// Map finds commands by key and by name. It is built once and only read.
type Map struct {
	commands []Command
	byKey    map[string][]int
	byID     map[string]int
	groups   map[string]string
}

// New returns the map with some commands bound to other keys: overrides names
// them by command id, each with its keys as [Canon] spells them; an empty list
// takes the keys away. It refuses unknown commands, with the closest name, and
// a key that two commands would share in one view.
func New(overrides map[string][]string) (*Map, error) {
	m := &Map{commands: All(), byKey: map[string][]int{}, byID: map[string]int{}, groups: map[string]string{}}
	for _, g := range groups {
		for _, c := range g.commands() {
			m.groups[c.ID] = g.Title
		}
	}
	for i, c := range m.commands {
		m.byID[c.ID] = i
	}
	ids := make([]string, 0, len(overrides))
	for id := range overrides {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var errs []error
	for _, id := range ids {
		errs = append(errs, m.override(id, overrides[id]))
	}
	m.index()
	errs = append(errs, m.conflicts())
	return m, errors.Join(errs...)
}

// Must returns the map without overrides.
func Must() *Map {
	m, err := New(nil)
	if err != nil {
		panic(err) // a test holds that the built-in keys do not conflict
	}
	return m
}

func (m *Map) override(id string, keyNames []string) error {
	i, ok := m.byID[id]
	if !ok {
		return fmt.Errorf("%w: %q is not a command; the closest is %q", ErrOverride, id, m.closest(id))
	}
	var canon []string
	for _, k := range keyNames {
		if k = Canon(k); k == "" {
			return fmt.Errorf("%w: %s has an empty key", ErrOverride, id)
		}
		canon = append(canon, k)
	}
	c := &m.commands[i]
	if len(canon) == 0 {
		c.Keys = key.Binding{}
		return nil
	}
	c.Keys = key.NewBinding(key.WithKeys(canon...), key.WithHelp(Label(canon[0]), c.Title))
	return nil
}

func (m *Map) index() {
	clear(m.byKey)
	for i, c := range m.commands {
		for _, k := range c.Keys.Keys() {
			m.byKey[k] = append(m.byKey[k], i)
		}
	}
}

// conflicts names every key that means two things in one view.
func (m *Map) conflicts() error {
	var errs []error
	names := make([]string, 0, len(m.byKey))
	for k := range m.byKey {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		on := m.byKey[k]
		for a := range on {
			for b := a + 1; b < len(on); b++ {
				if c, d := m.commands[on[a]], m.commands[on[b]]; c.meets(d) {
					errs = append(errs, fmt.Errorf("%w: %q would mean both %s and %s", ErrOverride, k, c.ID, d.ID))
				}
			}
		}
	}
	return errors.Join(errs...)
}

// Resolve returns the command a key means in the scene, also when it is
// disabled there: Why then says the reason. chord is the key as
// bubbletea's KeyPressMsg.String names it.
func (m *Map) Resolve(chord string, s Scene) (Command, bool) {
	chord = Canon(chord)
	for _, i := range m.byKey[chord] {
		if m.commands[i].Hears(chord, s.View) {
			return m.commands[i], true
		}
	}
	return Command{}, false
}

// All returns the commands with the keys they have in this map.
func (m *Map) All() []Command { return m.commands }

// Get returns a command by id.
func (m *Map) Get(id string) (Command, bool) {
	i, ok := m.byID[id]
	if !ok {
		return Command{}, false
	}
	return m.commands[i], true
}

// Group returns the title of the help group the command stands in.
func (m *Map) Group(id string) string { return m.groups[id] }

// Canon spells a key as the map knows it. Terminals send ctrl+space as NUL,
// which the wire names ctrl+@; "space" and " " are one key.
func Canon(k string) string {
	switch k {
	case " ":
		return "space"
	case "ctrl+space", "ctrl+ ":
		return "ctrl+@"
	case "escape":
		return "esc"
	case "return":
		return "enter"
	}
	return strings.TrimSpace(k)
}

// Label is a key as people read it in a footer.
func Label(k string) string {
	switch k {
	case "ctrl+@":
		return "ctrl-space"
	case "pgdown":
		return "pgdn"
	}
	return strings.ReplaceAll(k, "ctrl+", "ctrl-")
}

// closest returns the id that needs the fewest edits to become the given one.
func (m *Map) closest(id string) string {
	best, at := "", 1<<30
	for _, c := range m.commands {
		if d := edits(id, c.ID); d < at {
			best, at = c.ID, d
		}
	}
	return best
}

// edits is the Levenshtein distance of two short names.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost = 1 + min(last, row[j], row[j+1])
			}
			last, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
