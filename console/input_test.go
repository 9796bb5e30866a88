package console

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	uv "github.com/charmbracelet/ultraviolet"
)

// typed collects what a reader makes of chunks of bytes.
func typed(t *testing.T, chunks ...string) []string {
	t.Helper()
	r, w := io.Pipe()
	go func() {
		for _, c := range chunks {
			_, _ = io.WriteString(w, c)
		}
		_ = w.Close()
	}()
	var mu sync.Mutex
	var got []string
	_ = readKeys(context.Background(), r, func(m tea.Msg) {
		mu.Lock()
		defer mu.Unlock()
		switch m := m.(type) {
		case uv.KeyPressEvent:
			got = append(got, m.String())
		case tea.PasteMsg:
			got = append(got, "paste:"+m.Content)
		default:
			t.Errorf("message %T %v", m, m)
		}
	})
	return got
}

func TestKeysFromBytes(t *testing.T) {
	for name, c := range map[string]struct {
		in   []string
		want string
	}{
		"letters":             {[]string{"jk", "G"}, "j k G"},
		"arrows":              {[]string{"\x1b[A\x1b[B\x1bOC"}, "up down right"},
		"arrow in two pieces": {[]string{"\x1b[", "A"}, "up"},
		"utf-8 in two pieces": {[]string{"\xc3", "\xa4"}, "ä"},
		"escape at the end":   {[]string{"\x1b"}, "esc"},
		"controls":            {[]string{"\x03\x0c\r\t\x7f"}, "ctrl+c ctrl+l enter tab backspace"},
		"paste":               {[]string{"a\x1b[200~q\x1b[31m\ny", "es\x1b[20", "1~b"}, "a paste:q\x1b[31m\nyes b"},
		"paste without end":   {[]string{"\x1b[200~left open"}, ""},
		"mouse and focus":     {[]string{"\x1b[<0;3;4M\x1b[I\x1b[Oj"}, "j"},
		"a size of its own":   {[]string{"\x1b[48;9999;9999;0;0tj"}, "j"},
	} {
		if got := strings.Join(typed(t, c.in...), " "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestPasteIsBounded: the stock reader keeps a paste of any length.
func TestPasteIsBounded(t *testing.T) {
	chunks := []string{"\x1b[200~"}
	for range 200 {
		chunks = append(chunks, strings.Repeat("x", 4096))
	}
	got := typed(t, append(chunks, "\x1b[201~j")...)
	if len(got) != 2 || len(got[0]) != len("paste:")+maxPaste || got[1] != "j" {
		t.Errorf("%d messages, the first of %d bytes", len(got), len(got[0]))
	}
}

// TestUnfinishedSequenceIsBounded: one that never ends must not gather the
// rest of a life's typing.
func TestUnfinishedSequenceIsBounded(t *testing.T) {
	k := &keyReader{send: func(tea.Msg) {}}
	for range 100 {
		k.buf = append(k.buf, "\x1b]0;"+strings.Repeat("y", 1000)...)
		k.decode(false)
		if len(k.buf) > 2*maxSequence {
			t.Fatalf("%d bytes are held", len(k.buf))
		}
	}
}

// TestReaderEndsWithItsSession: the stock reader blocks for ever on a key that
// nobody takes any more.
func TestReaderEndsWithItsSession(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	defer w.Close()
	ended := make(chan struct{})
	go func() {
		_ = readKeys(ctx, r, func(tea.Msg) { <-ctx.Done() })
		close(ended)
	}()
	go func() { _, _ = io.WriteString(w, "jjjj") }()
	cancel()
	select {
	case <-ended:
	case <-time.After(3 * time.Second):
		t.Fatal("the reader outlived its session")
	}
}

func FuzzKeys(f *testing.F) {
	f.Add([]byte("\x1b[200~x\x1b[201~\x1b]11;rgb:ff/ff/ff\x07\x1bP1+r524742\x1b\\"), 3)
	f.Add([]byte("\x1b[1;5A\x1b[?2026;2$y\xff\xfe\x1b[M   "), 1)
	f.Fuzz(func(t *testing.T, in []byte, cut int) {
		k := &keyReader{send: func(tea.Msg) {}}
		cut = max(1, cut%7)
		for len(in) > 0 {
			n := min(cut, len(in))
			k.buf = append(k.buf, in[:n]...)
			in = in[n:]
			k.decode(false)
			if len(k.paste) > maxPaste || len(k.buf) > 2*maxSequence {
				t.Fatalf("held %d and %d bytes", len(k.paste), len(k.buf))
			}
		}
		k.decode(true)
		if len(k.buf) != 0 && !k.pasting {
			t.Fatalf("%q is left", k.buf)
		}
	})
}

// TestPasteOverASlowLink: wherever a link tears a paste apart, and however
// long the rest takes, what was pasted is not taken for keys.
func TestPasteOverASlowLink(t *testing.T) {
	whole := pasteBeginText + "dq\x1b[A\r" + pasteEndText + "q"
	for cut := 1; cut < len(whole); cut++ {
		for _, gap := range []time.Duration{120 * time.Millisecond, 800 * time.Millisecond} {
			synctest.Test(t, func(t *testing.T) {
				r, w := io.Pipe()
				go func() {
					_, _ = io.WriteString(w, whole[:cut])
					time.Sleep(gap) // the clock of the bubble
					_, _ = io.WriteString(w, whole[cut:])
					_ = w.Close()
				}()
				var got []string
				_ = readKeys(t.Context(), r, func(m tea.Msg) {
					switch m := m.(type) {
					case uv.KeyPressEvent:
						got = append(got, m.String())
					case tea.PasteMsg:
						got = append(got, "paste:"+m.Content)
					}
				})
				want := "paste:dq\x1b[A\r q"
				if cut == 1 {
					want = "esc " + want // which it was, for all anybody knew
				}
				if s := strings.Join(got, " "); s != want {
					t.Errorf("torn after %q, %s later the rest: %q, want %q", whole[:cut], gap, s, want)
				}
			})
		}
	}
}

const pasteBeginText, pasteEndText = "\x1b[200~", "\x1b[201~"
