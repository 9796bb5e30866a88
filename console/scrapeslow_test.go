package console

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"plumb/fleet"
)

// scrapeOf asks for /fleet from a loopback address and returns the connection,
// of which nothing is read. Its socket takes so many bytes; 0: as many as usual,
// which are soon read, where those behind a small window take minutes.
func scrapeOf(t *testing.T, web *httptest.Server, from string, takes int) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.Dial("tcp", web.Listener.Addr().String())
	if err != nil {
		t.Skipf("this machine has no %s: %v", from, err)
	}
	t.Cleanup(func() { c.Close() })
	if takes > 0 {
		if err := c.(*net.TCPConn).SetReadBuffer(takes); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprint(c, "GET /fleet HTTP/1.1\r\nHost: plumb\r\n\r\n")
	return c
}

// taken reads a whole scrape as Prometheus does.
func taken(t *testing.T, web *httptest.Server, from string) (status string, err error) {
	t.Helper()
	tr := &http.Transport{DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).DialContext, DisableCompression: true}
	defer tr.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL+"/fleet", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "gzip")
	got, err := (&http.Client{Transport: tr, Timeout: 60 * time.Second}).Do(r)
	if err != nil {
		return "", err
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(got.Body)
		return got.Status + " " + string(text), nil
	}
	z, err := gzip.NewReader(got.Body)
	if err != nil {
		return got.Status, err
	}
	_, err = io.Copy(io.Discard, z)
	return got.Status, err
}

func slowWeb(t *testing.T, stall time.Duration) (*Pages, *httptest.Server) {
	t.Helper()
	s := largeFleet(300) // 21 MB plain: more than any socket takes by itself
	p := NewPages(func() *fleet.Snapshot { return s }, time.Now)
	p.stall = stall
	mux := http.NewServeMux()
	p.Register(mux)
	web := httptest.NewServer(mux)
	t.Cleanup(func() { web.CloseClientConnections(); web.Close() })
	return p, web
}

// Ten readers that stopped, of several peers, hold nobody up: neither another
// peer nor the next scrape of their own.
func TestFleetPageBesideReadersThatStopped(t *testing.T) {
	p, web := slowWeb(t, time.Hour)
	for i := range 10 {
		c := scrapeOf(t, web, fmt.Sprintf("127.0.0.%d", 2+i%3), 4096)
		if line, err := bufio.NewReaderSize(c, 16).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
			t.Fatalf("reader %d: %q %v", i, line, err)
		}
	}
	for _, from := range []string{"127.0.0.1", "127.0.0.2"} {
		if status, err := taken(t, web, from); status != "200 OK" || err != nil {
			t.Errorf("a scrape from %s beside ten stopped readers: %s %v", from, status, err)
		}
	}
	if got := p.Results(); got["served"] != 2 || got["refused"] != 0 || got["cut"] != 0 {
		t.Error(got)
	}
}

// A reader that stops, and one that trickles, are cut: what they held is given
// back, they are counted, and what they have does not look whole.
func TestFleetPageCutsReaders(t *testing.T) {
	p, web := slowWeb(t, 300*time.Millisecond)
	stopped, trickling := scrapeOf(t, web, "127.0.0.2", 0), scrapeOf(t, web, "127.0.0.3", 4096)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for range tick.C {
			if _, err := trickling.Read(make([]byte, 100)); err != nil || p.Results()["cut"] == 2 {
				return
			}
		}
	}()
	eventually(t, 20*time.Second, "both readers are cut", func() bool { return p.Results()["cut"] == 2 })
	<-done
	p.shelf.mu.Lock()
	held := p.shelf.held
	p.shelf.mu.Unlock()
	if held != 0 {
		t.Errorf("%d bytes are held for readers that were cut", held)
	}
	_ = stopped.SetReadDeadline(time.Now().Add(20 * time.Second))
	got, err := http.ReadResponse(bufio.NewReader(stopped), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, got.Body); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("what was cut does not end like it: %v", err)
	}
}
