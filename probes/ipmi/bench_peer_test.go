package ipmi

import (
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/internal/benchline"
)

// pollAll runs fast polls with every probe at once, as the scheduler does, and
// returns the CPU time of one.
func pollAll(t *testing.T, probes []*BMC) time.Duration {
	const polls = 10
	var all sync.WaitGroup
	began := benchline.CPU()
	for _, p := range probes {
		all.Go(func() {
			for range polls {
				if o, err := p.Observe(t.Context(), fleet.LaneFast); err != nil || o.Err != nil {
					t.Errorf("%v, %v", err, o.Err)
				}
			}
		})
	}
	all.Wait()
	return (benchline.CPU() - began) / time.Duration(polls*len(probes))
}

// TestPeerBench prints what a poll of 24 analogue and 4 state sensors costs
// us and what it costs FreeIPMI's ipmi-sensors with a warm cache, in CPU
// time, both reading the same ipmi_sim in turn. It measures; it fails only
// when it cannot.
func TestPeerBench(t *testing.T) {
	if testing.Short() {
		t.Skip("a measurement: not with -short")
	}
	tool, err := exec.LookPath("ipmi-sensors")
	if err != nil {
		if tool, err = exec.LookPath("/usr/sbin/ipmi-sensors"); err != nil {
			t.Skip("install freeipmi-tools")
		}
	}
	s := startSim(t, 31028)
	var probes []*BMC
	for range 8 {
		probes = append(probes, s.probe("ADMIN", "ADMIN"))
		well(t, look(t, probes[len(probes)-1], fleet.LaneSlow))
	}
	cache := t.TempDir()
	theirs := func() time.Duration {
		cmd := exec.Command(tool, "-D", "LAN_2_0", "-h", "127.0.0.1:"+strconv.Itoa(s.port), "-u", "ADMIN", "-p", "ADMIN", "-I", "3", "-l", "user", "-W", "opensesspriv", "--sdr-cache-directory="+cache)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("ipmi-sensors: %v\n%s", err, out)
		}
		return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	theirs() // fills its cache
	benchline.Print(benchline.Median(3, func() []benchline.Line {
		return []benchline.Line{{Bench: "ipmi-poll-24", Value: ms(pollAll(t, probes)), Unit: "cpu_ms/poll", Peer: "ipmi-sensors", PeerValue: ms(theirs()), Goal: 1}}
	})...)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
