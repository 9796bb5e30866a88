package health

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"plumb/fleet"
)

// Probe asks one workload. It keeps nothing between two looks.
type Probe struct {
	cfg    Config
	client *http.Client // of http and prometheus
}

// New returns a probe of a workload.
func New(c Config) (*Probe, error) {
	if err := Check(&c.HealthSpec); err != nil {
		return nil, fmt.Errorf("health of %s: %w", c.Target, err)
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	p := &Probe{cfg: c}
	if c.Kind == fleet.HealthHTTP || c.Kind == fleet.HealthPrometheus {
		t, err := tlsOf(&c.HealthSpec)
		if err != nil {
			return nil, fmt.Errorf("health of %s: %w: %w", c.Target, ErrConfig, err)
		}
		p.client = client(&c, t)
	}
	return p, nil
}

// said is what one look learned. Without a word (blind) only err counts.
type said struct {
	state fleet.State
	text  string
	blind bool
	took  time.Duration // until the answer was there; 0: it is no latency of the workload
	err   error         // wraps one of fleet's sentinels; nil: it answered as it should or said what is wrong
	facts fleet.Facts
	hide  hidden // what its text and its error must not tell
}

// Observe implements [fleet.Probe]. Every lane asks the same.
func (p *Probe) Observe(ctx context.Context, lane fleet.Lane) (*fleet.Observation, error) {
	o := &fleet.Observation{Target: p.cfg.Target, Source: fleet.SourceHealth, Lane: lane, At: time.Now()}
	look, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	var x said
	switch p.cfg.Kind {
	case fleet.HealthHTTP:
		x = p.page(look)
	case fleet.HealthTCP:
		x = p.connect(look)
	case fleet.HealthExec:
		x = p.program(look)
	default:
		x = p.query(look)
	}
	o.Took = time.Since(o.At)
	p.fill(o, &x)
	if err := ctx.Err(); errors.Is(err, context.Canceled) && x.err != nil {
		return o, err
	}
	return o, nil
}

var (
	wordDef    = &fleet.SensorDef{ID: fleet.SensorHealth, Key: fleet.SensorHealth, Name: "what the workload says", Class: fleet.ClassState}
	latencyDef = &fleet.SensorDef{ID: fleet.SensorLatency, Key: fleet.SensorLatency, Name: "time to its answer", Class: fleet.ClassLatency, Unit: "ms"}
)

func (p *Probe) fill(o *fleet.Observation, x *said) {
	o.Facts = x.facts
	o.Facts.Set(fleet.FactAsked, fleet.Clean(p.cfg.Asks(), fleet.MaxText))
	o.SetTable(fleet.TableFacts, fleet.Complete)
	if x.err != nil {
		o.Err = &fleet.ProbeError{Target: p.cfg.Target, Op: "ask " + string(p.cfg.Kind), Err: x.hide.err(x.err)}
	}
	switch {
	case x.blind:
		o.SetTable(fleet.TableFacts, fleet.Partial)
		o.SetTable(fleet.TableSensors, fleet.Failed)
		return
	case x.err != nil:
		o.SetTable(fleet.TableSensors, fleet.Partial)
	default:
		o.SetTable(fleet.TableSensors, fleet.Complete)
	}
	o.Sensors = append(o.Sensors, fleet.Sensor{SensorDef: wordDef, State: x.state, Text: x.hide.clean(x.text, fleet.MaxText)})
	if x.took > 0 {
		o.Sensors = append(o.Sensors, fleet.Sensor{SensorDef: latencyDef, Value: fleet.Dec(max(x.took.Microseconds()/100, 1), -1), State: fleet.StateOK})
	}
}

// Close implements [fleet.Probe]: nothing is open.
func (p *Probe) Close() error { return nil }

// blind is a look that could not be made.
func blind(kind error, format string, args ...any) said {
	return said{blind: true, err: fmt.Errorf("%w: "+format, append([]any{kind}, args...)...)}
}
