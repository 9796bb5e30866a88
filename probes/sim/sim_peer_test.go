package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// Twenty devices of the default fleet, chosen at random, read without
// complaint by strangers' clients.
func TestPeerStrangersReadTwenty(t *testing.T) {
	if os.Getenv("PLUMB_PEERS") == "" {
		t.Skip("PLUMB_PEERS is not set: strangers' clients are asked by make peers only")
	}
	for _, tool := range []string{"ipmitool", "snmpbulkwalk"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed: apt-get install ipmitool snmp", tool)
		}
	}
	f := startFleet(t, Options{Fault: "none"})
	w := f.World
	gate := make(chan struct{}, 2)
	var wg sync.WaitGroup
	ask := func(name, want string, args ...string) {
		gate <- struct{}{}
		wg.Go(func() {
			defer func() { <-gate }()
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, args[0], args[1:]...)
			cmd.Env = append(os.Environ(), "MIBS=")
			out, err := cmd.CombinedOutput()
			text := string(out)
			if err != nil || !strings.Contains(text, want) {
				t.Errorf("%s: %v: no %q in the %d bytes of %s", name, err, want, len(text), strings.Join(args[:2], " "))
			}
			for _, bad := range []string{"Timeout", "not increasing", "Error:", "Error in", "error:", "failed", "Wrong"} {
				if strings.Contains(text, bad) {
					t.Errorf("%s: %q in\n%.400s", name, bad, text)
				}
			}
		})
	}
	for range 12 {
		n := rand.IntN(len(w.Servers))
		a := f.bmcAddr[n]
		base := []string{"ipmitool", "-I", "lanplus", "-H", "127.0.0.1", "-p", fmt.Sprint(a.Port()), "-U", readUser, "-P", f.secrets.of("bmc"), "-L", "USER", "-C", "17"}
		ask(w.Servers[n].Name, "Inlet Temp", append(base, "sdr", "elist")...)
		ask(w.Servers[n].Name, "Log area reset", append(base, "sel", "elist")...)
		ask(w.Servers[n].Name, w.Servers[n].Serial, append(base, "fru")...)
	}
	for range 8 {
		i := rand.IntN(len(f.snmpAddr))
		switch pdu, ups := i-len(w.Switches), i-len(w.Switches)-len(w.PDUs); {
		case pdu < 0 && w.Switches[i].Spine:
			name, suite := w.Switches[i].Name, suites[f.spine(i)%len(suites)]
			ask(name, name, "snmpbulkwalk", "-v3", "-l", "authPriv", "-u", readUser, "-a", suite[0], "-A", f.secrets.of(name+"-auth"), "-x", suite[1], "-X", f.secrets.of(name+"-priv"), f.snmpAddr[i].String(), ".1")
		case pdu < 0:
			ask(w.Switches[i].Name, w.Switches[i].Serial, "snmpbulkwalk", "-v2c", "-c", f.secrets.of(w.Switches[i].Name), f.snmpAddr[i].String(), ".1")
		case ups < 0:
			ask(w.PDUs[pdu].Name, w.PDUs[pdu].Serial, "snmpbulkwalk", "-v2c", "-c", f.secrets.of(w.PDUs[pdu].Name), f.snmpAddr[i].String(), ".1")
		default:
			ask(w.UPSes[ups].Name, w.UPSes[ups].Name, "snmpbulkwalk", "-v2c", "-c", f.secrets.of(w.UPSes[ups].Name), f.snmpAddr[i].String(), ".1")
		}
	}
	wg.Wait()
}
