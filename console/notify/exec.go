package notify

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"

	"plumb/fleet"
	"plumb/internal/program"
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
	env := []string{"PLUMB_KEY=" + m.Key, "PLUMB_RECEIVER=" + m.Pages.Receiver, "PLUMB_STATUS=" + m.Pages.Status}
	for _, name := range k.Env {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	p, err := program.Run(ctx, k.Command, env, bytes.NewReader(m.body()))
	said := fleet.Clean(strings.Join(strings.Fields(p.Out+" "+p.Err), " "), maxAnswer)
	var exit *exec.ExitError
	switch {
	case err == nil, p.State != nil && p.State.Success(): // also one that did not read all of its input
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
