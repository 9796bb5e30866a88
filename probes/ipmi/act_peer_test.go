package ipmi

import (
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"plumb/fleet"
)

// peerAct carries out one action on the sim.
func peerAct(t *testing.T, s *sim, b *BMC, kind fleet.ActionKind, args map[string]string) (fleet.Outcome, error) {
	t.Helper()
	out, err := b.Act(t.Context(), fleet.Action{Kind: kind, Target: "s01", Serial: fmt.Sprintf("SN%05d", s.port), Args: args})
	t.Logf("%s %v: %+v, %v", kind, args, out, err)
	return out, err
}

// ipmitool says what the next start boots from.
func TestPeerBootOnce(t *testing.T) {
	s := startSim(t, 31030)
	b := s.probe("ADMIN", "ADMIN")
	selector := regexp.MustCompile(`Boot Device Selector : (.*)`)
	for _, c := range []struct{ from, tool string }{
		{"pxe", "Force PXE"}, {"disk", "Force Boot from default Hard-Drive"}, {"cdrom", "Force Boot from CD/DVD"}, {"bios", "Force Boot into BIOS Setup"}, {"none", "No override"},
	} {
		out, err := peerAct(t, s, b, fleet.ActBootOnce, map[string]string{"from": c.from})
		if err != nil || !out.Done || out.After != c.from {
			t.Errorf("%s: %+v, %v", c.from, out, err)
		}
		said := s.tool("chassis", "bootparam", "get", "5")
		if m := selector.FindStringSubmatch(said); m == nil || m[1] != c.tool {
			t.Errorf("%s: ipmitool says\n%s", c.from, said)
		}
		if !strings.Contains(said, "only next boot") { // the sim keeps no valid bit, ipmitool's own neither
			t.Errorf("%s: ipmitool says\n%s", c.from, said)
		}
	}
}

func TestPeerSELClear(t *testing.T) {
	s := startSim(t, 31032)
	b := s.probe("ADMIN", "ADMIN")
	well(t, look(t, b, fleet.LaneTables))
	s.ctl("set", "CPU1 Temp", "97", "--event")
	if out, err := peerAct(t, s, b, fleet.ActSELClear, nil); !errors.Is(err, fleet.ErrUnsupported) || out.Done {
		t.Errorf("with an unread record: %+v, %v", out, err)
	}
	if !strings.Contains(s.tool("sel", "list"), "Temperature") {
		t.Error("the record is gone")
	}
	well(t, look(t, b, fleet.LaneTables))
	if out, err := peerAct(t, s, b, fleet.ActSELClear, nil); err != nil || !out.Done || out.After != logEmpty {
		t.Errorf("%+v, %v", out, err)
	}
	if said := s.tool("sel", "info"); !regexp.MustCompile(`Entries +: [01]\n`).MatchString(said) {
		t.Errorf("ipmitool says\n%s", said)
	}
}

// A user that was disabled cannot log in any more, says ipmitool; ours can.
func TestPeerUserOff(t *testing.T) {
	s := startSim(t, 31034)
	b := s.probe("ADMIN", "ADMIN")
	login := func(user, password string) error {
		return exec.Command("ipmitool", "-I", "lanplus", "-C", "3", "-L", "USER", "-R", "1", "-N", "1", "-H", "127.0.0.1", "-p", fmt.Sprint(s.port), "-U", user, "-P", password, "mc", "info").Run()
	}
	list := s.tool("user", "list", "1")
	t.Logf("%s", list)
	slot := regexp.MustCompile(`(?m)^(\d+) +mon `).FindStringSubmatch(list)
	own := regexp.MustCompile(`(?m)^(\d+) +ADMIN `).FindStringSubmatch(list)
	if slot == nil || own == nil {
		t.Fatalf("no users in\n%s", list)
	}
	if err := login("mon", "monpw"); err != nil {
		t.Fatalf("before: %v", err)
	}
	if out, err := peerAct(t, s, b, fleet.ActUserOff, map[string]string{"slot": slot[1]}); err != nil || !out.Done {
		t.Errorf("%+v, %v", out, err)
	}
	if err := login("mon", "monpw"); err == nil {
		t.Error("mon logs in all the same")
	}
	if out, err := peerAct(t, s, b, fleet.ActUserOff, map[string]string{"slot": own[1]}); !errors.Is(err, fleet.ErrUnsupported) || out.Done {
		t.Errorf("our own: %+v, %v", out, err)
	}
	if err := login("ADMIN", "ADMIN"); err != nil {
		t.Errorf("our own: %v", err)
	}
}

