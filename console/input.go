package console

import (
	"bytes"
	"context"
	"io"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	uv "github.com/charmbracelet/ultraviolet"
)

// Bounds of what a terminal may send. The stock reader keeps a paste and an
// unfinished sequence of any length, and blocks for ever when the program has
// ended with keys unread; hence our own.
const (
	maxPaste    = 64 << 10
	maxSequence = 4 << 10 // of an unfinished escape sequence
	escPatience = 50 * time.Millisecond
	// csiPatience is for what can only be the beginning of a sequence, and may
	// be that of a paste: taken for keys, the text that follows would act.
	csiPatience = time.Second
)

var (
	pasteBegin = []byte("\x1b[200~")
	pasteEnd   = []byte("\x1b[201~")
)

// keyReader turns a terminal's bytes into messages.
type keyReader struct {
	decoder uv.EventDecoder
	buf     []byte
	paste   []byte
	pasting bool
	escaped bool // the last thing was an escape key by itself
	send    func(tea.Msg)
}

// readKeys sends what r says as messages until it ends or ctx does. send must
// return when ctx ends. A panic of the decoder is the caller's to catch.
func readKeys(ctx context.Context, r io.Reader, send func(tea.Msg)) error {
	k := &keyReader{send: send}
	chunks, ended := make(chan []byte), make(chan error, 1)
	go func() {
		for {
			b := make([]byte, 1024)
			n, err := r.Read(b)
			if n > 0 {
				select {
				case chunks <- b[:n]:
				case <-ctx.Done():
					return
				}
			}
			if err != nil {
				ended <- err
				return
			}
		}
	}()
	patience := time.NewTimer(escPatience)
	defer patience.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ended:
			k.decode(true)
			return err
		case b := <-chunks:
			k.buf = append(k.buf, b...)
			k.decode(false)
			patience.Reset(k.patience())
		case <-patience.C:
			k.decode(true)
		}
	}
}

// patience is how long to wait for the rest of what is in the buffer.
func (k *keyReader) patience() time.Duration {
	if len(k.buf) >= 2 && bytes.HasPrefix(pasteBegin, k.buf) {
		return csiPatience
	}
	return escPatience
}

// decode takes what can be understood from the buffer; late says that nothing
// more came for a while, so that a lone escape is the escape key.
func (k *keyReader) decode(late bool) {
	// A slow link may part the escape from the rest, which nobody types at once.
	if k.escaped && len(k.buf) > 0 {
		k.escaped = false
		if n := min(len(k.buf), len(pasteBegin)-1); n >= 2 && bytes.HasPrefix(pasteBegin[1:], k.buf[:n]) {
			k.buf = append([]byte{'\x1b'}, k.buf...)
		}
	}
	for len(k.buf) > 0 {
		if k.pasting || bytes.HasPrefix(k.buf, pasteBegin) {
			if !k.pasted() {
				return
			}
			continue
		}
		if !late && unfinished(k.buf) {
			return
		}
		n, ev := k.decoder.Decode(k.buf)
		if n <= 0 {
			n = 1
		}
		if _, unknown := ev.(uv.UnknownEvent); unknown && !late && k.buf[0] == '\x1b' && n == len(k.buf) && n < maxSequence {
			return // the rest may be on its way
		}
		k.escaped = late && n == 1 && k.buf[0] == '\x1b'
		k.buf = k.buf[n:]
		k.emit(ev)
	}
	k.buf = nil
}

// unfinished reports whether the buffer holds the beginning of something that
// would mean another thing when whole.
func unfinished(b []byte) bool {
	if b[0] == '\x1b' {
		return len(b) <= 2 || len(b) < len(pasteBegin) && bytes.HasPrefix(pasteBegin, b)
	}
	return b[0] >= utf8.RuneSelf && !utf8.FullRune(b)
}

// pasted takes pasted text up to its end, of which it keeps maxPaste bytes. It
// returns false when more must come first, however long that takes.
func (k *keyReader) pasted() bool {
	if !k.pasting {
		k.pasting, k.buf = true, k.buf[len(pasteBegin):]
	}
	end := bytes.Index(k.buf, pasteEnd)
	text := k.buf
	if end >= 0 {
		text = k.buf[:end]
	} else if i := bytes.LastIndexByte(text, '\x1b'); i >= 0 && bytes.HasPrefix(pasteEnd, text[i:]) {
		text = text[:i] // perhaps the beginning of the end
	}
	k.paste = append(k.paste, text[:min(len(text), maxPaste-len(k.paste))]...)
	k.buf = k.buf[len(text):]
	if end < 0 {
		return false
	}
	k.buf = k.buf[len(pasteEnd):]
	k.send(tea.PasteMsg{Content: string(bytes.ToValidUTF8(k.paste, nil))})
	k.pasting, k.paste = false, nil
	return true
}

// emit passes on keys and what a terminal says it can do. Nothing else that a
// client can make up becomes a message: no window size, no mouse, no focus.
func (k *keyReader) emit(ev uv.Event) {
	switch ev := ev.(type) {
	case uv.MultiEvent:
		for _, e := range ev {
			k.emit(e)
		}
	case uv.KeyPressEvent, uv.CapabilityEvent:
		k.send(ev)
	}
}
