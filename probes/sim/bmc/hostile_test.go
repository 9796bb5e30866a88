package bmc

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/bougou/go-ipmi/pkg/protocol"
	"github.com/bougou/go-ipmi/pkg/types"

	"plumb/probes/sim/world"
)

// killer is 46 bytes: a RAKP message 1 whose name length, 228, makes 28+228
// wrap to 0 in a byte. The reference server dies of it.
func killer() []byte {
	body := make([]byte, 30)
	body[27] = 228
	return protocol.BuildRMCPPlusPacket(uint8(types.PayloadTypeRAKPMessage1), 0, 0, 0, body)
}

func ping() []byte { return []byte{6, 0, 0xff, 6, 0, 0, 0x11, 0xbe, 0x80, 7, 0, 0} }

func authCaps() []byte {
	msg := []byte{0x20, 0x18, 0xc8, 0x81, 0, 0x38, 0x8e, 4, 0}
	msg[8] = protocol.Checksum(msg[3:8])
	return append([]byte{6, 0, 0xff, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, byte(len(msg))}, msg...)
}

func openRequest() []byte {
	body := make([]byte, 32)
	body[1] = 4
	binary.LittleEndian.PutUint32(body[4:], 0xa0a1a2a3)
	copy(body[8:], []byte{0, 0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 8, 4, 0, 0, 0, 2, 0, 0, 8, 1, 0, 0, 0})
	return protocol.BuildRMCPPlusPacket(uint8(types.PayloadTypeRmcpOpenSessionRequest), 0, 0, 0, body)
}

var from = netip.MustParseAddrPort("127.0.0.1:40000")

func quiet(t testing.TB, server int) *Server {
	return New(Config{World: testWorld(t), Server: server, Users: []User{{"plumb", "read-only-1", Reader}}}, nil)
}

func TestKillerPacket(t *testing.T) {
	s := quiet(t, 0)
	if k := killer(); len(k) != 46 || classify(k) != bad {
		t.Errorf("%d bytes, class %d", len(k), classify(k))
	}
	if out := s.answer(killer(), from); out != nil || s.Panics.Load() != 0 {
		t.Errorf("answered %x, %d panics", out, s.Panics.Load())
	}
	if out := s.answer(ping(), from); len(out) != 28 || out[9] != 7 {
		t.Errorf("no pong after it: %x", out)
	}
	if out := s.answer(authCaps(), from); len(out) < 14+8 || out[14+6] != 0 {
		t.Errorf("no capabilities after it: %x", out)
	}
	if out := s.answer(openRequest(), from); len(out) < 52 || out[17] != 0 {
		t.Errorf("no session after it: %x", out)
	}
}

// Behind the check a panic would still stay with its packet.
func TestPanicStaysWithItsPacket(t *testing.T) {
	s := quiet(t, 0)
	s.dev.bmc.Sessions = nil // whatever touches a session now panics
	if out := s.answer(openRequest(), from); out != nil || s.Panics.Load() != 1 {
		t.Errorf("answered %x, %d panics", out, s.Panics.Load())
	}
	if out := s.answer(ping(), from); out == nil {
		t.Error("dead after a panic")
	}
}

// Nobody without a session gets to a command that is not for everyone.
func TestNothingWithoutSession(t *testing.T) {
	s := quiet(t, 0)
	for netFn := 0; netFn < 0x40; netFn += 2 {
		for cmd := range 256 {
			msg := []byte{0x20, byte(netFn << 2), 0, 0x81, 4, byte(cmd), 0xdc, 0, 0, 0, 0, 0, 0, 0}
			msg[2], msg[13] = protocol.Checksum(msg[:2]), protocol.Checksum(msg[3:13])
			out := s.answer(protocol.BuildRMCPPlusPacket(uint8(types.PayloadTypeIPMI), 0, 0, 0, msg), from)
			if len(out) < 23 || out[22] != 0 {
				continue
			}
			if netFn != 6 || cmd != 0x38 && cmd != 0x54 && cmd != 0x39 {
				t.Errorf("netFn %#x command %#x was carried out", netFn, cmd)
			}
		}
	}
	if !s.dev.World.Server(0, time.Now()).On {
		t.Error("it was switched off")
	}
}

