package agent

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"
)

// client returns a connected gosnmp client of addr; u nil is v2c "secret".
func client(t testing.TB, addr fmt.Stringer, u *User) *gosnmp.GoSNMP {
	t.Helper()
	host, port, _ := strings.Cut(addr.String(), ":")
	var n uint16
	_, _ = fmt.Sscan(port, &n)
	g := &gosnmp.GoSNMP{
		Target: host, Port: n, Version: gosnmp.Version2c, Community: "secret", Timeout: time.Second, Retries: 1,
		MaxOids: gosnmp.MaxOids, MaxRepetitions: 25,
	}
	if u != nil {
		g.Version, g.SecurityModel, g.MsgFlags = gosnmp.Version3, gosnmp.UserSecurityModel, gosnmp.NoAuthNoPriv
		p := &gosnmp.UsmSecurityParameters{UserName: u.Name, AuthenticationPassphrase: u.AuthPass, PrivacyPassphrase: u.PrivPass}
		p.AuthenticationProtocol = map[string]gosnmp.SnmpV3AuthProtocol{
			"": gosnmp.NoAuth, "MD5": gosnmp.MD5, "SHA": gosnmp.SHA, "SHA-224": gosnmp.SHA224,
			"SHA-256": gosnmp.SHA256, "SHA-384": gosnmp.SHA384, "SHA-512": gosnmp.SHA512,
		}[u.Auth]
		p.PrivacyProtocol = map[string]gosnmp.SnmpV3PrivProtocol{
			"": gosnmp.NoPriv, "DES": gosnmp.DES, "AES": gosnmp.AES, "AES-192": gosnmp.AES192,
			"AES-256": gosnmp.AES256, "AES-192-C": gosnmp.AES192C, "AES-256-C": gosnmp.AES256C,
		}[u.Priv]
		if u.Auth != "" {
			g.MsgFlags = gosnmp.AuthNoPriv
		}
		if u.Priv != "" {
			g.MsgFlags = gosnmp.AuthPriv
		}
		g.SecurityParameters = p
	}
	if err := g.Connect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Conn.Close() })
	return g
}

