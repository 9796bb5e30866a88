package week_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"plumb/internal/benchline"
	"plumb/internal/week"
)

const calls = "../../testdata/week/pages.yaml"

// called holds what was sent against what was planted.
type called struct {
	day    *day
	end    week.Moment
	events []*caught
	false_ []*page // of nothing that happened
}

// caught is one event with the pages that were sent of it.
type caught struct {
	sort  string
	call  week.Call
	e     *week.Event
	decoy bool
	grace week.Moment // after its end, until it was read that it is over and that was told
	pages []*page
}

// afterwards is how long after the end of an event its traces may still call.
const afterwards = recovery + week.Moment(10*time.Minute)

func (d *day) score(words map[string]week.Call, end week.Moment) *called {
	c := &called{day: d, end: end}
	add := func(list []week.Planting, decoy bool) {
		for i := range list {
			grace := afterwards + week.Moment(words[list[i].Sort].Within)
			for _, x := range list[i].Expect {
				grace = max(grace, afterwards+week.Moment(x.Within))
			}
			for k := range list[i].Each {
				if e := &list[i].Each[k]; e.At < end {
					sort := list[i].Sort
					if e.Tagged > 0 {
						sort += " tagged"
					}
					c.events = append(c.events, &caught{sort: sort, call: words[sort], e: e, decoy: decoy, grace: grace})
				}
			}
		}
	}
	add(d.world.Plant, false)
	add(d.world.Decoys, true)
	slices.SortStableFunc(c.events, func(a, b *caught) int {
		return int(a.e.At/week.Moment(time.Second)) - int(b.e.At/week.Moment(time.Second))
	})
	s := &score{run: d.run}
	for _, p := range d.pages {
		if x := c.of(s, p); x != nil {
			x.pages = append(x.pages, p)
		} else {
			c.false_ = append(c.false_, p)
		}
	}
	return c
}

// of is the event that a page speaks of: one that it names, else one whose
// consequence it may be; of several the last that began.
func (c *called) of(s *score, p *page) (best *caught) {
	most := 0
	for _, x := range c.events {
		e := x.e
		if p.at < e.At || e.Until != 0 && p.at > e.Until+x.grace {
			continue
		}
		if n := c.names(s, p, e); n > 0 && n >= most {
			most, best = n, x
		}
	}
	return best
}

// names tells how well a page names an event: 3 its part and a word of it, 2 its
// part, 1 something that it may have taken with it, 0 nothing of it.
func (c *called) names(s *score, p *page, e *week.Event) int {
	y := &said{target: p.target, text: p.text, facet: p.id}
	switch {
	case outage(e):
		id, part, _ := strings.Cut(strings.TrimPrefix(p.id, p.rule+":"), "/")
		_ = id
		own := s.culprits(e)
		if slices.Contains(own, p.target) || part != "" && slices.Contains(own, p.target+"/"+part) {
			return 3
		}
		if s.within(p.target, e) {
			return 1
		}
		return 0
	case e.Rack != "" && p.target == e.Rack, e.Quota != "" && p.target == e.On && strings.Contains(p.id, strings.TrimSuffix(e.Quota, "_mb")):
		return 3
	case e.Rack != "":
		if strings.HasPrefix(p.target, strings.ReplaceAll(e.Rack, "/", "-")+"-") {
			return 1
		}
		return 0
	case !concerns(y, e):
		return 0
	}
	about := slices.Concat(e.About, e.Swap, e.Move)
	if e.Port != "" {
		about = append(about, e.Port)
	}
	if len(about) > 0 && says(y, about) {
		return 3
	}
	return 2
}

// tallyOf counts what was asked and what came.
type callTally struct{ planted, missed, late, extra, wrong, unresolved, pages int }