func TestSilentBMC(t *testing.T) {
	s := quiet(t, 0)
	list, err := s.dev.World.ParseFaults("bmc-silent@fra1-r01-s01,default-user@fra1-r01-s02", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.dev.World.Inject(list, time.Now()); err != nil {
		t.Fatal(err)
	}
	if out := s.answer(ping(), from); out != nil {
		t.Errorf("a silent BMC answered %x", out)
	}
	other := New(Config{World: s.dev.World, Server: 1}, nil)
	if other.answer(ping(), from) == nil {
		t.Fatal("its neighbour is silent")
	}
	if u, err := other.dev.bmc.Users.GetByName(DefaultUser); err != nil || !u.Enabled {
		t.Errorf("no default user: %v", err)
	}
}

// A BMC that lost its power, or was hung, comes back without its sessions.
func TestSessionsDieWithTheBMC(t *testing.T) {
	now := time.Now()
	w := testWorld(t)
	s := New(Config{World: w, Server: 0, Now: func() time.Time { return now }}, nil)
	if s.answer(openRequest(), from) == nil || s.dev.bmc.Sessions.Count() != 1 {
		t.Fatal("no session")
	}
	for _, outlet := range w.Servers[0].Cords {
		if outlet.PDU >= 0 {
			if err := w.SetOutlet(outlet.PDU, outlet.Outlet, false, now); err != nil {
				t.Fatal(err)
			}
		}
	}
	if s.answer(ping(), from) != nil {
		t.Error("it answers without power")
	}
	now = now.Add(time.Second)
	for _, outlet := range w.Servers[0].Cords {
		if outlet.PDU >= 0 {
			if err := w.SetOutlet(outlet.PDU, outlet.Outlet, true, now); err != nil {
				t.Fatal(err)
			}
		}
	}
	if s.answer(ping(), from) == nil || s.dev.bmc.Sessions.Count() != 0 {
		t.Errorf("%d sessions after a power loss", s.dev.bmc.Sessions.Count())
	}
}

// Every SDR is as long as it says, and its text fits.
func TestRecords(t *testing.T) {
	w := testWorld(t)
	for _, sv := range w.Servers {
		e := encodedModel(sv.Hardware)
		for i, rec := range e.records {
			if len(rec) < 5 || int(rec[4]) != len(rec)-5 || int(binary.LittleEndian.Uint16(rec)) != i+1 {
				t.Fatalf("%s record %d: % x", sv.Model, i+1, rec)
			}
		}
		if n := len(e.sensors); n < 24 || n > 28 {
			t.Errorf("%s has %d sensors", sv.Model, n)
		}
		for _, s := range e.sensors {
			if s.Quantity == world.Discrete {
				continue
			}
			top := 255 * float64(s.m)
			for range -s.exp {
				top /= 10
			}
			if top < s.Nominal*1.2 {
				t.Errorf("%s %s ends at %g", sv.Model, s.Name, top)
			}
		}
	}
	inv := fru(&w.Servers[0])
	if sum(inv[:8]) != 0 || !bytes.Contains(inv, []byte(w.Servers[0].Serial)) {
		t.Errorf("FRU % x", inv)
	}
}

func FuzzAnswer(f *testing.F) {
	w, err := world.New(1, 1, nil, time.Now())
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{killer(), ping(), authCaps(), openRequest(), {6}, make([]byte, 46)} {
		f.Add(seed)
	}
	s := New(Config{World: w, Server: 0, Users: []User{{"plumb", "x", Reader}}}, nil)
	f.Fuzz(func(t *testing.T, pkt []byte) {
		if out := s.answer(pkt, from); len(out) > maxPacket {
			t.Errorf("an answer of %d bytes", len(out))
		}
		if n := s.Panics.Load(); n != 0 {
			t.Errorf("a decoder panicked on %x", pkt)
			s.Panics.Store(0)
		}
	})
}

// A door that a fault opens is shut again when the fault ends.
func TestDoorsOpenAndShut(t *testing.T) {
	now := time.Now()
	w := testWorld(t)
	s := New(Config{World: w, Server: 0, Now: func() time.Time { return now }}, nil)
	list, err := w.ParseFaults("cipher-zero@fra1-r01-s01+10s/60s,default-user@fra1-r01-s01+10s/60s", now)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Inject(list, now); err != nil {
		t.Fatal(err)
	}
	for _, open := range []bool{false, true, false} {
		if s.answer(ping(), from) == nil {
			t.Fatal("it is silent")
		}
		_, err := s.dev.bmc.Users.GetByName(DefaultUser)
		if zero := s.dev.bmc.ResolvedCipherSuites()[0] == 0; zero != open || (err == nil) != open {
			t.Errorf("suite 0 is offered: %v; default user: %v; want %v", zero, err == nil, open)
		}
		now = now.Add(40 * time.Second)
	}
}
