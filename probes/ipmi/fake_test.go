package ipmi

import (
	"context"
	"encoding/binary"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// fakeBMC speaks RMCP+ byte by byte, so that a test can make it lie at any
// point. What it serves stands in its fields; on, where set, answers a
// command before the fake does.
type fakeBMC struct {
	t    testing.TB
	conn *net.UDPConn

	mu       sync.Mutex
	user     string
	password string
	suites   []int // offered
	limit    int   // sessions
	maxRole  byte
	power    bool
	sdrs     [][]byte
	stamp    uint32 // of the repository
	readings map[uint8][]byte
	sel      [][]byte
	erased   uint32
	fru      []byte
	guid     [16]byte
	hashRole func(open, role byte) byte // what it hashes; nil: the role
	deaf     bool                       // answers nothing outside of a session
	knocks   int                        // questions about its doors
	userCaps []byte                     // what each may use to log in
	adminCaps,
	records []byte // cipher suites

	on     func(fn netFn, cmd uint8, data []byte) (code completion, out []byte, handled bool)
	mangle func(kind payload, answer []byte) [][]byte // what goes out instead of an answer
	open   map[uint32]*fakeSession
	asked  map[[2]uint8]int // commands by function and number
	logins int
	refuse rakpStatus // of Open Session

	silent atomic.Bool
	start  sync.Once
}

// noAnswer as a completion code makes the fake swallow the command.
const noAnswer completion = 0x7f

type fakeSession struct {
	hand *handshake
	live *session
	from *net.UDPAddr
}

// startFake serves on a loopback port until the test ends.
func startFake(t testing.TB, change ...func(*fakeBMC)) *fakeBMC {
	t.Helper()
	f := &fakeBMC{
		t: t, user: "ADMIN", password: "secret", suites: []int{3, 17}, limit: 4, maxRole: 4, power: true,
		readings: map[uint8][]byte{}, open: map[uint32]*fakeSession{}, asked: map[[2]uint8]int{},
		userCaps: []byte{1, 0x80 | 0x04, 0x04 | 0x02, 0x03, 0, 0, 0, 0}, adminCaps: []byte{1, 0x80 | 0x04, 0x04 | 0x02, 0x03, 0, 0, 0, 0},
		records: []byte{0xc0, 3, 1, 0x41, 0x81, 0xc0, 17, 3, 0x44, 0x81},
		guid:    [16]byte{15: 0x42}, stamp: 1_700_000_000, erased: 1_600_000_000,
	}
	for i := range 3 {
		f.sdrs = append(f.sdrs, fullSDR(uint16(i+1), uint8(i+1), "Temp "+string(rune('A'+i))))
		f.readings[uint8(i+1)] = []byte{byte(20 + i), 0x40, 0, 0}
	}
	f.fru = testFRU()
	for _, c := range change {
		c(f)
	}
	f.listen("127.0.0.1:0")
	t.Cleanup(func() { f.conn.Close() })
	return f
}

func (f *fakeBMC) listen(address string) {
	a, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		f.t.Fatal(err)
	}
	if f.conn, err = net.ListenUDP("udp", a); err != nil {
		f.t.Fatal(err)
	}
}

// address is where it serves; serving begins when it is first asked for, so
// that a test may set anything before.
func (f *fakeBMC) address() string {
	f.start.Do(func() { go f.serve(f.conn) })
	return f.conn.LocalAddr().String()
}

// logged is how many logins there were.
func (f *fakeBMC) logged() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.logins
}

// restart forgets every session, as a BMC reset does.
func (f *fakeBMC) restart() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.open)
}

func (f *fakeBMC) count(fn netFn, cmd uint8) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[[2]uint8{uint8(fn), cmd}]
}

func (f *fakeBMC) total() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, x := range f.asked {
		n += x
	}
	return n
}

// knocked is how many questions about its doors there were.
func (f *fakeBMC) knocked() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.knocks
}

func (f *fakeBMC) sessions() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.open)
}

// set changes what the fake serves.
func (f *fakeBMC) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakeBMC) serve(conn *net.UDPConn) {
	buf := make([]byte, 2048)
	for {
		n, from, err := conn.ReadFromUDP(buf)
		if err != nil {
			return
		}
		if f.silent.Load() {
			continue
		}
		f.mu.Lock()
		kind, out := f.packet(buf[:n], from)
		answers := [][]byte{out}
		if out != nil && f.mangle != nil {
			answers = f.mangle(kind, out)
		}
		f.mu.Unlock()
		for _, a := range answers {
			if a != nil {
				conn.WriteToUDP(a, from)
			}
		}
	}
}

