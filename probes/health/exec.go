package health

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"plumb/fleet"
	"plumb/internal/program"
)

// program runs a monitoring plugin: exit code 0 is ok, 1 warn, 2 crit, and the
// rest says that it does not know (Monitoring Plugins Development Guidelines,
// "Plugin Return Codes"). The first line that it writes is its message.
func (p *Probe) program(ctx context.Context) said {
	began := time.Now()
	out, err := program.Run(ctx, p.cfg.Command, nil, nil)
	took := time.Since(began)
	if out.State == nil {
		return blind(fleet.ErrUnsupported, "it was not started: %v", plain(err))
	}
	if ctx.Err() != nil && !out.State.Exited() {
		return blind(fleet.ErrTimeout, "the program did not end in %s", p.cfg.Timeout)
	}
	if !out.State.Exited() {
		return blind(fleet.ErrProtocol, "the program was killed: %s", out.State)
	}
	x := said{state: fleet.StateUnknown, text: message(out), took: took}
	switch code := out.State.ExitCode(); code {
	case 0:
		x.state = fleet.StateOK
	case 1:
		x.state = fleet.StateWarn
	case 2:
		x.state = fleet.StateCrit
	default:
		if x.text == "" {
			x.text = fmt.Sprintf("exit code %d", code)
		}
	}
	if x.text == "" {
		x.text = "exit code " + map[fleet.State]string{fleet.StateOK: "0", fleet.StateWarn: "1", fleet.StateCrit: "2"}[x.state]
	}
	return x
}

// message is the first line that is not empty, without the figures after a bar,
// which are for machines.
func message(out program.Said) string {
	for _, text := range []string{out.Out, out.Err} {
		for line := range strings.SplitSeq(text, "\n") {
			line, _, _ = strings.Cut(line, "|")
			if line = fleet.Clean(line, fleet.MaxText); line != "" {
				return line
			}
		}
	}
	return ""
}

// plain is an error of exec without what it repeats.
func plain(err error) error {
	var e *exec.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
