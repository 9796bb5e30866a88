package console

import (
	"errors"
	"io"
	"slices"
	"sync"
)

// Bounds of what is held of scrapes that are rendered and not yet taken. 5.4
// million series are 31 MB zipped.
const (
	spoolChunk = 64 << 10
	maxSpool   = 64 << 20              // of one scrape
	maxSpooled = maxScrapes * maxSpool // of all: what is being rendered finds room always
)

var (
	errSpoolFull = errors.New("the answer is too large")
	errSpoolCut  = errors.New("cut: its room was needed")
)

// shelf holds what is rendered for readers of every speed. Where there is no room
// left for a new one, the reader is cut that has been at it longest: a slow one
// costs itself its scrape, and nobody else theirs.
type shelf struct {
	room int // bytes for all spools; a multiple of spoolChunk

	mu      sync.Mutex // guards what follows, and the spools
	held    int
	reading []*spool // in the order in which their readers began
}

// spool is one scrape, zipped. It is written by one goroutine and then read by
// one, and what was read is given back.
type spool struct {
	of       *shelf
	chunks   []*[spoolChunk]byte
	size, at int // bytes written, and read
	cut      bool
}

var chunks = sync.Pool{New: func() any { return new([spoolChunk]byte) }}

// Write keeps what is rendered. It returns errSpoolFull where a scrape is larger
// than any may be.
func (p *spool) Write(b []byte) (int, error) {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	n := len(b)
	for len(b) > 0 {
		at := p.size % spoolChunk
		if at == 0 && !p.grow() {
			return n - len(b), errSpoolFull
		}
		took := copy(p.chunks[len(p.chunks)-1][at:], b)
		p.size, b = p.size+took, b[took:]
	}
	return n, nil
}

// grow adds a chunk; the caller has the lock.
func (p *spool) grow() bool {
	s := p.of
	if p.size+spoolChunk > s.room/maxScrapes {
		return false
	}
	for s.held+spoolChunk > s.room && len(s.reading) > 0 {
		s.reading[0].cut = true
		s.reading[0].drop()
	}
	s.held += spoolChunk
	p.chunks = append(p.chunks, chunks.Get().(*[spoolChunk]byte))
	return true
}

// read says that the spool is whole and its reader begins.
func (p *spool) read() {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	p.of.reading = append(p.of.reading, p)
}

// Read returns errSpoolCut where the room was needed for somebody else.
func (p *spool) Read(b []byte) (int, error) {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	if p.cut {
		return 0, errSpoolCut
	}
	if p.at == p.size {
		return 0, io.EOF
	}
	at := p.at % spoolChunk
	n := copy(b, p.chunks[0][at:min(spoolChunk, at+p.size-p.at)])
	p.at += n
	if p.at%spoolChunk == 0 {
		p.give(1)
	}
	return n, nil
}

// close gives back what is left.
func (p *spool) close() {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	p.drop()
}

// drop gives back what is left; the caller has the lock.
func (p *spool) drop() {
	p.give(len(p.chunks))
	p.of.reading = slices.DeleteFunc(p.of.reading, func(q *spool) bool { return q == p })
}

func (p *spool) give(n int) {
	for _, c := range p.chunks[:n] {
		chunks.Put(c)
	}
	p.chunks = slices.Delete(p.chunks, 0, n)
	p.of.held -= n * spoolChunk
}
