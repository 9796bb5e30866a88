package health

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/probes/probetest"
)

// door is a server that can be made to say anything.
type door struct {
	ln      net.Listener
	kind    fleet.HealthKind
	timeout time.Duration
	mute    atomic.Bool
	garble  atomic.Bool
	ended   chan struct{}
	serving sync.WaitGroup
	say     func(net.Conn) // nil: 200 and "well"
}

func open(t *testing.T, kind fleet.HealthKind, say func(net.Conn)) *door {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &door{ln: ln, kind: kind, timeout: 2 * time.Second, ended: make(chan struct{}), say: say}
	d.serving.Go(d.serve)
	t.Cleanup(func() { close(d.ended); d.Stop(); d.serving.Wait() })
	return d
}

func (d *door) serve() {
	for {
		conn, err := d.ln.Accept()
		if err != nil {
			return
		}
		d.serving.Go(func() { d.answer(conn) })
	}
}

func (d *door) answer(conn net.Conn) {
	defer conn.Close()
	switch {
	case d.mute.Load():
		<-d.ended
		return
	case d.garble.Load():
		fmt.Fprint(conn, "\x00\xff\x1b[2J rubbish\r\n\r\n")
		return
	case d.say != nil:
		d.say(conn)
		return
	}
	buf := make([]byte, 4<<10)
	_, _ = conn.Read(buf)
	fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nwell")
}

func (d *door) Probe() fleet.Probe {
	p, err := New(Config{Target: "shop", HealthSpec: fleet.HealthSpec{Kind: d.kind, Address: "http://" + d.ln.Addr().String() + "/health?token=s3cret", Timeout: d.timeout}})
	if err != nil {
		panic(err)
	}
	return p
}

func (d *door) Mute(on bool)   { d.mute.Store(on) }
func (d *door) Garble(on bool) { d.garble.Store(on) }
func (d *door) Restart()       {}
func (d *door) Stop()          { _ = d.ln.Close() }

func TestSuite(t *testing.T) {
	probetest.Suite{
		Start: func(t *testing.T) probetest.Target { return open(t, fleet.HealthHTTP, nil) },
		Table: fleet.TableSensors, Patience: 8 * time.Second,
	}.Run(t)
}
