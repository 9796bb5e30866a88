package notify

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"plumb/fleet"
)

// Exec runs a program of the user's file with a [Body] on its standard input:
// arguments as they are, never through a shell, and without plumb's environment,
// which may hold secrets. It says yes by exiting with 0; 75 (EX_TEMPFAIL of
// sysexits.h) and a death by a signal ask for another try, all else is final.
type Exec struct {
	Command []string
	Env     []string // names of variables that it gets of plumb's
}

// Kind implements [Kind].
func (*Exec) Kind() string        { return "exec" }
func (*Exec) defaultText() string { return defaultBody }
func (*Exec) pages() bool         { return false }

// Validate implements [Kind].
func (k *Exec) Validate() error {
	if len(k.Command) == 0 || k.Command[0] == "" {
		return wrong("has no command: want command: [PROGRAM, ARGUMENT...]")
	}
	for _, name := range k.Env {
		if name == "" || strings.ContainsAny(name, "= ") {
			return wrong("env: want names of variables")
		}
	}
	return nil
}

func (k *Exec) sender() Sender { return k }

const tempFail = 75

// Send implements [Sender].
func (k *Exec) Send(ctx context.Context, m *Message) (string, error) {
	var out, bad short
	c := exec.CommandContext(ctx, k.Command[0], k.Command[1:]...)
	c.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "PLUMB_KEY=" + m.Key, "PLUMB_RECEIVER=" + m.Pages.Receiver, "PLUMB_STATUS=" + m.Pages.Status}
	for _, name := range k.Env {
		if value, ok := os.LookupEnv(name); ok {
			c.Env = append(c.Env, name+"="+value)
		}
	}
	c.Stdin, c.Stdout, c.Stderr, c.WaitDelay = bytes.NewReader(m.body()), &out, &bad, time.Second
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what it began ends with it
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	err := c.Run()
	said := fleet.Clean(strings.Join(strings.Fields(out.String()+" "+bad.String()), " "), maxAnswer)
	var exit *exec.ExitError
	switch {
	case err == nil, c.ProcessState != nil && c.ProcessState.Success(): // also one that did not read all of its input
		return strings.TrimSuffix("exit 0: "+said, ": "), nil
	case ctx.Err() != nil:
		return "", refusal(Retry, "not done in time")
	case !errors.As(err, &exit):
		return "", mend(err) // it cannot be started
	}
	v := Final
	if exit.ExitCode() == tempFail || exit.ExitCode() < 0 {
		v = Retry
	}
	return "", refusal(v, strings.TrimSuffix(exit.String()+": "+said, ": "))
}

// short keeps the beginning of what is written to it.
type short struct{ bytes.Buffer }

// maxOutput bounds what is kept of what a program says, in bytes.
const maxOutput = 4 << 10

// Write implements io.Writer. It takes everything, so that nobody waits.
func (s *short) Write(p []byte) (int, error) {
	if room := maxOutput - s.Len(); room > 0 {
		s.Buffer.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}
