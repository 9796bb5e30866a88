package console

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

func full(t *testing.T, s *shelf, n int) (*spool, []byte) {
	t.Helper()
	text := make([]byte, n)
	for i := range text {
		text[i] = byte(i * 7 >> 3)
	}
	p := &spool{of: s}
	for part := range bytes.Lines(text) { // in parts of every size
		if _, err := p.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	p.read()
	return p, text
}

func TestSpoolReadsWhatWasWritten(t *testing.T) {
	s := &shelf{room: maxSpooled}
	for _, n := range []int{0, 1, spoolChunk - 1, spoolChunk, spoolChunk + 1, 3*spoolChunk + 17} {
		p, text := full(t, s, n)
		got, err := io.ReadAll(p)
		if err != nil || !bytes.Equal(got, text) {
			t.Errorf("%d bytes: %v, %d read", n, err, len(got))
		}
		p.close()
		if s.held != 0 || len(s.reading) != 0 {
			t.Errorf("%d bytes: %d are held, %d read", n, s.held, len(s.reading))
		}
	}
}

// The reader that has been at it longest is cut for a new scrape, and no more is
// ever held than there is room for.
func TestSpoolCutsTheSlowest(t *testing.T) {
	s := &shelf{room: 8 * spoolChunk}
	slow, _ := full(t, s, 4*spoolChunk)
	less, _ := full(t, s, 3*spoolChunk)
	fresh, text := full(t, s, 3*spoolChunk)
	if s.held > s.room {
		t.Errorf("%d held of %d", s.held, s.room)
	}
	if _, err := slow.Read(make([]byte, 10)); !errors.Is(err, errSpoolCut) {
		t.Errorf("the slowest: %v", err)
	}
	for _, p := range []*spool{less, fresh} {
		if got, err := io.ReadAll(p); err != nil || !bytes.Equal(got, text) {
			t.Errorf("one that had room: %v", err)
		}
	}
	for _, p := range []*spool{slow, less, fresh} {
		p.close()
	}
	if s.held != 0 || len(s.reading) != 0 {
		t.Errorf("%d are held, %d read", s.held, len(s.reading))
	}
	large := &spool{of: s}
	if n, err := large.Write(make([]byte, 5*spoolChunk)); !errors.Is(err, errSpoolFull) || n != 4*spoolChunk {
		t.Errorf("larger than any may be: %d, %v", n, err)
	}
	large.close()
}