func (f *fakeBMC) packet(b []byte, from *net.UDPAddr) (payload, []byte) {
	p, err := parsePacket(b)
	if err != nil {
		return f.presession(b)
	}
	switch p.kind {
	case payloadOpenRequest:
		return payloadOpenAnswer, f.openSession(p.body, from)
	case payloadRAKP1:
		return payloadRAKP2, f.rakp1(p.body)
	case payloadRAKP3:
		return payloadRAKP4, f.rakp3(p.body)
	case payloadIPMI:
		if s := f.open[p.session]; s != nil && s.live != nil {
			return payloadIPMI, f.command(s, b)
		}
	}
	return p.kind, nil
}

func frame(kind payload, body []byte) []byte {
	b := append(putHeader(nil, byte(kind), 0, 0), body...)
	setLength(b)
	return b
}

// command unseals one request, runs it, and seals the answer.
func (f *fakeBMC) command(s *fakeSession, b []byte) []byte {
	msg, err := s.live.unseal(b)
	if err != nil {
		f.t.Errorf("a packet of the console does not unseal: %v", err)
		return nil
	}
	fn, cmd, data := netFn(msg[1]>>2), msg[5], msg[6:len(msg)-1]
	f.asked[[2]uint8{uint8(fn), cmd}]++
	code, out := f.run(fn, cmd, data)
	if code == noAnswer {
		return nil
	}
	a := []byte{addrConsole, byte(fn|1)<<2 | msg[4]&3}
	a = append(a, checksum(a), addrBMC, msg[4], cmd, byte(code))
	a = append(a, out...)
	a = append(a, checksum(a[3:]))
	sealed := append([]byte(nil), s.live.seal(a)...)
	if fn == fnApp && cmd == 0x3c {
		delete(f.open, s.hand.bmc)
	}
	return sealed
}

func (f *fakeBMC) run(fn netFn, cmd uint8, data []byte) (completion, []byte) {
	if f.on != nil {
		if code, out, ok := f.on(fn, cmd, data); ok {
			return code, out
		}
	}
	le16, le32 := binary.LittleEndian.AppendUint16, binary.LittleEndian.AppendUint32
	switch key := [2]uint8{uint8(fn), cmd}; key {
	case [2]uint8{uint8(fnApp), 0x01}:
		return 0, []byte{0x20, 0x01, 2, 0x35, 2, 0xbf, 0x7c, 0x2a, 0, 2, 15}
	case [2]uint8{uint8(fnApp), 0x3b}:
		return 0, data
	case [2]uint8{uint8(fnApp), 0x3c}:
		return 0, nil
	case [2]uint8{uint8(fnChassis), 0x01}:
		on := byte(0)
		if f.power {
			on = 1
		}
		return 0, []byte{on, 0, 0x40}
	case [2]uint8{uint8(fnChassis), 0x02}:
		f.power = data[0] != controlOff && data[0] != controlSoft
		return 0, nil
	case [2]uint8{uint8(fnChassis), 0x04}:
		return 0, nil
	case [2]uint8{uint8(fnStorage), 0x20}:
		out := le16([]byte{0x51}, uint16(len(f.sdrs)))
		return 0, append(le32(le32(le16(out, 1000), f.stamp), 0), 0)
	case [2]uint8{uint8(fnStorage), 0x22}:
		return 0, []byte{7, 0}
	case [2]uint8{uint8(fnStorage), 0x23}:
		return f.getSDR(data)
	case [2]uint8{uint8(fnSensor), 0x2d}:
		if r, ok := f.readings[data[0]]; ok {
			return 0, r
		}
		return ccNotPresent, nil
	case [2]uint8{uint8(fnStorage), 0x40}:
		out := le16(le16([]byte{0x51}, uint16(len(f.sel))), 4096)
		return 0, append(le32(le32(out, uint32(len(f.sel))), f.erased), 2)
	case [2]uint8{uint8(fnStorage), 0x43}:
		return f.getSEL(binary.LittleEndian.Uint16(data[2:]))
	case [2]uint8{uint8(fnStorage), 0x10}:
		return 0, append(le16(nil, uint16(len(f.fru))), 0)
	case [2]uint8{uint8(fnStorage), 0x11}:
		at, n := int(binary.LittleEndian.Uint16(data[1:])), int(data[3])
		if at >= len(f.fru) {
			return ccRange, nil
		}
		b := f.fru[at:min(at+n, len(f.fru))]
		return 0, append([]byte{byte(len(b))}, b...)
	case [2]uint8{uint8(fnApp), 0x38}, [2]uint8{uint8(fnApp), 0x54}:
		return f.doors(cmd, data)
	case [2]uint8{uint8(fnTransport), 0x02}:
		if data[1] == 5 {
			return 0, []byte{0x11, 2, 0, 0, 0, 0, 0x42}
		}
		return 0x80, nil
	}
	return ccInvalidCommand, nil
}

