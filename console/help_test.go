package console

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"golang.org/x/crypto/ssh"

	"plumb/fleet"
)

// eventually polls until ok or the limit; a test that needs time asks for it
// here and nowhere else.
func eventually(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(limit)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within %s: %s", limit, what)
		}
	}
}

// house is a server for a test, with what it was told and said.
type house struct {
	t      testing.TB
	server *Server
	addr   string
	stop   context.CancelFunc
	served chan error
	log    *lines
	bell   *bell

	mu    sync.Mutex
	audit []fleet.AuditEntry
	verbs []VerbCall
	keys  map[string]ssh.Signer
}

// lines is a log that can be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) has(s string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.b.String(), s)
}

// bell hands every watcher the newest snapshot, as the engine's does.
type bell struct {
	mu   sync.Mutex
	snap *fleet.Snapshot
	rung chan struct{}
	open int
}

func newBell() *bell { return &bell{snap: testSnapshot(1), rung: make(chan struct{})} }

func (b *bell) ring(s *fleet.Snapshot) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.snap = s
	close(b.rung)
	b.rung = make(chan struct{})
}

func (b *bell) watch() Watch {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open++
	return &watcher{bell: b}
}

func (b *bell) watchers() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open
}

type watcher struct {
	bell *bell
	seen uint64
}

func (w *watcher) Next(ctx context.Context) (*fleet.Snapshot, error) {
	for {
		w.bell.mu.Lock()
		s, rung := w.bell.snap, w.bell.rung
		w.bell.mu.Unlock()
		if s.Version > w.seen {
			w.seen = s.Version
			return s, nil
		}
		select {
		case <-rung:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (w *watcher) Close() {
	w.bell.mu.Lock()
	defer w.bell.mu.Unlock()
	w.bell.open--
}

// testSnapshot is a small fleet.
func testSnapshot(version uint64) *fleet.Snapshot {
	region := &fleet.RegionSpec{Name: "ams"}
	rack := &fleet.RackSpec{ID: "ams1/r01", Name: "r01", Site: "ams1", Region: "ams", Units: 42}
	var ids []string
	var devices []fleet.Device
	for i := range 20 {
		id := fmt.Sprintf("ams1-r01-s%02d", i+1)
		ids = append(ids, id)
		devices = append(devices, fleet.Device{State: fleet.StateOK, SeenAt: time.Now(),
			Spec: &fleet.DeviceSpec{ID: id, Name: id, Kind: fleet.KindServer, Rack: rack.ID, Site: "ams1", Region: "ams", Unit: fleet.HalfU(2 * (i + 1)), Height: 2,
				Serial: "SN" + id, Endpoints: []fleet.Endpoint{{Source: fleet.SourceIPMI, Address: "127.0.0.1:623"}}}})
	}
	s := &fleet.Snapshot{Version: version, At: time.Now(), Live: true,
		Regions:   fleet.NewTable([]string{"ams"}, []fleet.Region{{Spec: region, Devices: len(ids), Racks: 1, Sites: 1}}),
		Racks:     fleet.NewTable([]string{rack.ID}, []fleet.Rack{{Spec: rack, Devices: len(ids)}}),
		Devices:   fleet.NewTable(ids, devices),
		Intervals: [3]time.Duration{time.Minute, time.Minute, time.Hour},
		Topology:  &fleet.Topology{RacksOf: map[string][]int{"ams": {0}}, DevicesOf: map[string][]int{}, Loose: map[string][]int{}},
	}
	for i := range ids {
		s.DevicesOf[rack.ID] = append(s.DevicesOf[rack.ID], len(ids)-1-i)
	}
	s.Counts.By[fleet.KindOfDevice][fleet.StateOK] = len(ids)
	return s
}

// poison is a snapshot that no engine makes: things without a spec, over which
// views fall.
func poison() *fleet.Snapshot {
	return &fleet.Snapshot{Version: 99, Live: true, Topology: &fleet.Topology{},
		Regions: fleet.NewTable([]string{"x"}, []fleet.Region{{}}), Devices: fleet.NewTable([]string{"x"}, []fleet.Device{{State: fleet.StateCrit}})}
}

// newHouse starts a server with a user for each role, named after it.
func newHouse(t testing.TB, change func(*ServerConfig, *Deps)) *house {
	t.Helper()
	h := &house{t: t, served: make(chan error, 1), log: &lines{}, bell: newBell(), keys: make(map[string]ssh.Signer)}
	cfg := ServerConfig{HostKey: filepath.Join(t.TempDir(), "host"), Stall: 2 * time.Second,
		MaxSessionsPerUser: 1000, MaxConnsPerUser: 1000} // a user of these tests is a role, and many people
	for _, r := range []fleet.Role{fleet.RoleWall, fleet.RoleViewer, fleet.RoleOperator, fleet.RoleAdmin} {
		h.keys[r.String()] = newSigner(t)
		cfg.Users = append(cfg.Users, User{Name: r.String(), Role: r, Keys: []ssh.PublicKey{h.keys[r.String()].PublicKey()}})
	}
	deps := Deps{
		Watch: h.bell.watch, Verb: h.verb, Log: slog.New(slog.NewTextHandler(h.log, nil)),
		Audit: func(_ context.Context, e fleet.AuditEntry) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.audit = append(h.audit, e)
			return nil
		},
	}
	if change != nil {
		change(&cfg, &deps)
	}
	var err error
	if h.server, err = NewServer(cfg, deps); err != nil {
		t.Fatal(err)
	}
	ln := listen(t)
	h.addr = ln.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	go func() { h.served <- h.server.Serve(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		select {
		case err := <-h.served:
			if err != nil {
				t.Errorf("serve: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("the server did not stop")
		}
	})
	return h
}

// listen takes a port of the range these tests have to themselves.
func listen(t testing.TB) net.Listener {
	for port := 36000; port < 36100; port++ {
		if ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return ln
		}
	}
	t.Fatal("no port from 36000 to 36099 is free")
	return nil
}

func newSigner(t testing.TB) ssh.Signer {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// verb is the verb runner of the tests: it echoes, sleeps until it is cut
// short, or panics.
func (h *house) verb(ctx context.Context, c VerbCall) int {
	h.mu.Lock()
	h.verbs = append(h.verbs, c)
	h.mu.Unlock()
	switch c.Args[0] {
	case "wait":
		fmt.Fprintln(c.Stdout, "waiting")
		<-ctx.Done()
		fmt.Fprintln(c.Stderr, "cut short")
		return 1
	case "panic":
		panic("a verb fell over")
	}
	fmt.Fprintf(c.Stdout, "%q tty=%v width=%d user=%s role=%s\n", c.Args, c.Terminal, c.Width, c.User, c.Role)
	return 0
}

func (h *house) audited(action, outcome string) (found []fleet.AuditEntry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.audit {
		if e.Action == action && e.Outcome == outcome {
			found = append(found, e)
		}
	}
	return found
}

// dial connects as a user with a key.
func (h *house) dial(user string, key ssh.Signer) (*ssh.Client, error) {
	return ssh.Dial("tcp", h.addr, &ssh.ClientConfig{User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(key)},
		HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: 5 * time.Second})
}

func (h *house) client(role string) *ssh.Client {
	h.t.Helper()
	c, err := h.dial(role, h.keys[role])
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = c.Close() })
	return c
}

// display is a client's terminal: an emulator fed by the session.
type display struct {
	t    testing.TB
	sess *ssh.Session
	in   io.WriteCloser
	done chan struct{}
	err  error // of sess.Wait, after done

	mu    sync.Mutex // guards the emulator, which is not safe by itself
	vt    *vt.Emulator
	bytes int
	raw   bytes.Buffer // the last of it
}

// show opens a console in a session of its own.
func (h *house) show(c *ssh.Client, cols, rows int, command string, env ...string) *display {
	h.t.Helper()
	sess, err := c.NewSession()
	if err != nil {
		h.t.Fatal(err)
	}
	for i := 0; i+1 < len(env); i += 2 {
		_ = sess.Setenv(env[i], env[i+1])
	}
	d := &display{t: h.t, sess: sess, vt: vt.NewEmulator(cols, rows), done: make(chan struct{})}
	go func() { _, _ = io.Copy(io.Discard, d.vt) }() // its answers to queries
	if err := sess.RequestPty("xterm-256color", rows, cols, ssh.TerminalModes{}); err != nil {
		h.t.Fatal(err)
	}
	d.in, _ = sess.StdinPipe()
	sess.Stdout, sess.Stderr = d, d
	if command == "" {
		err = sess.Shell()
	} else {
		err = sess.Start(command)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	go func() { d.err = sess.Wait(); close(d.done) }()
	h.t.Cleanup(func() {
		_ = sess.Close()
		_ = d.vt.InputPipe().(io.Closer).Close() // its own Close races with its Read
	})
	return d
}

func (d *display) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bytes += len(p)
	if d.raw.Len() > 1<<20 {
		d.raw.Reset()
	}
	d.raw.Write(p)
	return d.vt.Write(p)
}

func (d *display) resize(cols, rows int) {
	d.mu.Lock()
	d.vt.Resize(cols, rows)
	d.mu.Unlock()
	if err := d.sess.WindowChange(rows, cols); err != nil {
		d.t.Fatal(err)
	}
}

// text is what the terminal shows.
func (d *display) text() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return cellsOf(d.vt)
}

