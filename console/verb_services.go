package console

import (
	"context"
	"fmt"
	"strings"

	"plumb/fleet"
	"plumb/fleet/trace"
	"plumb/views/export"
)

// runServices lists the services with how their replicas are spread.
func runServices(_ context.Context, v *Verbs, c *verbCall) error {
	s, err := v.shown(c)
	if err != nil {
		return err
	}
	rows := export.Services(s)
	g := trace.Build(s)
	for i := range rows {
		x := g.SharedFate(s, i)
		rows[i].Opacity = x.Opacity
		if len(x.Shared) > 0 {
			rows[i].Shared = fateText(&x.Shared[0], x.Replicas)
		}
	}
	return write(c, s.At, rows, "health_at", "health_text", "health_asks") // reasons say it for people
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
