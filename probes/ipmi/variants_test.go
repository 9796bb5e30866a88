package ipmi

import (
	"strings"
	"testing"

	"plumb/fleet"
)

// A BMC without a repository has device SDRs (section 35).
func TestDeviceSDRs(t *testing.T) {
	f := startFake(t)
	f.on = func(fn netFn, cmd uint8, data []byte) (completion, []byte, bool) {
		switch {
		case fn == fnApp && cmd == 0x01:
			return 0, []byte{0x20, 0x81, 2, 0x35, 2, 0x01, 0x7c, 0x2a, 0, 2, 15}, true
		case fn == fnSensor && cmd == 0x20:
			return 0, []byte{3, 1}, true
		case fn == fnSensor && cmd == 0x21:
			code, out := f.getSDR(data)
			return code, out, true
		case fn == fnStorage && cmd < 0x30:
			return ccInvalidCommand, nil, true
		}
		return 0, nil, false
	}
	o := well(t, look(t, f.probe(), fleet.LaneFast))
	if len(o.Sensors) != 3 || o.Tables[fleet.TableSensors] != fleet.Complete {
		t.Errorf("%d sensors, %v", len(o.Sensors), o.Tables[fleet.TableSensors])
	}
}

func TestNoSDRsAtAll(t *testing.T) {
	f := startFake(t)
	f.on = func(fn netFn, cmd uint8, _ []byte) (completion, []byte, bool) {
		return ccInvalidCommand, nil, fn == fnStorage
	}
	o := well(t, look(t, f.probe(), fleet.LaneTables))
	if o.Tables[fleet.TableSensors] != fleet.Absent || o.Tables[fleet.TableEvents] != fleet.Absent || o.Facts.Get(fleet.FactPower) != "on" {
		t.Errorf("%v, power %q", o.Tables, o.Facts.Get(fleet.FactPower))
	}
}

// A repository without records is complete: there are none.
func TestEmptyRepository(t *testing.T) {
	f := startFake(t, func(f *fakeBMC) { f.sdrs = nil })
	o := well(t, look(t, f.probe(), fleet.LaneFast))
	if o.Tables[fleet.TableSensors] != fleet.Complete || len(o.Sensors) != 0 {
		t.Errorf("%v, %d sensors", o.Tables[fleet.TableSensors], len(o.Sensors))
	}
}

// Non-linear sensors have factors for each raw byte; they are asked once.
func TestNonLinear(t *testing.T) {
	f := startFake(t, func(f *fakeBMC) { f.sdrs[0][23] = 0x70 })
	f.on = func(fn netFn, cmd uint8, data []byte) (completion, []byte, bool) {
		return 0, []byte{0, 3, 0, 0, 0, 0, 0}, fn == fnSensor && cmd == 0x23
	}
	b := f.probe()
	for range 2 {
		o := well(t, look(t, b, fleet.LaneFast))
		if o.Sensors[0].Value != fleet.Int(60) || o.Sensors[1].Value != fleet.Int(21) {
			t.Errorf("%v %v", o.Sensors[0].Value, o.Sensors[1].Value)
		}
	}
	if n := f.count(fnSensor, 0x23); n != 1 {
		t.Errorf("factors were asked %d times", n)
	}
}

func TestOtherControllers(t *testing.T) {
	f := startFake(t, func(f *fakeBMC) { f.sdrs[1][5] = 0x2c })
	o := well(t, look(t, f.probe(), fleet.LaneFast))
	if s := o.Sensors[1]; s.State != fleet.StateUnknown || s.Value.Known || s.Key != "2c.0.02" || !strings.Contains(s.Text, "another controller") {
		t.Errorf("%+v %+v", s, s.SensorDef)
	}
	o = well(t, look(t, f.probe(func(c *Config) { c.Quirks = []string{"assumebmcowner"} }), fleet.LaneFast))
	if s := o.Sensors[1]; s.Value != fleet.Int(21) || s.State != fleet.StateOK {
		t.Errorf("with the quirk: %+v", s)
	}
}

func TestIgnoreScanningDisabled(t *testing.T) {
	f := startFake(t, func(f *fakeBMC) { f.readings[1] = []byte{33, 0, 0} })
	o := well(t, look(t, f.probe(), fleet.LaneFast))
	if o.Sensors[0].State != fleet.StateUnknown || o.Sensors[0].Value.Known {
		t.Errorf("%+v", o.Sensors[0])
	}
	o = well(t, look(t, f.probe(func(c *Config) { c.Quirks = []string{"ignorescanningdisabled"} }), fleet.LaneFast))
	if o.Sensors[0].State != fleet.StateOK || o.Sensors[0].Value != fleet.Int(33) {
		t.Errorf("with the quirk: %+v", o.Sensors[0])
	}
}

// A message whose checksum is wrong is dropped, and taken with the quirk.
func TestNoChecksumCheck(t *testing.T) {
	c := command{fn: fnApp, cmd: 1, op: "get device id"}
	msg := []byte{addrConsole, 0x1c, 0, addrBMC, 1 << 2, 1, 0, 9, 0x55}
	msg[2] = checksum(msg[:2])
	if _, err := parseMessage(msg, c, 1, false); err == nil {
		t.Error("a wrong checksum is taken")
	}
	if a, err := parseMessage(msg, c, 1, true); err != nil || len(a.data) != 1 || a.data[0] != 9 {
		t.Errorf("%+v, %v", a, err)
	}
	msg[8] = checksum(msg[3:8])
	for name, other := range map[string]command{"function": {fn: fnChassis, cmd: 1}, "command": {fn: fnApp, cmd: 2}} {
		if _, err := parseMessage(msg, other, 1, false); err == nil {
			t.Errorf("an answer to another %s is taken", name)
		}
	}
	if _, err := parseMessage(msg, c, 2, false); err == nil {
		t.Error("an answer to another request is taken")
	}
}

// A firmware update changes the device id: the identity is read again.
func TestFirmwareUpdate(t *testing.T) {
	f := startFake(t)
	minor := byte(0x35)
	f.on = func(fn netFn, cmd uint8, _ []byte) (completion, []byte, bool) {
		return 0, []byte{0x20, 1, 2, minor, 2, 0xbf, 0x7c, 0x2a, 0, 2, 15}, fn == fnApp && cmd == 0x01
	}
	b := f.probe()
	well(t, look(t, b, fleet.LaneSlow))
	f.set(func() { minor = 0x36 })
	f.restart() // an update restarts the BMC
	if o := well(t, look(t, b, fleet.LaneFast)); o.Facts.Get(fleet.FactFirmware) != "2.36" {
		t.Errorf("firmware %q", o.Facts.Get(fleet.FactFirmware))
	}
}

// Another machine at the same address: nothing of the old one is shown.
func TestReplacedMachine(t *testing.T) {
	f := startFake(t)
	b := f.probe()
	old := well(t, look(t, b, fleet.LaneSlow))
	f.set(func() {
		f.guid = [16]byte{15: 0x43}
		f.fru = []byte{}
		f.sdrs = f.sdrs[:1]
	})
	f.restart()
	o := well(t, look(t, b, fleet.LaneFast))
	if o.Facts.Get(fleet.FactSerial) != "" || o.Facts.Get(fleet.FactGUID) == old.Facts.Get(fleet.FactGUID) || len(o.Sensors) != 1 {
		t.Errorf("serial %q, guid %q, %d sensors", o.Facts.Get(fleet.FactSerial), o.Facts.Get(fleet.FactGUID), len(o.Sensors))
	}
}