func (d *display) sent(s string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Contains(d.raw.String(), s)
}

func (d *display) alt() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.vt.IsAltScreen()
}

func (d *display) press(keys string) {
	if _, err := io.WriteString(d.in, keys); err != nil {
		d.t.Fatal(err)
	}
}

func (d *display) sees(what string) {
	d.t.Helper()
	eventually(d.t, 5*time.Second, "the screen shows "+what, func() bool { return strings.Contains(d.text(), what) })
}

func (d *display) gone() {
	d.t.Helper()
	select {
	case <-d.done:
	case <-time.After(5 * time.Second):
		d.t.Fatal("the session did not end")
	}
}

// cellsOf is an emulator's screen as text.
func cellsOf(e *vt.Emulator) string {
	var b strings.Builder
	for y := range e.Height() {
		for x := 0; x < e.Width(); x++ {
			c := e.CellAt(x, y)
			switch {
			case c == nil || c.Content == "" && c.Width != 0:
				b.WriteByte(' ')
			default:
				b.WriteString(c.Content)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// goroutines returns how many goroutines stand in a function of that name.
func goroutines(name string) int {
	buf := make([]byte, 4<<20)
	n := 0
	for _, g := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if strings.Contains(g, name) {
			n++
		}
	}
	return n
}

// exitCode is what the session exited with; -1: it did not say.
func exitCode(err error) int {
	switch err := err.(type) {
	case nil:
		return 0
	case *ssh.ExitError:
		return err.ExitStatus()
	}
	return -1
}
