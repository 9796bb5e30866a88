// Package program runs a program that stands in the user's file.
//
// The one idea: nothing of plumb reaches it but what it is given, and nothing of
// it stays behind. Its arguments are handed over as they are, never through a
// shell, it does not get plumb's environment, which may hold secrets, and what it
// began ends with it. Of what it says the beginning is kept, and the rest is taken
// so that it never waits.
//
// What does not belong here: what its exit code means. Receivers of alerts
// (console/notify), runbooks (console/remedy) and looks at workloads
// (probes/health) each read it their own way.
package program

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// maxOutput bounds what is kept of each of its two outputs, in bytes.
const maxOutput = 4 << 10

// Said is what a program wrote, and how it ended; State is nil where it was not
// started.
type Said struct {
	Out, Err string
	State    *os.ProcessState
}

// Run runs a program until it or ctx ends; its error is that of [exec.Cmd.Run].
// It gets PATH, LANG and what env says.
func Run(ctx context.Context, argv, env []string, in io.Reader) (Said, error) {
	out, bad := Head{Most: maxOutput}, Head{Most: maxOutput}
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.Env = append([]string{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"}, env...)
	c.Stdin, c.Stdout, c.Stderr, c.WaitDelay = in, &out, &bad, time.Second
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what it began ends with it
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	err := c.Run()
	if c.ProcessState != nil { // also what it left behind when it ended by itself
		_ = syscall.Kill(-c.ProcessState.Pid(), syscall.SIGKILL)
	}
	return Said{out.String(), bad.String(), c.ProcessState}, err
}

// Head keeps the beginning of what is written to it. Its buffer is no embedded
// one, whose ReadFrom would take everything past Write.
type Head struct {
	Most int
	kept bytes.Buffer
}

// Write implements io.Writer. It takes everything, so that nobody waits.
func (h *Head) Write(p []byte) (int, error) {
	if room := h.Most - h.kept.Len(); room > 0 {
		h.kept.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}

func (h *Head) String() string { return h.kept.String() }
