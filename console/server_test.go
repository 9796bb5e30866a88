package console

import (
	"strings"
	"testing"
	"time"
)

func TestFirstViewOverSSH(t *testing.T) {
	h := newHouse(t, nil)
	began := time.Now()
	d := h.show(h.client("viewer"), 80, 24, "")
	d.sees("LIVE")
	t.Logf("connect, handshake and first frame: %s", time.Since(began).Round(time.Millisecond))
	if !d.alt() {
		t.Error("the console is not on the alternate screen")
	}
	d.press("q")
	d.gone()
	if d.err != nil {
		t.Errorf("exit: %v", d.err)
	}
	if d.alt() {
		t.Error("the alternate screen was not left")
	}
	eventually(t, 2*time.Second, "login and logout audited", func() bool {
		return len(h.audited("login", "done")) == 1 && len(h.audited("logout", "done")) == 1
	})
	if n := h.bell.watchers(); n != 0 {
		t.Errorf("%d watches left open", n)
	}
}

func TestExecWithoutPTY(t *testing.T) {
	h := newHouse(t, nil)
	s, err := h.client("operator").NewSession()
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.Output(`act 'power off' "a b"\ c --json`)
	if err != nil {
		t.Fatal(err)
	}
	if want := `["act" "power off" "a b c" "--json"] tty=false width=0 user=operator role=operator` + "\n"; string(out) != want {
		t.Errorf("got %q, want %q", out, want)
	}
}

func TestVerbOnTerminal(t *testing.T) {
	h := newHouse(t, nil)
	d := h.show(h.client("viewer"), 100, 30, "devices")
	d.gone()
	if !d.sent(`["devices"] tty=true width=100`) || d.alt() {
		t.Errorf("got %q", d.raw.String())
	}
}

func TestNoTerminalNoCommandSaysSo(t *testing.T) {
	h := newHouse(t, nil)
	s, err := h.client("viewer").NewSession()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	s.Stderr = &stderr
	if err := s.Shell(); err != nil {
		t.Fatal(err)
	}
	err = s.Wait()
	if code := exitCode(err); code != exitUsage || !strings.Contains(stderr.String(), "ssh -t HOST") {
		t.Errorf("code %d, stderr %q", code, stderr.String())
	}
}
