package snmp

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"
)

// object is one instance of a fake agent's tree.
type object struct {
	name  oid
	value value
}

// fakeAgent answers v2c requests from a list of objects. on may change or
// replace what it says, datagram by datagram.
type fakeAgent struct {
	sock *net.UDPConn
	once sync.Once
	done chan struct{}

	mu      sync.Mutex
	tree    []object // in the order it is walked; unsorted trees are allowed
	on      func(q fakeRequest, answer []byte) [][]byte
	wrote   func(q fakeRequest) // what follows from a SET that was carried out
	refuse  func(q fakeRequest) errorStatus
	sets    int
	writer  string // community that may SET and nothing else; "": public may
	served  int
	maxVars int // varbinds in one answer, 0: no bound
	sorted  bool
}

type fakeRequest struct {
	kind        byte
	id          int32
	community   string
	names       []oid
	values      []value
	repetitions int
	from        *net.UDPAddr
	n           int // how many requests came before
}

func newFake(t testing.TB, tree ...object) *fakeAgent {
	t.Helper()
	sock, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeAgent{sock: sock, tree: tree, done: make(chan struct{})}
	t.Cleanup(func() {
		sock.Close()
		f.start()
		<-f.done
	})
	return f
}

// serveFakeForBench answers for a 48-port switch until it is killed.
func serveFakeForBench() {
	sock, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		panic(err)
	}
	f := &fakeAgent{sock: sock, tree: switchTree(1, "sw1", ports48()...), done: make(chan struct{}), sorted: true}
	fmt.Println(sock.LocalAddr())
	f.serve()
}

// start begins to answer, once: agentOf calls it when the test has said how.
func (f *fakeAgent) start() { f.once.Do(func() { go f.serve() }) }

// setRequests returns how many SETs came.
func (f *fakeAgent) setRequests() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sets
}

func (f *fakeAgent) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakeAgent) serve() {
	defer close(f.done)
	buf := make([]byte, 65536)
	for {
		n, from, err := f.sock.ReadFromUDP(buf)
		if err != nil {
			return
		}
		q, ok := parseFake(buf[:n])
		f.mu.Lock()
		if want := f.communityFor(q.kind); !ok || q.community != want {
			f.mu.Unlock()
			continue
		}
		q.from, q.n = from, f.served
		f.served++
		answers := [][]byte{f.answer(q)}
		if f.on != nil {
			answers = f.on(q, answers[0])
		}
		f.mu.Unlock()
		for _, a := range answers {
			_, _ = f.sock.WriteToUDP(a, from)
		}
	}
}

// communityFor returns the one community that may send the kind of request.
func (f *fakeAgent) communityFor(kind byte) string {
	if kind == pduSet && f.writer != "" {
		return f.writer
	}
	return "public"
}

// parseFake reads a v2c request.
func parseFake(b []byte) (q fakeRequest, ok bool) {
	body, err := message(b, version2c)
	if err != nil {
		return q, false
	}
	name, pdu, err := expect(tagOctets, body)
	if err != nil {
		return q, false
	}
	var r response
	if r.decode(pdu) != nil {
		return q, false
	}
	q = fakeRequest{kind: r.kind, id: r.id, community: string(name), repetitions: r.index}
	for _, v := range r.vars {
		q.names = append(q.names, slices.Clone(v.name))
		q.values = append(q.values, value{v.value.tag, slices.Clone(v.value.raw)})
	}
	return q, true
}

func (f *fakeAgent) answer(q fakeRequest) []byte {
	if f.refuse != nil {
		if s := f.refuse(q); s != statusOK {
			return fakeMessage(q.community, pduResponse, q.id, int(s), 1, nil)
		}
	}
	var out []object
	switch q.kind {
	case pduGet:
		for _, n := range q.names {
			out = append(out, f.get(n))
		}
	case pduSet:
		f.sets++
		for k, name := range q.names {
			f.write(name, q.values[k])
			out = append(out, f.get(name))
		}
		if f.wrote != nil {
			f.wrote(q)
		}
	default:
		at := q.names
		for range max(1, q.repetitions) {
			row := make([]oid, len(at))
			for i, n := range at {
				o := f.next(n)
				out, row[i] = append(out, o), o.name
			}
			at = row
		}
	}
	if f.maxVars > 0 && len(out) > f.maxVars {
		out = out[:f.maxVars]
	}
	return fakeMessage(q.community, pduResponse, q.id, 0, 0, out)
}

// write changes an object that is there.
func (f *fakeAgent) write(n oid, v value) {
	for i := range f.tree {
		if f.tree[i].name.compare(n) == 0 {
			f.tree[i].value = v
		}
	}
}

func (f *fakeAgent) get(n oid) object {
	for _, o := range f.tree {
		if o.name.compare(n) == 0 {
			return o
		}
	}
	return object{n, value{tagNoSuchInstance, nil}}
}

// next returns the object after n in the agent's own order.
func (f *fakeAgent) next(n oid) object {
	if f.sorted {
		i, found := slices.BinarySearchFunc(f.tree, n, func(o object, n oid) int { return o.name.compare(n) })
		if found {
			i++
		}
		if i < len(f.tree) {
			return f.tree[i]
		}
		return object{n, value{tagEndOfMibView, nil}}
	}
	for i, o := range f.tree {
		if o.name.compare(n) == 0 && i+1 < len(f.tree) {
			return f.tree[i+1]
		}
	}
	for _, o := range f.tree {
		if o.name.compare(n) > 0 {
			return o
		}
	}
	return object{n, value{tagEndOfMibView, nil}}
}

