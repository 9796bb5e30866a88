package sim

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"testing"
)

// TestServeChild is the simulators' process of TestLoad: it serves the default
// fleet until its standard input ends.
func TestServeChild(t *testing.T) {
	dir := os.Getenv("PLUMB_SIM_DIR")
	if dir == "" {
		t.Skip("runs only as a process of TestLoad")
	}
	f := startFleet(t, Options{Dir: dir, Fault: os.Getenv("PLUMB_SIM_FAULT")})
	var b strings.Builder
	for _, a := range f.bmcAddr {
		fmt.Fprintln(&b, a)
	}
	for _, a := range f.snmpAddr {
		fmt.Fprintln(&b, a)
	}
	fmt.Fprintln(&b, f.cloud.Addr())
	if err := replace(dir+"/addresses", []byte(b.String())); err != nil {
		t.Fatal(err)
	}
	fmt.Println("serving")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func (f *Fleet) readAddresses(t *testing.T, text string) {
	t.Helper()
	lines := strings.Fields(text)
	for i, line := range lines[:len(lines)-1] {
		a, err := netip.ParseAddrPort(line)
		if err != nil {
			t.Fatal(err)
		}
		if i < len(f.World.Servers) {
			f.bmcAddr = append(f.bmcAddr, a)
		} else {
			f.snmpAddr = append(f.snmpAddr, a)
		}
	}
	f.cloudURL = "http://" + lines[len(lines)-1] + "/v3"
}
