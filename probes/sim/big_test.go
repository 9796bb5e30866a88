package sim

import (
	"testing"
	"time"
)

// The largest fleet finds its ports and starts in seconds.
func TestLargestFleet(t *testing.T) {
	if testing.Short() {
		t.Skip("short: it opens 5,000 sockets")
	}
	began := time.Now()
	f := startFleet(t, Options{Racks: 200, Fault: "none"})
	t.Logf("%d servers, %d agents in %v", len(f.bmcAddr), len(f.snmpAddr), time.Since(began))
	if len(f.bmcAddr) != 192*18 || len(f.snmpAddr) != 2*200+2*25+2*200+2*25 {
		t.Errorf("%d servers, %d agents", len(f.bmcAddr), len(f.snmpAddr))
	}
	began = time.Now()
	b, err := f.ConfigYAML()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes of configuration in %v", len(b), time.Since(began))
}
