package snmp

import (
	"errors"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

const apc = "1.3.6.1.4.1.318.1.1."

// apcOutlets are two outlets that are on, in both generations' tables.
func apcOutlets() []object {
	var list []object
	for _, n := range []string{".1", ".2"} {
		list = append(list, obj(apc+"12.3.3.1.1.4"+n, 1), obj(apc+"12.3.4.1.1.6"+n, 5), obj(apc+"12.3.5.1.1.4"+n, 1), obj(apc+"12.3.5.1.1.5"+n, 2),
			obj(apc+"26.9.2.1.1.7"+n, 0), obj(apc+"26.9.2.3.1.5"+n, 2), obj(apc+"26.9.2.3.1.6"+n, 2), obj(apc+"26.9.2.4.1.5"+n, 1))
	}
	return append(list, obj(apc+"26.2.1.8.1", "AP8641"), obj(apc+"26.2.1.9.1", "3F34"))
}

// apcPDU follows its commands; a reboot is on again when it was seen off once.
func apcPDU(t *testing.T) *fakeAgent {
	f := newFake(t, sorted(append(switchTree(1, "pdu"), apcOutlets()...))...)
	state, command := parseOID(apc+"26.9.2.3.1.5.2"), parseOID(apc+"26.9.2.4.1.5.2")
	f.wrote = func(q fakeRequest) {
		if isSet(q, command) {
			f.write(state, integer(map[int]int64{immediateOn: 2, immediateOff: 1, immediateReboot: 1}[q.values[0].small()]))
		}
	}
	f.on = func(q fakeRequest, answer []byte) [][]byte {
		if f.get(command).value.small() == immediateReboot && q.kind == pduGet && q.names[0].compare(state) == 0 {
			f.write(state, integer(2))
		}
		return [][]byte{answer}
	}
	return f
}

func actOutlet(t *testing.T, f *fakeAgent, kind fleet.ActionKind, number, serial string) (fleet.Outcome, error) {
	t.Helper()
	return agentOf(t, f, quick).Act(deadline(t, 5*time.Second), fleet.Action{Kind: kind, Target: "sw1/" + number, Serial: serial})
}

func TestOutlets(t *testing.T) {
	f := apcPDU(t)
	for _, c := range []struct {
		kind          fleet.ActionKind
		sets          int
		before, after string
		err           error
	}{
		{fleet.ActOutletOn, 0, "on", "on", nil},
		{fleet.ActOutletCycle, 1, "on", "on", nil},
		{fleet.ActOutletOff, 2, "on", "off", nil},
		{fleet.ActOutletOff, 2, "off", "off", nil},
		{fleet.ActOutletCycle, 2, "off", "off", fleet.ErrUnsupported},
		{fleet.ActOutletOn, 3, "off", "on", nil},
	} {
		out, err := actOutlet(t, f, c.kind, "2", "3F34")
		if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) || out.Done != (c.err == nil) || out.Before != c.before || out.After != c.after || f.setRequests() != c.sets {
			t.Errorf("%s: %+v, %v after %d sets", c.kind, out, err, f.setRequests())
		}
	}
	if f.raw(apc+"12.3.3.1.1.4.2") != "\x01" {
		t.Error("the older table was written too")
	}
	o := observe(t, agentOf(t, f), fleet.LaneFast)
	if len(o.Outlets) != 2 || o.Outlets[1].State != "on" {
		t.Errorf("%+v", o.Outlets)
	}
}

// TestOlderOutlets: a PDU of the AP7000 series has the one table only.
func TestOlderOutlets(t *testing.T) {
	f := newFake(t, sorted(append(switchTree(1, "pdu"), apcOutlets()[:4]...))...)
	f.wrote = func(fakeRequest) { f.write(parseOID(apc+"12.3.5.1.1.4.1"), integer(2)) }
	out, err := actOutlet(t, f, fleet.ActOutletOff, "1", "")
	if err != nil || !out.Done || out.After != "off" || f.raw(apc+"12.3.3.1.1.4.1") != "\x02" {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestOutletRefused(t *testing.T) {
	for name, c := range map[string]struct {
		number, serial string
		change         func(f *fakeAgent)
		err            error
	}{
		"another PDU":      {"2", "3F35", nil, ErrIdentity},
		"no such outlet":   {"3", "3F34", nil, fleet.ErrUnsupported},
		"no number":        {"eth0", "3F34", nil, fleet.ErrUnsupported},
		"zero":             {"0", "", nil, fleet.ErrUnsupported},
		"command waits":    {"2", "", func(f *fakeAgent) { f.write(parseOID(apc+"26.9.2.3.1.6.2"), integer(1)) }, fleet.ErrBusy},
		"metered, no more": {"2", "", func(f *fakeAgent) { f.tree = sorted(append(switchTree(1, "pdu"), obj(apc+"26.9.4.3.1.5.2", 2))) }, fleet.ErrUnsupported},
		"not our right": {"2", "", func(f *fakeAgent) {
			f.refuse = func(q fakeRequest) errorStatus {
				if q.kind == pduSet {
					return 6
				}
				return statusOK
			}
		}, fleet.ErrAuth},
	} {
		t.Run(name, func(t *testing.T) {
			f := apcPDU(t)
			if c.change != nil {
				c.change(f)
			}
			out, err := actOutlet(t, f, fleet.ActOutletOff, c.number, c.serial)
			if !errors.Is(err, c.err) || out.Done || f.setRequests() != 0 {
				t.Errorf("%+v, %v after %d sets", out, err, f.setRequests())
			}
		})
	}
}

// TestOutletFalseSuccess: the PDU says yes and switches nothing. After a lost
// answer the same is a failure.
func TestOutletFalseSuccess(t *testing.T) {
	f := apcPDU(t)
	f.wrote = nil
	out, err := actOutlet(t, f, fleet.ActOutletOff, "2", "")
	if err != nil || !out.Done || out.After != "on" || !strings.Contains(out.Text, "still on") {
		t.Errorf("%+v, %v", out, err)
	}
	f = apcPDU(t)
	f.wrote = nil
	f.on = func(q fakeRequest, answer []byte) [][]byte {
		if q.kind == pduSet {
			return nil
		}
		return [][]byte{answer}
	}
	out, err = actOutlet(t, f, fleet.ActOutletOff, "2", "")
	if !errors.Is(err, fleet.ErrTimeout) || out.Done || out.After != "on" || f.setRequests() != 1 {
		t.Errorf("%+v, %v after %d sets", out, err, f.setRequests())
	}
}

// TestOutletComesBackLater: a reboot that takes longer than an action may is
// told as under way.
func TestOutletComesBackLater(t *testing.T) {
	f := apcPDU(t)
	f.on = nil
	f.write(parseOID(apc+"26.9.2.1.1.7.2"), integer(60))
	out, err := actOutlet(t, f, fleet.ActOutletCycle, "2", "")
	if err != nil || !out.Done || out.After != "off" || !strings.Contains(out.Text, "off for 1m0s") {
		t.Errorf("%+v, %v", out, err)
	}
}