func TestTreesAreInOrder(t *testing.T) {
	for name, d := range map[string]Device{"switch": sampleSwitch(), "pdu": samplePDU(), "ups": sampleUPS(), "empty switch": &Switch{}, "empty pdu": &PDU{}, "empty ups": &UPS{}} {
		if err := Check(d); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := sampleSwitch()
	bad.Ports[3], bad.Ports[4] = bad.Ports[4], bad.Ports[3]
	if err := Check(bad); !errors.Is(err, ErrOrder) {
		t.Errorf("ports out of order: got %v", err)
	}
}

func TestGetValues(t *testing.T) {
	_, addr := start(t, Config{Community: "secret", Device: device(sampleSwitch())})
	g := client(t, addr, nil)
	want := map[string]any{
		".1.3.6.1.2.1.1.3.0":                                                  uint32(12345678),
		".1.3.6.1.2.1.1.5.0":                                                  "ams1-r01-sw1",
		".1.3.6.1.2.1.31.1.1.1.1.1001":                                        "Ethernet1",
		".1.3.6.1.2.1.31.1.1.1.10.1002":                                       uint64(1<<63 + 2),
		".1.3.6.1.2.1.2.2.1.10.1003":                                          uint(3),
		".1.3.6.1.2.1.2.2.1.5.1001":                                           uint(1<<32 - 1),
		".1.3.6.1.2.1.31.1.1.1.15.1050":                                       uint(100000),
		".1.3.6.1.2.1.99.1.1.1.4.100":                                         -215,
		".1.0.8802.1.1.2.1.4.1.1.9.2.1050.1":                                  "ams1-spine-1",
		".1.3.6.1.2.1.17.1.4.1.2.7":                                           1007,
		".1.3.6.1.2.1.17.7.1.4.5.1.1.1":                                       uint(100),
		".1.3.6.1.2.1.17.7.1.4.3.1.2.100":                                     "\xc0\x00\x00\x00\x00\x00\x04",
		".1.3.6.1.2.1.17.7.1.2.2.1.2.100.2.255.3.4.5.0":                       1,
		".1.3.6.1.2.1.4.22.1.3.1049.10.0.200.1":                               "10.0.200.1",
		".1.3.6.1.2.1.4.35.1.4.1002.1.4.10.0.0.9":                             "\x02\x02\x03\x04\x05\x07",
		".1.3.6.1.2.1.4.35.1.7.1049.2.16.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.1": 1,
	}
	var oids []string
	for oid := range want {
		oids = append(oids, oid)
	}
	r, err := g.Get(oids)
	if err != nil || r.Error != gosnmp.NoError {
		t.Fatal(err, r)
	}
	for _, v := range r.Variables {
		got := v.Value
		if b, ok := got.([]byte); ok {
			got = string(b)
		}
		if got != want[v.Name] {
			t.Errorf("%s = %#v, want %#v", v.Name, got, want[v.Name])
		}
	}
}

func TestExceptions(t *testing.T) {
	_, addr := start(t, Config{Community: "secret", Device: device(sampleSwitch())})
	g := client(t, addr, nil)
	r, err := g.Get([]string{".1.3.6.1.2.1.1.5.0", ".1.3.6.1.2.1.1.5.1", ".1.3.6.1.2.1.1.5", ".1.3.6.1.2.1.99.99.0", ".1.3.6.1.2.1.31.1.1.1.1.999"})
	if err != nil {
		t.Fatal(err)
	}
	want := []gosnmp.Asn1BER{gosnmp.OctetString, gosnmp.NoSuchInstance, gosnmp.NoSuchInstance, gosnmp.NoSuchObject, gosnmp.NoSuchInstance}
	for i, v := range r.Variables {
		if v.Type != want[i] {
			t.Errorf("%s is %v, want %v", v.Name, v.Type, want[i])
		}
	}
	r, err = g.GetNext([]string{".1.3.6.1.6.3.15.1.1.6.0", ".0.0"})
	if err != nil {
		t.Fatal(err)
	}
	if v := r.Variables[0]; v.Type != gosnmp.EndOfMibView || v.Name != ".1.3.6.1.6.3.15.1.1.6.0" {
		t.Errorf("after the last: %v %v", v.Name, v.Type)
	}
	if v := r.Variables[1]; v.Name != ".1.0.8802.1.1.2.1.1.1.0" {
		t.Errorf("first is %v", v.Name)
	}
}

// TestBulk: non-repeaters, interleaved columns, and each column's end under
// the name of its last instance.
func TestBulk(t *testing.T) {
	_, addr := start(t, Config{Community: "secret", Device: device(sampleUPS())})
	g := client(t, addr, nil)
	r, err := g.GetBulk([]string{".1.3.6.1.2.1.1.3", ".1.3.6.1.6.3.15.1.1.5", ".1.3.6.1.6.3.15.1.1.6"}, 1, 4)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range r.Variables {
		got = append(got, fmt.Sprintf("%s %v", v.Name, v.Type))
	}
	want := []string{
		".1.3.6.1.2.1.1.3.0 TimeTicks",
		".1.3.6.1.6.3.15.1.1.5.0 Counter32", ".1.3.6.1.6.3.15.1.1.6.0 Counter32",
		".1.3.6.1.6.3.15.1.1.6.0 Counter32", ".1.3.6.1.6.3.15.1.1.6.0 EndOfMibView",
		".1.3.6.1.6.3.15.1.1.6.0 EndOfMibView", ".1.3.6.1.6.3.15.1.1.6.0 EndOfMibView",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestTooBig(t *testing.T) {
	d := sampleUPS()
	d.Descr = strings.Repeat("x", 370)
	_, addr := start(t, Config{Community: "secret", MaxSize: minMaxSize, Device: device(d)})
	g := client(t, addr, nil)
	r, err := g.Get([]string{".1.3.6.1.2.1.1.1.0", ".1.3.6.1.2.1.1.1.0"})
	if err != nil || r.Error != gosnmp.TooBig || len(r.Variables) != 0 {
		t.Errorf("get: %v %+v", err, r)
	}
	r, err = g.GetBulk([]string{".1.3.6.1.2.1.1"}, 0, 50)
	if err != nil || r.Error != gosnmp.NoError || len(r.Variables) != 3 {
		t.Errorf("bulk does not stop where it is full: %v %+v", err, r)
	}
}

func TestSilence(t *testing.T) {
	off := false
	s, addr := start(t, Config{Community: "secret", Device: func() Device {
		if off {
			return nil
		}
		return sampleUPS()
	}})
	g := client(t, addr, nil)
	g.Timeout, g.Retries = 50*time.Millisecond, 0
	ask := func() error { _, err := g.Get([]string{".1.3.6.1.2.1.1.5.0"}); return err }
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	g.Community = "wrong"
	if err := ask(); err == nil {
		t.Error("a wrong community was answered")
	}
	g.Community, g.Version = "secret", gosnmp.Version1
	if err := ask(); err == nil {
		t.Error("v1 was answered")
	}
	g.Version = gosnmp.Version2c
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	off = true // the agent's goroutine has ended
	if s.answer(v2cGet(t)) != nil {
		t.Error("a device that is off answered")
	}
	if n := s.Requests(); n != 1 {
		t.Errorf("%d requests counted, want 1", n)
	}
}

// v2cGet is a GET of sysName.0.
func v2cGet(t testing.TB) []byte {
	t.Helper()
	p := gosnmp.SnmpPacket{Version: gosnmp.Version2c, Community: "secret", PDUType: gosnmp.GetRequest, RequestID: 7, Variables: []gosnmp.SnmpPDU{{Name: ".1.3.6.1.2.1.1.5.0", Type: gosnmp.Null}}}
	b, err := p.MarshalMsg()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSet(t *testing.T) {
	var log changeLog
	set := log.set
	sw, _ := start(t, Config{Community: "secret", Device: device(sampleSwitch()), Set: set})
	pdu, _ := start(t, Config{Community: "secret", Device: device(samplePDU()), Set: set})
	alias, admin := ".1.3.6.1.2.1.31.1.1.1.18.1007", ".1.3.6.1.2.1.2.2.1.7.1007"
	static, pvid := ".1.3.6.1.2.1.17.7.1.4.3.1.", ".1.3.6.1.2.1.17.7.1.4.5.1.1.7"
	outlet := ".1.3.6.1.4.1.318.1.1.26.9.2.4.1.5.3"
	str := func(oid, s string) gosnmp.SnmpPDU {
		return gosnmp.SnmpPDU{Name: oid, Type: gosnmp.OctetString, Value: s}
	}
	num := func(oid string, n int) gosnmp.SnmpPDU {
		return gosnmp.SnmpPDU{Name: oid, Type: gosnmp.Integer, Value: n}
	}
	for _, c := range []struct {
		name   string
		server *Server
		refuse error
		vars   []gosnmp.SnmpPDU
		status gosnmp.SNMPError
		index  uint8
		want   []Change
	}{
		{"admin", sw, nil, []gosnmp.SnmpPDU{num(admin, 2)}, gosnmp.NoError, 0, []Change{{Kind: SetPortAdmin, Row: 1007, Value: 2}}},
		{"both", sw, nil, []gosnmp.SnmpPDU{num(admin, 1), str(alias, "uplink")}, gosnmp.NoError, 0,
			[]Change{{Kind: SetPortAdmin, Row: 1007, Value: 1}, {Kind: SetPortAlias, Row: 1007, Text: "uplink"}}},
		{"outlet", pdu, nil, []gosnmp.SnmpPDU{num(outlet, 3)}, gosnmp.NoError, 0, []Change{{Kind: SetOutlet, Row: 3, Value: int(OutletReboot)}}},
		{"VLAN", sw, nil, []gosnmp.SnmpPDU{str(static+"2.101", "\x60"), str(static+"4.101", "\x60"), {Name: pvid, Type: gosnmp.Gauge32, Value: uint32(110)}}, gosnmp.NoError, 0,
			[]Change{{Kind: SetVLANPorts, Row: 101, Ports: "\x60"}, {Kind: SetVLANPorts, Row: 101, Ports: "\x60"}, {Kind: SetPVID, Row: 1007, Value: 110}}},
		{"PVID as an INTEGER", sw, nil, []gosnmp.SnmpPDU{num(pvid, 110)}, gosnmp.WrongType, 1, nil},
		{"PVID out of range", sw, nil, []gosnmp.SnmpPDU{{Name: pvid, Type: gosnmp.Gauge32, Value: uint32(4095)}}, gosnmp.WrongValue, 1, nil},
		{"PortList too long", sw, nil, []gosnmp.SnmpPDU{str(static+"2.101", strings.Repeat("x", 513))}, gosnmp.WrongLength, 1, nil},
		{"VLAN that is not there", sw, nil, []gosnmp.SnmpPDU{str(static+"2.777", "\x60")}, gosnmp.NoCreation, 1, nil},
		{"delayed outlet", pdu, nil, []gosnmp.SnmpPDU{num(outlet, 4)}, gosnmp.WrongValue, 1, nil},
		{"all or nothing", sw, nil, []gosnmp.SnmpPDU{num(admin, 2), num(alias, 2)}, gosnmp.WrongType, 2, nil},
		{"escape codes", sw, nil, []gosnmp.SnmpPDU{str(alias, "\x1b[2J")}, gosnmp.WrongValue, 1, nil},
		{"long", sw, nil, []gosnmp.SnmpPDU{str(alias, strings.Repeat("x", 65))}, gosnmp.WrongLength, 1, nil},
		{"read-only", sw, nil, []gosnmp.SnmpPDU{str(".1.3.6.1.2.1.1.5.0", "x")}, gosnmp.NotWritable, 1, nil},
		{"no row", sw, nil, []gosnmp.SnmpPDU{num(".1.3.6.1.2.1.2.2.1.7.9", 1)}, gosnmp.NoCreation, 1, nil},
		{"no object", sw, nil, []gosnmp.SnmpPDU{num(".1.3.6.1.9.9.9.0", 1)}, gosnmp.NotWritable, 1, nil},
		{"refused", sw, errors.New("no"), []gosnmp.SnmpPDU{num(admin, 2)}, gosnmp.CommitFailed, 1, []Change{{Kind: SetPortAdmin, Row: 1007, Value: 2}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			log.reset(c.refuse)
			r, err := client(t, c.server.Addr(), nil).Set(c.vars)
			if err != nil {
				t.Fatal(err)
			}
			if r.Error != c.status || r.ErrorIndex != c.index {
				t.Errorf("status %v at %d, want %v at %d", r.Error, r.ErrorIndex, c.status, c.index)
			}
			if len(r.Variables) != len(c.vars) || r.Variables[0].Name != c.vars[0].Name {
				t.Errorf("the answer does not repeat what was asked: %v", r.Variables)
			}
			if got := log.changes(); !slices.Equal(got, c.want) {
				t.Errorf("changes %v, want %v", got, c.want)
			}
		})
	}
	_, addr := start(t, Config{Community: "secret", Device: device(sampleSwitch())})
	if r, err := client(t, addr, nil).Set([]gosnmp.SnmpPDU{num(admin, 2)}); err != nil || r.Error != gosnmp.NoAccess {
		t.Errorf("read-only agent: %v %+v", err, r)
	}
}

func TestGosnmpV3(t *testing.T) {
	suites := []User{
		{Name: "a"}, {Name: "b", Auth: "MD5", AuthPass: "authpass1"},
		{Name: "c", Auth: "SHA", AuthPass: "authpass1", Priv: "DES", PrivPass: "privpass1"},
		{Name: "d", Auth: "SHA-256", AuthPass: "authpass1", Priv: "AES", PrivPass: "privpass1"},
		{Name: "e", Auth: "SHA", AuthPass: "authpass1", Priv: "AES-192", PrivPass: "privpass1"},
		{Name: "f", Auth: "SHA-512", AuthPass: "authpass1", Priv: "AES-256", PrivPass: "privpass1"},
		{Name: "g", Auth: "MD5", AuthPass: "authpass1", Priv: "AES-256-C", PrivPass: "privpass1"},
	}
	_, addr := start(t, Config{Users: suites, EngineID: testEngine, Device: device(samplePDU())})
	for _, u := range suites {
		t.Run(u.Auth+"/"+u.Priv, func(t *testing.T) {
			rows, err := client(t, addr, &u).BulkWalkAll(".1.3.6.1.4.1.318")
			if err != nil || len(rows) < 1000 {
				t.Errorf("%d rows, %v", len(rows), err)
			}
		})
	}
}

// TestReboot: after boots went up, a client with the old clock is told the new
// one in an authenticated report, and goes on.
func TestReboot(t *testing.T) {
	states := make(chan Device, 1)
	states <- samplePDU()
	u := User{Name: "d", Auth: "SHA-256", AuthPass: "authpass1", Priv: "AES", PrivPass: "privpass1"}
	_, addr := start(t, Config{Users: []User{u}, EngineID: testEngine, Device: func() Device {
		d := <-states
		states <- d
		return d
	}})
	g := client(t, addr, &u)
	ask := func() *gosnmp.SnmpPacket {
		t.Helper()
		r, err := g.Get([]string{".1.3.6.1.6.3.10.2.1.2.0"})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if v := ask().Variables[0].Value; v != 1 {
		t.Errorf("boots %v, want 1", v)
	}
	<-states
	again := samplePDU()
	again.Boots, again.Uptime = 2, time.Second
	states <- again
	if v := ask().Variables[0].Value; v != 2 {
		t.Errorf("boots %v, want 2", v)
	}
}

func TestBadConfig(t *testing.T) {
	dev := device(sampleUPS())
	for name, c := range map[string]Config{
		"nobody":       {Device: dev},
		"no device":    {Community: "x"},
		"no engine":    {Users: []User{{Name: "a"}}, Device: dev},
		"short pass":   {Users: []User{{Name: "a", Auth: "SHA", AuthPass: "short"}}, EngineID: testEngine, Device: dev},
		"bad auth":     {Users: []User{{Name: "a", Auth: "ROT13", AuthPass: "longenough"}}, EngineID: testEngine, Device: dev},
		"bad priv":     {Users: []User{{Name: "a", Auth: "SHA", AuthPass: "longenough", Priv: "XOR", PrivPass: "longenough"}}, EngineID: testEngine, Device: dev},
		"priv no auth": {Users: []User{{Name: "a", Priv: "AES", PrivPass: "longenough"}}, EngineID: testEngine, Device: dev},
		"twice":        {Users: []User{{Name: "a"}, {Name: "a"}}, EngineID: testEngine, Device: dev},
		"small":        {Community: "x", Device: dev, MaxSize: 100},
	} {
		if _, err := newServer(c); err == nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), "longenough") || strings.Contains(err.Error(), "short\"") {
			t.Errorf("%s: the error tells a password: %v", name, err)
		}
	}
}

func TestCloseTwiceAndByContext(t *testing.T) {
	s, addr := start(t, Config{Community: "secret", Device: device(sampleUPS())})
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	l, err := net.ListenPacket("udp", addr.String())
	if err != nil {
		t.Fatal("the port is still taken:", err)
	}
	_ = l.Close()
}

// RFC 3414 appendix A.3: keys of "maplesyrup" for engine 00..02.
func TestLocalizedKeys(t *testing.T) {
	engine := []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}
	for auth, want := range map[string]string{
		"MD5": "526f5eed9fcce26f8964c2930787d82b",
		"SHA": "6695febc9288e36282235fc7151f128497b38f3f",
	} {
		if got := fmt.Sprintf("%x", localize(authProtocols[auth], []byte("maplesyrup"), engine)); got != want {
			t.Errorf("%s: %s, want %s", auth, got, want)
		}
	}
}