// ipmitool tells what became of a suite. The sim lists all but suite 0, which it
// has open on purpose.
func TestPeerCipherOff(t *testing.T) {
	s := startSim(t, 31036)
	b := s.probe("ADMIN", "ADMIN")
	for _, c := range []struct {
		suite string
		done  bool
		tool  string
	}{{"1", true, "Xaaaaaaaaaaaaaa"}, {"8", true, "XaaaaaaXaaaaaaa"}, {"3", false, "XaaaaaaXaaaaaaa"}, {"0", false, "XaaaaaaXaaaaaaa"}} {
		out, err := peerAct(t, s, b, fleet.ActCipherOff, map[string]string{"suite": c.suite})
		if (err == nil) != c.done || out.Done != c.done {
			t.Errorf("%s: %+v, %v", c.suite, out, err)
		}
		said := s.tool("lan", "print", "1")
		if m := regexp.MustCompile(`Cipher Suite Priv Max +: (\w+)`).FindStringSubmatch(said); m == nil || m[1] != c.tool {
			t.Errorf("%s: ipmitool says\n%s", c.suite, said)
		}
	}
}

// Set LAN Configuration Parameters 24 for several suites at once, and what takes
// it back: ipmitool reads each limit as it was written and those beside it as
// they were, and gets in by a suite before it is closed and after, and not while.
func TestPeerCipherSet(t *testing.T) {
	s := startSim(t, 31046)
	b := s.probe("ADMIN", "ADMIN")
	limits := func() string {
		t.Helper()
		m := regexp.MustCompile(`Cipher Suite Priv Max +: (\w+)`).FindStringSubmatch(s.tool("lan", "print", "1"))
		if m == nil {
			t.Fatal("ipmitool tells no limits")
		}
		return m[1]
	}
	login := func(suite string) error {
		return exec.Command("ipmitool", "-I", "lanplus", "-C", suite, "-L", "USER", "-R", "1", "-N", "1", "-H", "127.0.0.1", "-p", fmt.Sprint(s.port), "-U", "ADMIN", "-P", "ADMIN", "mc", "info").Run()
	}
	before := limits()
	if err := login("1"); err != nil {
		t.Errorf("by suite 1, before: %v", err)
	}
	off, err := peerAct(t, s, b, fleet.ActCipherOff, map[string]string{"suite": "1 8 12"})
	if is := limits(); err != nil || !off.Done || is != "XaaaaaaXaaaXaaa" {
		t.Fatalf("closed: %+v, %v; ipmitool says %s", off, err, is)
	}
	if login("1") == nil {
		t.Error("suite 1 lets in all the same")
	}
	for _, c := range []struct{ limits, tool string }{
		{"1=user 8=none", "uaaaaaaXaaaXaaa"},
		{"1=operator 8=callback 12=user", "oaaaaaacaaauaaa"},
		{off.Before, before},
	} {
		out, err := peerAct(t, s, b, fleet.ActCipherSet, map[string]string{"limits": c.limits})
		if is := limits(); err != nil || !out.Done || is != c.tool {
			t.Errorf("%s: %+v, %v; ipmitool says %s, want %s", c.limits, out, err, is, c.tool)
		}
	}
	for _, bad := range []string{"0=user", "3=none", "1=emperor"} {
		if out, err := peerAct(t, s, b, fleet.ActCipherSet, map[string]string{"limits": bad}); err == nil || out.Done || limits() != before {
			t.Errorf("%s: %+v, %v", bad, out, err)
		}
	}
	for _, suite := range []string{"1", "3"} {
		if err := login(suite); err != nil {
			t.Errorf("by suite %s, after: %v", suite, err)
		}
	}
}

// What a BMC without a cold reset says is told, and nothing else happens.
func TestPeerBMCReset(t *testing.T) {
	s := startSim(t, 31038)
	b := s.probe("ADMIN", "ADMIN")
	well(t, look(t, b, fleet.LaneFast))
	out, err := peerAct(t, s, b, fleet.ActBMCReset, nil)
	if !errors.Is(err, fleet.ErrUnsupported) || out.Done || !strings.Contains(out.Text, "refused") {
		t.Errorf("%+v, %v", out, err)
	}
	well(t, look(t, b, fleet.LaneFast))
}
