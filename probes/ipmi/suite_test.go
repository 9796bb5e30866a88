package ipmi

import (
	"context"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/probes/probetest"
)

// fakeTarget lends the fake BMC to the suite of all probes.
type fakeTarget struct{ *fakeBMC }

func (f fakeTarget) Probe() fleet.Probe {
	return f.probe(func(c *Config) { c.Timeout = 100 * time.Millisecond })
}
func (f fakeTarget) Mute(yes bool) { f.silent.Store(yes) }
func (f fakeTarget) Restart()      { f.restart() }
func (f fakeTarget) Stop()         { f.conn.Close() }

func (f fakeTarget) Garble(yes bool) {
	f.set(func() {
		f.mangle = nil
		if yes {
			f.mangle = func(_ payload, b []byte) [][]byte {
				for i := 4; i < len(b); i++ {
					b[i] ^= byte(31 * i)
				}
				return [][]byte{b}
			}
		}
	})
}

func TestSuite(t *testing.T) {
	probetest.Suite{
		Start:    func(t *testing.T) probetest.Target { return fakeTarget{startFake(t)} },
		Table:    fleet.TableSensors,
		Patience: 3 * time.Second,
		WrongSecret: func(_ *testing.T, target probetest.Target) fleet.Probe {
			return target.(fakeTarget).probe(func(c *Config) {
				c.Password = func(context.Context) (string, error) { return "wrong", nil }
			})
		},
	}.Run(t)
}