func fakeMessage(name string, kind byte, id int32, status, index int, vars []object) []byte {
	var w writer
	w.reset()
	for i := len(vars) - 1; i >= 0; i-- {
		mark := w.len()
		at := w.len()
		w.raw(vars[i].value.raw)
		w.close(vars[i].value.tag, at)
		w.oid(vars[i].name)
		w.close(tagSequence, mark)
	}
	w.close(tagSequence, 0)
	w.int(int64(index))
	w.int(int64(status))
	w.int(int64(id))
	w.close(kind, 0)
	w.octets(name)
	w.int(version2c)
	w.close(tagSequence, 0)
	return slices.Clone(w.bytes())
}

// obj makes an object from a Go value.
func obj(name string, v any) object { return objAt(parseOID(name), v) }

func objAt(name oid, v any) object {
	switch v := v.(type) {
	case int:
		var w writer
		w.reset()
		w.int(int64(v))
		content, _, _ := expect(tagInteger, w.bytes())
		return object{name, value{tagInteger, slices.Clone(content)}}
	case string:
		return object{name, value{tagOctets, []byte(v)}}
	case uint32:
		return object{name, value{tagCounter32, binary.BigEndian.AppendUint32([]byte{0}, v)}}
	case uint64:
		return object{name, value{tagCounter64, binary.BigEndian.AppendUint64([]byte{0}, v)}}
	case gauge32:
		return object{name, value{tagGauge32, binary.BigEndian.AppendUint32([]byte{0}, uint32(v))}}
	case ticks:
		return object{name, value{tagTimeTicks, binary.BigEndian.AppendUint32([]byte{0}, uint32(v))}}
	case oid:
		var w writer
		w.reset()
		w.oid(v)
		content, _, _ := expect(tagOID, w.bytes())
		return object{name, value{tagOID, slices.Clone(content)}}
	}
	panic("test object")
}

type (
	gauge32 uint32
	ticks   uint32
)

// fakePort is one row of IF-MIB.
type fakePort struct {
	index       uint32
	name, alias string
	in          uint64
	narrow      bool // 32-bit counters only
}

// switchTree is a switch with the ports, sorted.
func switchTree(up uint32, sysname string, ports ...fakePort) []object {
	t := []object{
		obj("1.3.6.1.2.1.1.1.0", "test switch"), obj("1.3.6.1.2.1.1.2.0", parseOID("1.3.6.1.4.1.30065.1")), obj("1.3.6.1.2.1.1.3.0", ticks(up)),
		obj("1.3.6.1.2.1.1.5.0", sysname), obj("1.3.6.1.2.1.1.6.0", "r1"), obj("1.3.6.1.2.1.2.1.0", len(ports)),
	}
	for _, p := range ports {
		add := func(column string, v any) { t = append(t, objAt(parseOID(column).plus(p.index), v)) }
		add("1.3.6.1.2.1.2.2.1.2", "port "+p.name)
		add("1.3.6.1.2.1.2.2.1.3", 6)
		add("1.3.6.1.2.1.2.2.1.4", 9000)
		add("1.3.6.1.2.1.2.2.1.5", gauge32(1<<32-1))
		add("1.3.6.1.2.1.2.2.1.6", string([]byte{0x52, 0x54, 0, 0, byte(p.index >> 8), byte(p.index)}))
		add("1.3.6.1.2.1.2.2.1.7", 1)
		add("1.3.6.1.2.1.2.2.1.8", 1)
		for _, c := range []string{"13", "14", "19", "20"} {
			add("1.3.6.1.2.1.2.2.1."+c, uint32(0))
		}
		add("1.3.6.1.2.1.2.2.1.10", uint32(p.in))
		add("1.3.6.1.2.1.2.2.1.16", uint32(p.in))
		add("1.3.6.1.2.1.31.1.1.1.1", p.name)
		add("1.3.6.1.2.1.31.1.1.1.18", p.alias)
		add("1.3.6.1.2.1.31.1.1.1.19", ticks(0))
		add("1.3.6.1.2.1.31.1.1.1.15", gauge32(25000))
		if !p.narrow {
			add("1.3.6.1.2.1.31.1.1.1.6", p.in)
			add("1.3.6.1.2.1.31.1.1.1.10", p.in)
		}
	}
	slices.SortFunc(t, func(a, b object) int { return a.name.compare(b.name) })
	return t
}

func secret(s string) Secret { return func(context.Context) (string, error) { return s, nil } }

// quick makes silence cheap, for tests that wait for it.
func quick(c *Config) { c.Timeout = 300 * time.Millisecond }

// agentOf makes an agent for the fake. It is patient, because the machine that
// runs the tests may be busy.
func agentOf(t testing.TB, f *fakeAgent, change ...func(*Config)) *Agent {
	t.Helper()
	f.start()
	cfg := Config{Target: "sw1", Address: f.sock.LocalAddr().String(), Community: secret("public"), Timeout: 2 * time.Second, Retries: 1}
	for _, c := range change {
		c(&cfg)
	}
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	a.wait = waits{step: 5 * time.Millisecond, settle: 100 * time.Millisecond, cycle: 200 * time.Millisecond}
	return a
}

func deadline(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}
