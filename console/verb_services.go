package console

import (
	"context"
	"fmt"
	"strings"

	"plumb/fleet"
	"plumb/fleet/trace"
	"plumb/views"
	"plumb/views/export"
)

// runServices lists the services that match, with how their replicas are spread.
func runServices(_ context.Context, v *Verbs, c *verbCall) error {
	s, err := v.shown(c)
	if err != nil {
		return err
	}
	text := strings.Join(c.words, " ")
	keep, err := views.ServiceFilter(text, s)
	if err != nil {
		return usage("filter as / does: state:crit owner:team-web health:crit latency>200 !spare", "services: %v", err)
	}
	rows, g := []export.Service{}, trace.Build(s)
	for i, row := range export.Services(s) {
		if !keep(s.Services.At(i)) {
			continue
		}
		x := g.SharedFate(s, i)
		row.Opacity = x.Opacity
		if len(x.Shared) > 0 {
			row.Shared = fateText(&x.Shared[0], x.Replicas)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 && len(c.words) == 1 && !strings.ContainsAny(text, "!:<>") {
		return noService(s, text)
	}
	return write(c, s.At, rows, "health_at", "health_text", "health_asks") // reasons say it for people
}

// noService says that a name is no service's, and whose it may have been meant to
// be.
func noService(s *fleet.Snapshot, name string) error {
	var ids []string
	for id := range s.Services.All() {
		ids = append(ids, id)
	}
	hint := "services lists them"
	if near := export.Nearest(ids, name); near != "" {
		hint = "did you mean " + near + "?"
	}
	return &Failure{"unknown", fmt.Sprintf("%s: no such service", fleet.Clean(name, 80)), hint}
}

// fateText says what a part takes: "rack ams1/r03 takes 4 of 72".
func fateText(f *trace.Fate, replicas int) string {
	text := fmt.Sprintf("%s %s takes %d of %d", f.Kind, f.ID, f.Takes, replicas)
	if f.Below {
		text += ": below the floor"
	}
	return text
}

// tracedService is the trace of a service with what its replicas share.
type tracedService struct {
	trace.Chain
	Spread trace.Spread `json:"spread"`
}

// fatesShown bounds what a person reads; scripts get all.
const fatesShown = 12

// fateRow is one line of what replicas share, for people.
type fateRow struct {
	Takes int        `json:"takes"`
	Left  int        `json:"left"`
	Kind  trace.Kind `json:"kind"`
	Part  string     `json:"part"`
	Also  string     `json:"the same with"`
	Floor string     `json:"floor"`
}

func printSpread(c *verbCall, s *fleet.Snapshot, x trace.Spread) error {
	opacity := "no replica runs"
	if x.Opacity.Known {
		opacity = fmt.Sprintf("opacity %s: %d of %d replicas cannot be told apart from another", x.Opacity, x.Opaque, x.Replicas)
	}
	fmt.Fprintf(c.Stdout, "%s shares; %s\n", x.Service, opacity)
	rows := []fateRow{}
	for _, f := range x.Shared[:min(len(x.Shared), fatesShown)] {
		row := fateRow{Takes: f.Takes, Left: f.Left, Kind: f.Kind, Part: f.ID, Also: strings.Join(f.Also, ", ")}
		if f.Below {
			row.Floor = fmt.Sprintf("below %d", x.Floor)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		fmt.Fprintln(c.Stdout, "  nothing that takes two at once")
		return nil
	}
	if err := write(c, s.At, rows); err != nil {
		return err
	}
	if more := len(x.Shared) - len(rows); more > 0 {
		fmt.Fprintf(c.Stdout, "and %d that take %d or fewer; --json has them\n", more, x.Shared[len(rows)].Takes)
	}
	return nil
}
