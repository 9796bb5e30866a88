package ipmi

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"plumb/fleet"
)

func FuzzSDR(f *testing.F) {
	f.Add(fullSDR(1, 1, "CPU1 Temp"))
	f.Add(append(fullSDR(2, 2, "x"), make([]byte, 250)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, _, _ := parseSDR(b)
		if len(list) > maxShare {
			t.Fatalf("%d sensors of one record", len(list))
		}
		for _, r := range list {
			s := newSensor(r, 0)
			if !utf8.ValidString(s.def.Name) || s.def.Name == "" {
				t.Fatalf("name %q", s.def.Name)
			}
			for _, q := range []quirks{0, quirkDiscreteReading | quirkIgnoreScanning} {
				r.judge(raw{value: 200, scanning: true, hasStates: true, states: 0xffff}, r.factors, s.def.Limits, q, false)
			}
		}
	})
}

func FuzzFRU(f *testing.F) {
	f.Add(testFRU())
	f.Add([]byte{1, 0, 0, 1, 0, 0, 0, 0xfe})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := parseFRUHeader(b)
		if err != nil {
			h = fruHeader{chassis: 8, board: 8, product: 8}
		}
		var info fruInfo
		for at, add := range map[int]func([]byte){h.chassis: info.addChassis, h.board: info.addBoard, h.product: info.addProduct} {
			add(b[min(at, len(b)):])
		}
		for _, s := range []string{info.serial, info.boardName, info.chassisSerial} {
			if !utf8.ValidString(s) {
				t.Fatalf("%q", s)
			}
		}
	})
}

func FuzzSEL(f *testing.F) {
	f.Add(selEntry(1, 1_700_000_000, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		parseSELInfo(b)
		r, err := parseSEL(b)
		if err != nil {
			return
		}
		if e := r.event("s01", "guid", 1, nil, time.Unix(0, 0)); e.ID == "" || !utf8.ValidString(e.Text) {
			t.Fatalf("%+v", e)
		}
	})
}

// FuzzPacket hands bytes to everything that reads a datagram.
func FuzzPacket(f *testing.F) {
	key := make([]byte, 32)
	for i := range suites {
		s, _ := newSession(&link{}, &handshake{suite: suites[i], console: 1, bmc: 1}, door{}, key, key)
		f.Add(append([]byte(nil), s.seal(putMessage(nil, command{fn: fnApp, cmd: 1}, 1))...))
	}
	f.Add(putV15(nil, []byte{1, 2, 3, 4, 5, 6, 7, 8}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := parsePacket(b); err == nil {
			h := &handshake{suite: suites[0], console: 1}
			if a, err := parseSetup(p.body, 1, 1); err == nil {
				h.takeOpen(a.body)
				if code, ok := h.takeRAKP2(a.body); ok {
					h.identify(code, quirkSupermicro20)
				}
				h.keys(a.body, quirkSupermicro20)
			}
		}
		for i := range suites {
			s, _ := newSession(&link{}, &handshake{suite: suites[i], console: 1, bmc: 1}, door{}, key, key)
			if msg, err := s.unseal(append([]byte(nil), b...)); err == nil {
				parseMessage(msg, command{fn: fnApp, cmd: 1}, 1, true)
			}
		}
		if msg, err := parseV15(b); err == nil {
			parseMessage(msg, command{fn: fnApp, cmd: 1}, 1, false)
		}
		parseReading(b)
		parseDeviceID(b)
		parseChassis(b)
	})
}

// FuzzDoors hands bytes to what reads users, network and doors.
func FuzzDoors(f *testing.F) {
	f.Add([]byte{10, 0x42, 1, 0x14})
	f.Add([]byte{2, 0, 3, 17, 0, 0, 0, 0, 0, 0, 0x44, 0x04, 0, 0, 0, 0, 0, 0}) // suites and their limits
	f.Add([]byte{0, 0x40, 0x04, 0x84, 0x83})
	f.Add([]byte{0xc0, 17, 3, 0x44, 0x81, 0xc1, 1, 2, 3, 4, 5})
	f.Fuzz(func(t *testing.T, b []byte) {
		var texts []string
		if c, err := parseAuthCaps(b); err == nil {
			var facts fleet.Facts
			c.put(&facts)
			for _, x := range facts {
				texts = append(texts, x.Value)
			}
		}
		if a, err := parseUserAccess(b); err == nil {
			if a.slots > maxSlots {
				t.Fatalf("%d slots", a.slots)
			}
			texts = append(texts, a.text(userName(b)))
		}
		for _, p := range lanParams {
			texts = append(texts, p.text(b))
		}
		for _, id := range parseSuites(b) {
			if id < 0 || id > 0xff {
				t.Fatalf("suite %d", id)
			}
		}
		half := len(b) / 2
		texts = append(texts, suiteLimits(len(b), b[:half], b[half:]), bootText(b))
		if table, err := parseSuiteTable(b[:min(1, len(b))], b[:half], b[half:]); err == nil {
			for i, id := range table.ids {
				if one := table.with(map[byte]privilege{id: 0}); len(one) != len(table.limits) || (suiteTable{table.ids, one}).limit(i) != 0 {
					t.Fatalf("suite %d of % x: % x", i, table.limits, one)
				}
			}
		}
		for _, s := range texts {
			if !utf8.ValidString(s) || len(s) > 512 || strings.ContainsAny(s, "\x00\x1b\n\r") {
				t.Fatalf("%q", s)
			}
		}
	})
}
