package snmp

import (
	"testing"
	"time"

	"plumb/fleet"
	"plumb/probes/probetest"
)

// suiteTarget is a fake switch under the control of the suite of all probes.
type suiteTarget struct {
	t *testing.T
	*fakeAgent
}

func (s suiteTarget) Probe() fleet.Probe {
	return agentOf(s.t, s.fakeAgent, func(c *Config) { c.Timeout = 700 * time.Millisecond })
}

func (s suiteTarget) Mute(on bool) {
	s.answerWith(on, func(fakeRequest, []byte) [][]byte { return nil })
}

func (s suiteTarget) Garble(on bool) {
	s.answerWith(on, func(q fakeRequest, answer []byte) [][]byte {
		for i := range answer {
			answer[i] ^= byte(i + q.n)
		}
		return [][]byte{answer}
	})
}

func (s suiteTarget) answerWith(on bool, how func(fakeRequest, []byte) [][]byte) {
	s.set(func() {
		s.on = nil
		if on {
			s.on = how
		}
	})
}

// Restart: a v2c agent knows nothing of its clients but its own uptime.
func (s suiteTarget) Restart() {
	s.set(func() { s.tree = switchTree(1, "sw1", ports48()...) })
}

func (s suiteTarget) Stop() { s.sock.Close() }

func TestProbeSuite(t *testing.T) {
	probetest.Suite{
		Start: func(t *testing.T) probetest.Target {
			return suiteTarget{t, newFake(t, switchTree(1000, "sw1", ports48()...)...)}
		},
		Table:    fleet.TablePorts,
		Patience: 5 * time.Second,
	}.Run(t)
}
