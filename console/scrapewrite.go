package console

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// How long a reader may take: for each spoolChunk of what it is sent, and in all.
const (
	stallWithin  = 10 * time.Second
	scrapeWithin = 2 * time.Minute
)

// What came of a scrape: it was taken, refused for want of a place or as too large,
// cut because its reader was too slow, or left by the reader.
const (
	scrapeServed = iota
	scrapeRefused
	scrapeCut
	scrapeLeft
)

var scrapeResults = [...]string{scrapeServed: "served", scrapeRefused: "refused", scrapeCut: "cut", scrapeLeft: "left"}

// Results counts the scrapes of /fleet by what came of them.
func (p *Pages) Results() map[string]uint64 {
	by := make(map[string]uint64, len(scrapeResults))
	for i, word := range scrapeResults {
		by[word] = p.results[i].Load()
	}
	return by
}

// serve renders into a spool, in a place of the queue, and then sends that at the
// reader's pace, without one.
func (p *Pages) serve(w http.ResponseWriter, r *http.Request, render func(to io.Writer, now time.Time) error) {
	who := peerOf(r)
	leave, err := p.queue.enter(who)
	if err != nil {
		p.refuse(w, err)
		return
	}
	defer leave()
	back, err := p.queue.place(r.Context(), who)
	if err != nil && r.Context().Err() != nil {
		p.results[scrapeLeft].Add(1) // while it waited: nobody reads an answer
		return
	}
	if err != nil {
		p.refuse(w, err)
		return
	}
	kept := &spool{of: &p.shelf}
	defer kept.close()
	err = func() error {
		defer back()
		z := zips.Get().(*gzip.Writer)
		defer zips.Put(z)
		z.Reset(kept)
		defer z.Reset(io.Discard) // it holds nothing of ours
		if err := render(z, p.Now()); err != nil {
			return err
		}
		return z.Close()
	}()
	if err != nil {
		p.refuse(w, fmt.Errorf("%w: give each class a job of its own", err))
		return
	}
	kept.read()
	err = p.send(w, r, kept)
	switch {
	case err == nil:
		p.results[scrapeServed].Add(1)
	case errors.Is(err, errSpoolCut), errors.Is(err, os.ErrDeadlineExceeded):
		p.results[scrapeCut].Add(1)
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	default:
		p.results[scrapeLeft].Add(1)
	}
}

func (p *Pages) refuse(w http.ResponseWriter, err error) {
	p.results[scrapeRefused].Add(1)
	http.Error(w, err.Error(), http.StatusServiceUnavailable)
}

// send writes a spool as the reader takes it, zipped or as it is.
func (p *Pages) send(w http.ResponseWriter, r *http.Request, kept *spool) error {
	h := w.Header()
	h.Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	h.Set("Vary", "Accept-Encoding")
	to := paced{w: w, wire: http.NewResponseController(w), stall: p.stall, end: time.Now().Add(scrapeWithin)}
	b := make([]byte, spoolChunk)
	if acceptsGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.Itoa(kept.size))
		_, err := io.CopyBuffer(to, kept, b)
		return err
	}
	z, err := gzip.NewReader(kept)
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(to, oneByOne{z, &p.unzips}, b)
	return err
}

// oneByOne reads while it has the lock: unzipping is work for one processor, not
// for all.
type oneByOne struct {
	r    io.Reader
	lock *sync.Mutex
}

func (o oneByOne) Read(b []byte) (int, error) {
	o.lock.Lock()
	defer o.lock.Unlock()
	return o.r.Read(b)
}

// paced gives every write its time. A fleet is larger than what the server's own
// limit is meant for; where that cannot be changed it holds.
type paced struct {
	w     io.Writer
	wire  *http.ResponseController
	stall time.Duration
	end   time.Time
}

func (p paced) Write(b []byte) (int, error) {
	by := time.Now().Add(p.stall)
	if by.After(p.end) {
		by = p.end
	}
	_ = p.wire.SetWriteDeadline(by)
	return p.w.Write(b)
}

// peerOf is who asks, as the doors of the console count peers.
func peerOf(r *http.Request) netip.Prefix {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Prefix{} // no network: all such are one peer
	}
	return prefixOf(net.TCPAddrFromAddrPort(at))
}

var zips = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // a level that there is
	return z
}}

func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if name == "gzip" && strings.TrimSpace(q) != "q=0" {
			return true
		}
	}
	return false
}

// zipped returns where to write what the reader takes zipped, or as it is; done
// is called after the last byte.
func zipped(w http.ResponseWriter, r *http.Request) (out io.Writer, done func()) {
	w.Header().Set("Vary", "Accept-Encoding")
	if !acceptsGzip(r.Header.Get("Accept-Encoding")) {
		return w, func() {}
	}
	w.Header().Set("Content-Encoding", "gzip")
	z := zips.Get().(*gzip.Writer)
	z.Reset(w)
	return z, func() {
		_ = z.Close() // the reader left
		z.Reset(io.Discard)
		zips.Put(z)
	}
}
