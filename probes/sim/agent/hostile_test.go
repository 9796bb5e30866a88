package agent

import (
	"bytes"
	"encoding/hex"
	"math"
	"net"
	"slices"
	"testing"
)

// hostileServer has both doors open.
func hostileServer(t testing.TB) *Server {
	t.Helper()
	s, err := newServer(Config{
		Community: "secret", EngineID: testEngine, MaxSize: minMaxSize, Device: device(sampleSwitch()),
		Users: []User{{Name: "open"}, {Name: "shut", Auth: "SHA", AuthPass: "authpass1", Priv: "AES", PrivPass: "privpass1"}},
		Set:   func(Change) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// message builds a v3 message of the user without authentication.
func plainV3(user string, engine []byte, flags byte, maxSize int64, pdu byte, oids ...[]uint32) []byte {
	var e encoder
	whole := e.open(tagSequence)
	e.integer(versionV3)
	header := e.open(tagSequence)
	e.integer(99)
	e.integer(maxSize)
	e.octets([]byte{flags})
	e.integer(securityModelUSM)
	e.close(header)
	outer := e.open(tagOctets)
	params := e.open(tagSequence)
	e.octets(engine)
	e.integer(1)
	e.integer(1)
	e.text(user)
	e.octets(nil)
	e.octets(nil)
	e.close(params)
	e.close(outer)
	scoped := e.open(tagSequence)
	e.octets(engine)
	e.octets(nil)
	p := e.open(pdu)
	e.integer(77)
	e.integer(0)
	e.integer(200)
	list := e.open(tagSequence)
	for _, oid := range oids {
		bind := e.open(tagSequence)
		e.oid(oid)
		e.null(tagNull)
		e.close(bind)
	}
	e.close(list)
	e.close(p)
	e.close(scoped)
	e.close(whole)
	return e.b
}

// A report carries the counter that tells why (RFC 3414 section 3.2).
func TestReports(t *testing.T) {
	const all = flagReportable
	for _, c := range []struct {
		name   string
		packet []byte
		want   string // the counter's identifier, encoded; empty: silence
	}{
		{"discovery", plainV3("", nil, all, 1472, pduGet), "2b060106030f01010400"},
		{"unknown user", plainV3("x", testEngine, all, 1472, pduGet), "2b060106030f01010300"},
		{"level not offered", plainV3("open", testEngine, all|flagAuth, 1472, pduGet), "2b060106030f01010100"},
		{"wrong digest", plainV3("shut", testEngine, all|flagAuth, 1472, pduGet), "2b060106030f01010500"},
		{"not reportable", plainV3("x", testEngine, 0, 1472, pduGet), ""},
		{"privacy alone", plainV3("x", testEngine, all|flagPriv, 1472, pduGet), ""},
		{"tiny peer", plainV3("open", testEngine, all, 100, pduGet), ""},
		{"a response", plainV3("open", testEngine, all, 1472, pduResponse), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := hostileServer(t).answer(c.packet)
			want, _ := hex.DecodeString(c.want)
			if c.want == "" && got != nil || !bytes.Contains(got, want) || c.want != "" && !bytes.Contains(got, []byte{pduReport}) {
				t.Errorf("got %x, want %x in it", got, want)
			}
		})
	}
}

// TestSizes: no answer is longer than the smaller of the two message sizes,
// whatever is asked and at every level.
func TestSizes(t *testing.T) {
	big := hostileServer(t)
	big.cfg.MaxSize = 4000
	for peer := int64(minMaxSize); peer < 2000; peer += 7 {
		got := big.answer(plainV3("open", testEngine, flagReportable, peer, pduGetBulk, mustOID("1.3.6.1.2.1.2"), mustOID("1.3.6.1.2.1.31")))
		if len(got) > int(peer) || len(got) < int(peer)-120 {
			t.Errorf("%d bytes for a peer that takes %d", len(got), peer)
		}
	}
}

func TestHostilePackets(t *testing.T) {
	get := v2cGet(t)
	s := hostileServer(t)
	if s.answer(slices.Clone(get)) == nil {
		t.Fatal("a good packet got no answer")
	}
	for n := range get {
		if s.answer(slices.Clone(get[:n])) != nil {
			t.Errorf("an answer to the first %d of %d bytes", n, len(get))
		}
	}
	for name, packet := range map[string]string{
		"huge length":       "3084ffffffff0201010406736563726574",
		"length of lengths": "30ff0201010406736563726574",
		"indefinite":        "30800201010406736563726574a00b0201010201000201003000",
		"v1":                "30190201000406736563726574a00c0201010201000201003001",
		"version 2":         "30190201020406736563726574a00c0201010201000201003001",
		"long version":      "301e0209010000000000000001" + "0406736563726574a00b0201010201000201003000",
		"a trap":            "30180201010406736563726574a70b0201010201000201003000",
		"a response":        "30180201010406736563726574a20b0201010201000201003000",
		"no pdu":            "300b0201010406736563726574",
	} {
		packet, err := hex.DecodeString(packet)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.answer(packet); got != nil {
			t.Errorf("%s: answered %x", name, got)
		}
	}
	if s.answer(bytes.Repeat([]byte{0x30, 0x82, 0x05, 0x00}, 100)) != nil {
		t.Error("nested sequences: answered")
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(v2cGet(f))
	f.Add(plainV3("", nil, flagReportable, 1472, pduGet))
	f.Add(plainV3("open", testEngine, flagReportable, 1472, pduGetBulk, mustOID("1.3.6.1"), mustOID("1.3.6.1.6")))
	f.Add(plainV3("shut", testEngine, flagReportable|flagAuth|flagPriv, 1472, pduSet, mustOID("1.3.6.1")))
	s := hostileServer(f)
	f.Fuzz(func(t *testing.T, packet []byte) {
		if len(packet) > s.cfg.MaxSize {
			packet = packet[:s.cfg.MaxSize]
		}
		got := s.answer(packet)
		if got == nil {
			return
		}
		if len(got) > s.cfg.MaxSize {
			t.Errorf("%d bytes", len(got))
		}
		r := newReader(got)
		if msg := r.enter(tagSequence); r.bad || r.more() || !msg.more() {
			t.Errorf("the answer is not one message: %x", got)
		}
	})
}

func FuzzBER(f *testing.F) {
	f.Add([]byte{0x06, 0x03, 0x2b, 0x81, 0x00}, int64(-129), uint64(math.MaxUint64))
	f.Fuzz(func(t *testing.T, b []byte, i int64, u uint64) {
		r := newReader(b)
		if tag, value := r.any(); !r.bad && tag == tagOID {
			if ids, ok := parseOID(value, nil); ok {
				var e encoder
				e.oid(ids)
				back := newReader(e.b)
				again, ok := parseOID(back.octets(tagOID), nil)
				if !ok || !slices.Equal(ids, again) {
					t.Errorf("%v became %v", ids, again)
				}
			}
		}
		var e encoder
		e.integer(int64(int32(i)))
		e.unsigned(tagCounter64, u)
		back := newReader(e.b)
		if got := back.integer(); got != int64(int32(i)) || back.bad {
			t.Errorf("%d became %d", int32(i), got)
		}
		var got uint64
		for _, c := range back.octets(tagCounter64) {
			got = got<<8 | uint64(c)
		}
		if got != u {
			t.Errorf("%d became %d", u, got)
		}
	})
}

// BenchmarkPoll is a full counter poll of a switch without the system calls:
// sysUpTime and 14 columns of 55 ports in 16 GETBULKs.
func BenchmarkPoll(b *testing.B) {
	s, err := newServer(Config{Community: "secret", Device: device(sampleSwitch())})
	if err != nil {
		b.Fatal(err)
	}
	var packets [][]byte
	for row := uint32(0); row < 55; row += 55 / 16 {
		packets = append(packets, bulkColumns(row))
	}
	b.ReportAllocs()
	packet := make([]byte, 1500)
	for b.Loop() {
		for _, p := range packets[:16] {
			if s.answer(packet[:copy(packet, p)]) == nil {
				b.Fatal("no answer")
			}
		}
	}
	b.ReportMetric(float64(len(s.out.b)), "last-bytes")
}

// bulkColumns asks for four rows of 14 columns from after a row.
func bulkColumns(row uint32) []byte {
	var e encoder
	whole := e.open(tagSequence)
	e.integer(versionV2c)
	e.text("secret")
	pdu := e.open(pduGetBulk)
	e.integer(int64(row))
	e.integer(0)
	e.integer(4)
	list := e.open(tagSequence)
	for _, column := range []string{"2.2.1.7", "2.2.1.8", "2.2.1.13", "2.2.1.14", "2.2.1.19", "2.2.1.20", "31.1.1.1.6", "31.1.1.1.7", "31.1.1.1.8", "31.1.1.1.10", "31.1.1.1.11", "31.1.1.1.12", "31.1.1.1.15", "31.1.1.1.19"} {
		bind := e.open(tagSequence)
		e.oid(append(mustOID("1.3.6.1.2.1."+column), 1000+row))
		e.null(tagNull)
		e.close(bind)
	}
	e.close(list)
	e.close(pdu)
	e.close(whole)
	return e.b
}

// TestNoAllocation: an answer costs no garbage.
func TestNoAllocation(t *testing.T) {
	s := hostileServer(t)
	asked := bulkColumns(3)
	packet := make([]byte, len(asked))
	if n := testing.AllocsPerRun(100, func() {
		copy(packet, asked)
		if s.answer(packet) == nil {
			t.Fatal("no answer")
		}
	}); n > 2 {
		t.Errorf("%v allocations for one GETBULK of 56 bindings", n)
	}
}

// BenchmarkPollWire is the same over a socket: the client's and the agent's
// system calls are in it.
func BenchmarkPollWire(b *testing.B) {
	_, addr := start(b, Config{Community: "secret", Device: device(sampleSwitch())})
	conn, err := net.Dial("udp", addr.String())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	answer := make([]byte, 2000)
	for b.Loop() {
		for row := uint32(0); row < 48; row += 3 {
			if _, err := conn.Write(bulkColumns(row)); err != nil {
				b.Fatal(err)
			}
			if _, err := conn.Read(answer); err != nil {
				b.Fatal(err)
			}
		}
	}
}
