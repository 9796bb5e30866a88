package auditlog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"time"

	"plumb/console/syslog"
	"plumb/fleet"
)

// sink is a destination. put returns once the entries are on their way; arrived
// says up to which number they are known to have arrived.
type sink interface {
	put(ctx context.Context, list []fleet.AuditEntry) error
	head(ctx context.Context, h *Head) error
	// arrived is 0 where nothing is known yet. An error says that what has not
	// arrived is lost on the way and has to be put again.
	arrived(now time.Time) (seq uint64, err error)
	close()
}

// fileSink appends to a file: one entry a line, as audit --ndjson prints it, and
// heads as {"head":{...}}. It is opened anew for each put, so that a rotated
// file is let go of; an entry has arrived when it is synced.
type fileSink struct {
	path string
	seen bool // its tail was looked at
	seq  uint64
}

func (f *fileSink) put(_ context.Context, list []fleet.AuditEntry) error {
	var b bytes.Buffer
	for i := range list {
		line, err := json.Marshal(list[i])
		if err != nil {
			return err
		}
		b.Write(append(line, '\n'))
	}
	if err := f.write(b.Bytes()); err != nil {
		return err
	}
	f.seq = list[len(list)-1].Seq
	return nil
}

func (f *fileSink) head(_ context.Context, h *Head) error {
	line, err := h.line()
	if err != nil {
		return err
	}
	return f.write(line)
}

func (f *fileSink) write(b []byte) error {
	w, err := os.OpenFile(f.path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer w.Close()
	if !f.seen {
		if err := whole(w); err != nil {
			return err
		}
	}
	f.seen = false // until this is whole
	if _, err := w.Write(b); err != nil {
		return err
	}
	if err := w.Sync(); err != nil {
		return err
	}
	f.seen = true
	return nil
}

// maxLine bounds a line of the file.
const maxLine = 64 << 10

// whole cuts what is left of a line that was being written when the power went:
// it is written again.
func whole(w *os.File) error {
	info, err := w.Stat()
	if err != nil || info.Size() == 0 || !info.Mode().IsRegular() {
		return err
	}
	tail := make([]byte, min(info.Size(), maxLine))
	if _, err := w.ReadAt(tail, info.Size()-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if tail[len(tail)-1] == '\n' {
		return nil
	}
	return w.Truncate(info.Size() - int64(len(tail)) + int64(bytes.LastIndexByte(tail, '\n')+1))
}

func (f *fileSink) arrived(time.Time) (uint64, error) { return f.seq, nil }

func (f *fileSink) close() {}

// settle is how long a connection has to stay open after an entry before the
// entry counts as arrived: syslog has no word for it.
const settle = 2 * time.Second

// wireSink sends to a syslog server.
type wireSink struct {
	to   *syslog.Server
	host string // ours
	now  func() time.Time

	conn *syslog.Conn // nil: none
	way  []onWay      // oldest first
	seq  uint64
}

// onWay is an entry that was written at a time.
type onWay struct {
	seq uint64
	at  time.Time
}

func (s *wireSink) put(ctx context.Context, list []fleet.AuditEntry) error {
	for i := range list {
		if err := s.send(ctx, message(s.host, &list[i])); err != nil {
			return err
		}
		s.way = append(s.way, onWay{list[i].Seq, s.now()})
	}
	return nil
}

func (s *wireSink) head(ctx context.Context, h *Head) error {
	return s.send(ctx, h.message(s.host, s.now()))
}

func (s *wireSink) send(ctx context.Context, m []byte) (err error) {
	if s.conn == nil {
		if s.conn, err = s.to.Dial(ctx); err != nil {
			return err
		}
	}
	if err := s.conn.Send(ctx, m); err != nil {
		s.close()
		return err
	}
	return nil
}

func (s *wireSink) arrived(now time.Time) (uint64, error) {
	if s.conn != nil && s.conn.Broken() && len(s.way) > 0 {
		s.close()
		return s.seq, io.ErrClosedPipe
	}
	for len(s.way) > 0 && (now.Sub(s.way[0].at) >= settle || s.to.Datagrams()) {
		s.seq, s.way = s.way[0].seq, s.way[1:]
	}
	return s.seq, nil
}

func (s *wireSink) close() {
	if s.conn != nil {
		s.conn.Close()
	}
	s.conn, s.way = nil, nil
}
