package keys

import (
	"cmp"
	"iter"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Match is one line of the palette.
type Match struct {
	Command Command // with its arguments set
	Text    string  // what it stands for, and what tab completes to
	Why     string  // the reason it is disabled, or ""
	score   int
}

// MaxMatches bounds what the palette offers at once.
const MaxMatches = 50

// themes are what the theme command takes.
var themes = []string{"okabe", "light", "16", "mono", "ascii"}

// Palette finds commands by a fuzzy name, then their argument the same way:
// "dev fra r01 s03" and "device fra1-r01-s03" mean one thing. Best first; what is
// disabled stands last, with its reason. What works elsewhere only is found by its
// name, and not offered to who has typed nothing.
func (m *Map) Palette(text string, s Scene) []Match {
	text = strings.TrimLeft(text, " ")
	var found []Match
	name, arg, hasArg := strings.Cut(text, " ")
	for _, c := range m.commands {
		want := name
		if len(c.Params) == 0 {
			want = strings.ReplaceAll(text, " ", "")
		}
		score, ok := fuzzy(want, c.name())
		if alias, byID := fuzzy(want, c.ID); byID && (!ok || alias > score+1) {
			score, ok = alias-1, true
		}
		if !ok || c.ID == "palette" || text == "" && !c.Works(s.View) {
			continue
		}
		why := c.Why(s)
		if len(c.Params) == 0 || !hasArg {
			found = append(found, Match{Command: c, Text: c.name(), Why: why, score: score})
			continue
		}
		found = append(found, c.arguments(arg, s, score, why)...)
	}
	slices.SortStableFunc(found, func(a, b Match) int {
		if (a.Why == "") != (b.Why == "") {
			return cmp.Compare(len(a.Why), len(b.Why))
		}
		if here := a.Command.Works(s.View); here != b.Command.Works(s.View) {
			if here {
				return -1
			}
			return 1
		}
		if text == "" {
			return 0 // nothing typed: the order of the list, the screens first
		}
		return cmp.Compare(b.score, a.score)
	})
	return found[:min(len(found), MaxMatches)]
}

// name is what people type for the command.
func (c Command) name() string {
	switch c.ID {
	case "time.at":
		return "at"
	case "palette":
		return "command"
	case "confirm.reason", "confirm.type", "confirm.arg", "confirm.break", "filter.set":
		return c.Params[0]
	}
	return strings.ToLower(c.Title)
}

// arguments completes the command's argument.
func (c Command) arguments(arg string, s Scene, score int, why string) []Match {
	values := c.values(s)
	if values == nil { // free text
		if strings.TrimSpace(arg) == "" {
			return []Match{{Command: c, Text: c.name(), Why: why, score: score}}
		}
		return []Match{{Command: c.With(strings.TrimSpace(arg)), Text: c.name() + " " + arg, Why: why, score: score}}
	}
	var found []Match
	for v := range values {
		got, ok := fuzzy(strings.ReplaceAll(arg, " ", ""), v)
		if !ok {
			continue
		}
		found = append(found, Match{Command: c.With(v), Text: c.name() + " " + v, Why: why, score: score + got})
		if len(found) > 20*MaxMatches {
			break
		}
	}
	free := c.ID == "trace" || c.ID == "open.services" || c.ID == "open.jobs" // an outlet, a filter, a job of last month
	if arg = strings.TrimSpace(arg); len(found) == 0 && free && arg != "" {
		found = append(found, Match{Command: c.With(arg), Text: c.name() + " " + arg, Why: why, score: score})
	}
	return found
}

// values yields what the argument may be; nil: any text.
func (c Command) values(s Scene) iter.Seq[string] {
	if c.ID == "theme" {
		return slices.Values(themes)
	}
	if s.Snap == nil {
		return nil
	}
	switch c.ID {
	case "go.region":
		return ids(s.Snap.Regions.All())
	case "go.rack":
		return ids(s.Snap.Racks.All())
	case "go.device":
		return ids(s.Snap.Devices.All())
	case "go.instance":
		return ids(s.Snap.Instances.All())
	case "go.service", "open.services":
		return ids(s.Snap.Services.All())
	case "open.jobs":
		return s.jobs()
	case "go.port":
		return s.ports()
	case "trace":
		return s.parts()
	}
	return nil
}

func ids[T any](all iter.Seq2[string, *T]) iter.Seq[string] {
	return func(yield func(string) bool) {
		for id := range all {
			if !yield(id) {
				return
			}
		}
	}
}

func (s Scene) jobs() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range s.Snap.Jobs {
			if !yield(s.Snap.Jobs[i].ID) {
				return
			}
		}
	}
}

func (s Scene) ports() iter.Seq[string] {
	return func(yield func(string) bool) {
		for id, d := range s.Snap.Devices.All() {
			for i := range d.Ports {
				if !yield(id + "/" + d.Ports[i].Name) {
					return
				}
			}
		}
	}
}

// fuzzy reports whether the runes of text stand in s in order, and how well: a
// hit at the start or after a separator counts more, a run of hits more, and a
// long rest less.
func fuzzy(text, s string) (score int, ok bool) {
	run, prev, length := 0, rune(' '), 0
	for _, r := range s {
		length++
		if text != "" {
			want, n := utf8.DecodeRuneInString(text)
			if unicode.ToLower(want) == unicode.ToLower(r) {
				run++
				score += 2 + run
				if !unicode.IsLetter(prev) && !unicode.IsDigit(prev) {
					score += 6
				}
				text = text[n:]
			} else {
				run = 0
			}
		}
		prev = r
	}
	return score - length/4, text == ""
}
