package sim

import (
	"fmt"
	"strings"
	"time"

	"plumb/probes/sim/world"
)

// Truth is one injected fault: what is, for anyone to score what plumb says.
type Truth struct {
	Name   string    `json:"name"`
	Target string    `json:"target"`
	Since  time.Time `json:"since"`
	Cause  string    `json:"cause"`
	Expect string    `json:"expect"`
}

// Faults returns what is wrong at this moment, oldest first; never nil.
func (f *Fleet) Faults() []Truth {
	rows := []Truth{}
	for _, x := range f.World.Faults(f.opt.Now()) {
		rows = append(rows, Truth{x.Name, x.Target, x.Start.UTC().Truncate(time.Second), x.Cause, x.Expect})
	}
	return rows
}

// Inject adds faults: NAME[@TARGET][+DELAY],... An error changes nothing.
func (f *Fleet) Inject(spec string) error {
	now := f.opt.Now()
	list, err := f.World.ParseFaults(spec, now)
	if err != nil {
		return fmt.Errorf("sim: %w", err)
	}
	return f.World.Inject(list, now)
}

// FaultList is the text of --fault list: every name, what its target is, and
// what it should lead to.
func FaultList() string {
	var b strings.Builder
	b.WriteString("NAME[@TARGET][+DELAY[/SPAN]],...   none: a healthy fleet\n\n")
	for _, k := range world.Kinds() {
		fmt.Fprintf(&b, "%-16s @ %-24s %s\n", k[0], k[1], strings.ReplaceAll(k[2], "{}", "it"))
	}
	return b.String()
}