func (f *fakeBMC) getSDR(data []byte) (completion, []byte) {
	id := binary.LittleEndian.Uint16(data[2:])
	for i, r := range f.sdrs {
		if id != 0 && sdrID(r) != id {
			continue
		}
		next := uint16(lastSDR)
		if i+1 < len(f.sdrs) {
			next = sdrID(f.sdrs[i+1])
		}
		at, n := min(int(data[4]), len(r)), int(data[5])
		if n == 0xff {
			n = len(r)
		}
		return 0, append(binary.LittleEndian.AppendUint16(nil, next), r[at:min(at+n, len(r))]...)
	}
	return ccNotPresent, nil
}

func (f *fakeBMC) getSEL(id uint16) (completion, []byte) {
	for i, r := range f.sel {
		if id != 0 && id != lastSEL && binary.LittleEndian.Uint16(r) != id {
			continue
		}
		if id == lastSEL {
			i, r = len(f.sel)-1, f.sel[len(f.sel)-1]
		}
		next := uint16(lastSEL)
		if i+1 < len(f.sel) {
			next = binary.LittleEndian.Uint16(f.sel[i+1])
		}
		return 0, append(binary.LittleEndian.AppendUint16(nil, next), r...)
	}
	return ccNotPresent, nil
}

// fullSDR is a full record of a temperature sensor: y = x, limits 5 10 80 90.
func fullSDR(id uint16, number uint8, name string) []byte {
	b := make([]byte, 48)
	binary.LittleEndian.PutUint16(b, id)
	b[2], b[3] = 0x51, sdrFull
	b[5], b[7] = addrBMC, number
	b[11] = 1 << 2 // thresholds readable
	b[12], b[13] = 1, readingThreshold
	b[15], b[17] = 0x30, 0x30 // comparisons: lnc lc, unc uc
	b[18] = bitLNC | bitLC | bitUNC | bitUC
	b[21] = 1 // degrees C
	b[24] = 1 // M
	b[37], b[38], b[40], b[41] = 90, 80, 5, 10
	b[47] = 0xc0 | byte(len(name))
	b = append(b, name...)
	b[4] = byte(len(b) - sdrHeaderSize)
	return b
}

// selEntry is a system event: sensor 1 over its upper critical limit.
func selEntry(id uint16, stamp uint32, number uint8) []byte {
	b := binary.LittleEndian.AppendUint16(nil, id)
	b = binary.LittleEndian.AppendUint32(append(b, selSystem), stamp)
	return append(b, 0x20, 0, 4, 1, number, readingThreshold, 0x59, 95, 90)
}

// testFRU has a board and a product area.
func testFRU() []byte {
	area := func(front []byte, fields ...string) []byte {
		b := front
		for _, s := range fields {
			b = append(append(b, 0xc0|byte(len(s))), s...)
		}
		b = append(b, fruEnd)
		for len(b)%8 != 7 {
			b = append(b, 0)
		}
		b[1] = byte((len(b) + 1) / 8)
		return append(b, checksum(b))
	}
	board := area([]byte{1, 0, 0, 1, 2, 3}, "Maker", "Board One", "BSN-1", "BPN-1", "")
	product := area([]byte{1, 0, 0}, "Maker", "Model One", "PPN-1", "v2", "SN-1", "asset-1")
	head := []byte{1, 0, 0, 1, byte(1 + len(board)/8), 0, 0}
	head = append(head, checksum(head))
	return append(append(head, board...), product...)
}

// probe makes a probe of the fake with short timeouts.
func (f *fakeBMC) probe(change ...func(*Config)) *BMC {
	f.t.Helper()
	cfg := Config{
		Target: "s01", Address: f.address(), Username: "ADMIN", Timeout: testTimeout,
		Password: func(context.Context) (string, error) { return "secret", nil },
	}
	for _, c := range change {
		c(&cfg)
	}
	b, err := New(cfg)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { b.Close() })
	return b
}
