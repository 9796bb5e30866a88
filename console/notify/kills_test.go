package notify

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"plumb/fleet"
	"plumb/store"
)

// Names of what the process that is killed is told.
const (
	killDir   = "PLUMB_NOTIFY_KILL_DIR"
	killURL   = "PLUMB_NOTIFY_KILL_URL"
	killFirst = "PLUMB_NOTIFY_KILL_FIRST"
)

func TestMain(m *testing.M) {
	if os.Getenv(killDir) != "" {
		if err := killMe(); err != nil {
			fmt.Println("failed", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// killReceivers are told in the process that is killed, each by a path of the
// other side.
var killReceivers = []string{"hangs", "refuses", "breaks", "busy", "closes", "well", again}

// again is the receiver that is told the same several times in a row.
const (
	again = "again"
	inRow = 10
)

// killMe keeps a real store, says a notice to each receiver again and again,
// prints what the store has taken, and tells them; until it is killed, or its
// input ends.
func killMe() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c := store.Defaults()
	c.Dir, c.Ballast, c.Gather = os.Getenv(killDir), -1, 5*time.Millisecond
	st, err := store.Open(ctx, c)
	if err != nil {
		return err
	}
	defer st.Close()
	done := make(chan error, 1)
	go func() { done <- st.Run(ctx, nil, sayNotices, nil) }()
	var list []Config
	for _, name := range killReceivers {
		to := os.Getenv(killURL) + "/" + name
		list = append(list, Config{Name: name, Kind: &Webhook{URL: to}, Timeout: time.Second})
	}
	d := New(Deps{Outbox: st, Watch: func() Watch { return st.Watch() }, Log: slog.New(slog.DiscardHandler), Standing: func(*fleet.Snapshot, string) []fleet.Pages { return nil }}, list)
	told := make(chan struct{})
	go func() { defer close(told); d.Run(ctx) }()
	first, _ := strconv.Atoi(os.Getenv(killFirst))
	stop := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); close(stop) }()
	if first >= 0 {
		for n := first; ; n++ {
			if err := st.Apply(ctx, fleet.Remark{Kind: "say", Text: strconv.Itoa(n)}); err != nil {
				return err
			}
			fmt.Println("said", n) // it is in the outbox: it must arrive
		}
	}
	for len(st.Backlogs()) > 0 {
		select {
		case <-stop:
			return nil
		case <-time.After(20 * time.Millisecond):
		}
	}
	fmt.Println("empty")
	cancel()
	<-told
	return <-done
}

// sayNotices is the step of the process that is killed: each word is a notice to
// each receiver.
func sayNotices(prev *fleet.Snapshot, in []fleet.Input, now time.Time) (*fleet.Snapshot, fleet.Output) {
	next, out := *prev, fleet.Output{}
	next.At = now
	for _, i := range in {
		if r, ok := i.(fleet.Remark); ok && r.Kind == "say" {
			for _, name := range killReceivers {
				p := sample(name, now)
				if name == again {
					n, _ := strconv.Atoi(r.Text)
					p.Alerts = p.Alerts[:1]
					p.Alerts[0].Since = time.Unix(int64(n/inRow), 0)
				}
				body, _ := json.Marshal(p)
				out.Notices = append(out.Notices, fleet.Notice{Key: name + "-" + r.Text, Receiver: name, At: now, Expires: now.Add(time.Hour), Body: body})
			}
		}
	}
	return &next, out
}

// badSide is the other side of all of them: each misbehaves until it is mended.
type badSide struct {
	mu     sync.Mutex
	mended bool
	n      int
	got    map[string]int // how often each key was taken
	others int            // bodies whose key is not that of their header
	done   chan struct{}
}

func (s *badSide) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var b Body
	err := json.NewDecoder(r.Body).Decode(&b)
	s.mu.Lock()
	s.n++
	bad := !s.mended && s.n%2 == 0 // now and then one is taken, so that there is something to tell twice
	if err != nil || b.Key != r.Header.Get("Idempotency-Key") {
		s.others++
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	if !bad || name == "well" || name == "closes" {
		s.got[b.Key]++
	}
	s.mu.Unlock()
	if !bad {
		return
	}
	switch name {
	case "hangs":
		select {
		case <-s.done:
		case <-r.Context().Done():
		}
	case "breaks", again:
		w.WriteHeader(500)
	case "busy":
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(429)
	case "refuses", "closes": // the second took it, and its yes is lost
		if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
			if tcp, ok := c.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
			}
			c.Close()
		}
	}
}

// TestNothingIsLostToKills kills the process again and again while it tells
// receivers of every bad manner; in the end everything that the store had taken
// has arrived, and what arrived twice has the same key.
func TestNothingIsLostToKills(t *testing.T) {
	rounds := 5
	if n, err := strconv.Atoi(os.Getenv("PLUMB_CRASH_ROUNDS")); err == nil {
		rounds = n
	}
	side := &badSide{got: map[string]int{}, done: make(chan struct{})}
	s := httptest.NewServer(side)
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(side.done) })
	dir, last := t.TempDir(), -1
	for round := range rounds {
		most := time.Duration(200+137*round%400) * time.Millisecond
		last = max(last, saysUntilKilled(t, dir, s.URL, last+1, most))
	}
	side.mu.Lock()
	side.mended = true
	side.mu.Unlock()
	cmd, out := killable(t, dir, s.URL, -1)
	sc := bufio.NewScanner(out)
	empty := false
	for sc.Scan() {
		empty = empty || sc.Text() == "empty"
	}
	if err := cmd.Wait(); err != nil || !empty {
		t.Fatalf("the outbox does not empty: %v", err)
	}
	side.mu.Lock()
	defer side.mu.Unlock()
	twice, missing, replaced := 0, 0, 0
	for n := range last + 1 {
		for _, name := range killReceivers {
			switch k := side.got[name+"-"+strconv.Itoa(n)]; {
			case k == 0 && name == again && (n+1)%inRow > 0 && (n < last || side.got[name+"-"+strconv.Itoa(n+1)] > 0):
				replaced++ // it is said again in its row; what was said after the last may be there too
			case k == 0:
				missing++
			case k > 1:
				twice += k - 1
			}
		}
	}
	t.Logf("killed %d times; %d notices, %d of them arrived again under the same key, %d gave way to later ones", rounds, (last+1)*len(killReceivers), twice, replaced)
	if missing > 0 || side.others > 0 || last < rounds {
		t.Errorf("of %d notices %d never arrived, %d came under another key", (last+1)*len(killReceivers), missing, side.others)
	}
}

func killable(t *testing.T, dir, url string, first int) (*exec.Cmd, io.Reader) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), killDir+"="+dir, killURL+"="+url, killFirst+"="+strconv.Itoa(first))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, out
}

// saysUntilKilled runs the process until a time after its first word, and returns
// the last one that its store had taken.
func saysUntilKilled(t *testing.T, dir, url string, first int, most time.Duration) (last int) {
	t.Helper()
	cmd, out := killable(t, dir, url, first)
	last = -1
	var timer *time.Timer
	sc := bufio.NewScanner(out)
	for sc.Scan() {
		word, n, _ := strings.Cut(sc.Text(), " ")
		if word != "said" {
			t.Fatal(sc.Text())
		}
		last, _ = strconv.Atoi(n)
		if timer == nil {
			timer = time.AfterFunc(most, func() { _ = cmd.Process.Kill() })
		}
	}
	_ = cmd.Wait()
	if timer == nil {
		t.Fatal("it said nothing")
	}
	return last
}
