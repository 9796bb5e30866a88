package ipmi

import (
	"strings"
	"testing"

	"plumb/fleet"
	"plumb/probes/probetest"
)

func TestRecordThatLinksToItself(t *testing.T) {
	probetest.NoLeaks(t)
	f := startFake(t)
	f.on = func(fn netFn, cmd uint8, data []byte) (completion, []byte, bool) {
		if fn == fnStorage && cmd == 0x23 && data[2] == 2 {
			return 0, append([]byte{2, 0}, f.sdrs[1]...), true
		}
		return 0, nil, false
	}
	o := well(t, look(t, f.probe(), fleet.LaneFast))
	if len(o.Sensors) != 2 || o.Tables[fleet.TableSensors] != fleet.Partial {
		t.Errorf("%d sensors, %v", len(o.Sensors), o.Tables[fleet.TableSensors])
	}
}

// A record of 251 bytes, one cut short, one of an unknown type: each costs
// itself only.
func TestOddRecords(t *testing.T) {
	long := append(fullSDR(50, 50, "Long"), make([]byte, 256)...)[:sdrHeaderSize+251]
	long[4] = 251
	cut := fullSDR(51, 51, "Cut")[:20]
	cut[4] = 15
	odd := fullSDR(52, 52, "Odd")
	odd[3] = 0x77
	f := startFake(t, func(f *fakeBMC) {
		f.sdrs = append([][]byte{long, cut, odd}, f.sdrs...)
		f.readings[50] = []byte{33, 0x40, 0}
	})
	o := well(t, look(t, f.probe(), fleet.LaneFast))
	if len(o.Sensors) != 4 || o.Sensors[0].Name != "Long" || o.Tables[fleet.TableSensors] != fleet.Partial {
		t.Errorf("%d sensors, %v", len(o.Sensors), o.Tables[fleet.TableSensors])
	}
}

// A BMC that cannot send whole records is read in pieces, with reservations
// that get lost.
func TestRecordsInPieces(t *testing.T) {
	f := startFake(t)
	reads := 0
	f.on = func(fn netFn, cmd uint8, data []byte) (completion, []byte, bool) {
		if fn != fnStorage || cmd != 0x23 {
			return 0, nil, false
		}
		if reads++; reads%7 == 0 && data[4] > 0 {
			return ccReservation, nil, true
		}
		return ccTooMany, nil, data[5] > 16
	}
	o := well(t, look(t, f.probe(), fleet.LaneFast))
	if len(o.Sensors) != 3 || o.Tables[fleet.TableSensors] != fleet.Complete {
		t.Errorf("%d sensors, %v", len(o.Sensors), o.Tables[fleet.TableSensors])
	}
}

func TestMalformedFRU(t *testing.T) {
	good := testFRU()
	for name, fru := range map[string][]byte{
		"empty":            {},
		"three bytes":      {1, 0, 0},
		"bad checksum":     append([]byte{1, 0, 0, 1, 9, 0, 0, 0}, good[8:]...),
		"all ff":           []byte(strings.Repeat("\xff", 256)),
		"area behind end":  {1, 0, 0, 0xff, 0xff, 0, 0, 1},
		"no end of fields": append(append([]byte(nil), good[:16]...), []byte(strings.Repeat("\x7f", 200))...),
	} {
		t.Run(name, func(t *testing.T) {
			f := startFake(t, func(f *fakeBMC) { f.fru = fru })
			b := f.probe()
			o := well(t, look(t, b, fleet.LaneSlow))
			if len(o.Sensors) != 3 || o.Facts.Get(fleet.FactFirmware) != "2.35" {
				t.Errorf("%d sensors, firmware %q", len(o.Sensors), o.Facts.Get(fleet.FactFirmware))
			}
			reads := f.count(fnStorage, 0x10)
			if well(t, look(t, b, fleet.LaneFast)); f.count(fnStorage, 0x10) != reads {
				t.Error("the fast lane reads it again and again")
			}
		})
	}
}

// Escape codes in names reach nobody.
func TestDeviceTextIsClean(t *testing.T) {
	f := startFake(t, func(f *fakeBMC) { f.sdrs[0] = fullSDR(1, 1, "\x1b[31mA\x07\u202e") })
	o := well(t, look(t, f.probe(), fleet.LaneFast))
	if name := o.Sensors[0].Name; strings.ContainsAny(name, "\x1b\x07") || !strings.Contains(name, "A") {
		t.Errorf("%q", name)
	}
}
