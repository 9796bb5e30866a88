package cloud

import (
	"sync/atomic"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/probes/probetest"
	sim "plumb/probes/sim/openstack"
)

// target is a simulated cloud under the suite's control.
type target struct {
	t             *testing.T
	cloud         *sim.Server
	muted, garble atomic.Bool
}

func startTarget(t *testing.T) probetest.Target {
	w := newWorld(2, 5)
	x := &target{t: t}
	w.bad = func(sim.Call) sim.Fault {
		switch {
		case x.muted.Load():
			return sim.Fault{Delay: time.Hour}
		case x.garble.Load():
			return sim.Fault{Body: []byte("\x00\xff{{{")}
		}
		return sim.Fault{}
	}
	x.cloud = serve(t, w)
	return x
}

func (x *target) make(password string) fleet.Probe {
	cfg := config(x.cloud.AuthURL(), "admin")
	cfg.Password, cfg.Timeout = secret(password), 500*time.Millisecond
	o, err := New(cfg)
	if err != nil {
		x.t.Fatal(err)
	}
	return o
}

func (x *target) Probe() fleet.Probe { return x.make("secret-of-admin") }
func (x *target) Mute(on bool)       { x.muted.Store(on) }
func (x *target) Garble(on bool)     { x.garble.Store(on) }
func (x *target) Restart()           { x.cloud.RevokeTokens() }
func (x *target) Stop()              { _ = x.cloud.Close() }

func TestSuite(t *testing.T) {
	probetest.Suite{
		Start:    startTarget,
		Table:    fleet.TableInstances,
		Patience: 2 * time.Second,
		WrongSecret: func(_ *testing.T, at probetest.Target) fleet.Probe {
			return at.(*target).make("wrong")
		},
	}.Run(t)
}