func (c *called) tally(note func(string)) (t callTally) {
	for _, x := range c.events {
		t.pages += len(x.pages)
		what := fmt.Sprintf("%s %s %s", clock(x.e.At), x.sort, subject(x.e))
		limit := 1
		due := x.e.At + week.Moment(x.call.Within)
		switch {
		case x.call.Quiet != "":
			limit = 0
			t.wrong += len(x.pages)
		case x.call.Within > 0 && due < c.end:
			t.planted++
			if len(x.pages) == 0 {
				t.missed++
				note("missed " + what)
			} else if at := x.pages[0].at; at > due {
				t.late++
				note(fmt.Sprintf("late   %s: after %s, due in %s", what, time.Duration(at-x.e.At), time.Duration(due-x.e.At)))
			}
		}
		if n := len(x.pages) - limit; n > 0 {
			if limit > 0 {
				t.extra += n
			}
			for _, p := range x.pages[limit:] {
				note(fmt.Sprintf("extra  %s: %s %s %s", what, clock(p.at), p.id, p.text))
			}
		}
		if x.e.Until == 0 || x.e.Until+x.grace >= c.end {
			continue
		}
		for _, p := range x.pages {
			if p.resolves != 1 || p.over > x.e.Until+x.grace {
				t.unresolved++
				note(fmt.Sprintf("open   %s: %s resolved %d times, at %s", what, p.id, p.resolves, clock(p.over)))
			}
		}
	}
	t.pages, t.wrong = t.pages+len(c.false_), t.wrong+len(c.false_)
	for _, p := range c.false_ {
		note(fmt.Sprintf("false  %s to %s: %s: %s", clock(p.at), clock(p.over), p.id, p.text))
	}
	return t
}

// String is the table.
func (c *called) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-17s %-38s %-8s %-8s %8s %5s %8s  %s\n", "planted", "what", "at", "page at", "delay", "pages", "resolved", "what it said")
	for _, x := range c.events {
		if len(x.pages) == 0 && (x.decoy || x.call.Within == 0) {
			continue
		}
		at, delay, over, text := "-", "-", "-", "nothing"
		if len(x.pages) > 0 {
			p := x.pages[0]
			at, delay, text = clock(p.at), time.Duration(p.at-x.e.At).Round(time.Second).String(), p.text
			if p.over != 0 {
				over = clock(p.over)
			}
		}
		fmt.Fprintf(&b, "%-17s %-38.38s %-8s %-8s %8s %5d %8s  %.90s\n", x.sort, subject(x.e), clock(x.e.At), at, delay, len(x.pages), over, text)
	}
	return b.String()
}

// TestPagedWeek holds that each cause of the week calls once and is taken back
// once, and that nothing else calls.
func TestPagedWeek(t *testing.T) {
	s := read(t)
	words, err := s.ReadCalls(calls)
	if err != nil {
		t.Fatal(err)
	}
	end := span(s)
	if os.Getenv("PLUMB_WEEK") == "" && !raced {
		end = week.Moment(24 * time.Hour)
	}
	d := playPaged(t, week.New(s, false), end)
	c := d.score(words, end)
	var notes []string
	n := c.tally(func(note string) { notes = append(notes, note) })
	t.Logf("%s on call\n%s%s", time.Duration(end), c, strings.Join(notes, "\n"))
	benchline.Print(
		benchline.Line{Bench: "page-planted", Value: float64(n.planted), Unit: "causes", Goal: 1, Higher: true, Note: time.Duration(end).String()},
		benchline.Line{Bench: "page-missed", Value: float64(n.missed + n.late), Unit: "causes"},
		benchline.Line{Bench: "page-extra", Value: float64(n.extra), Unit: "pages"},
		benchline.Line{Bench: "page-false", Value: float64(n.wrong), Unit: "pages"},
		benchline.Line{Bench: "page-unresolved", Value: float64(n.unresolved), Unit: "pages"},
		benchline.Line{Bench: "page-notices", Value: float64(d.sent), Unit: "notices", Goal: float64(3 * n.pages)},
	)
	if !raced && n.planted == 0 {
		t.Error("nothing was planted that calls")
	}
	// What an engine does not find nobody is called for: it has its own goal.
	if n.missed > n.planted/20 || n.late+n.extra+n.wrong+n.unresolved > 0 {
		t.Errorf("missed %d, late %d, extra %d, false %d, not taken back once %d", n.missed, n.late, n.extra, n.wrong, n.unresolved)
	}
}
