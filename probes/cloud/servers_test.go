package cloud

import (
	"testing"

	"plumb/fleet"
)

// TestStates holds what each of Nova's words means here.
func TestStates(t *testing.T) {
	for _, c := range []struct {
		s    server
		want fleet.State
	}{
		{server{Status: "ACTIVE", PowerState: 1}, fleet.StateOK},
		{server{Status: "ACTIVE", PowerState: 1, HostStatus: "UP"}, fleet.StateOK},
		{server{Status: "ACTIVE", PowerState: 1, HostStatus: "MAINTENANCE"}, fleet.StateOK},
		{server{Status: "ACTIVE", PowerState: 1, HostStatus: "DOWN"}, fleet.StateUnknown},
		{server{Status: "ACTIVE", PowerState: 4}, fleet.StateWarn},
		{server{Status: "ACTIVE", PowerState: 6}, fleet.StateCrit},
		{server{Status: "ERROR"}, fleet.StateCrit},
		{server{Status: "SHUTOFF", HostStatus: "DOWN"}, fleet.StateOff},
		{server{Status: "SHELVED_OFFLOADED"}, fleet.StateOff},
		{server{Status: "REBOOT", PowerState: 1}, fleet.StateWarn},
		{server{Status: "VERIFY_RESIZE", PowerState: 1}, fleet.StateWarn},
		{server{Status: "BUILD"}, fleet.StateUnknown},
		{server{Status: "UNKNOWN"}, fleet.StateUnknown},
		{server{Status: "NEW_WORD"}, fleet.StateUnknown},
		{server{}, fleet.StateUnknown},
	} {
		if got := c.s.state(); got != c.want {
			t.Errorf("%+v is %v, want %v", c.s, got, c.want)
		}
	}
}
