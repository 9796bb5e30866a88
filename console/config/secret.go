package config

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"time"

	"plumb/internal/program"
)

// ErrSecret says that a secret could not be fetched. Its text names where the
// secret should be, never what it is.
var ErrSecret = errors.New("secret not available")

// Bounds of a secret.
const (
	maxSecret   = 16 << 10 // bytes
	execTimeout = 10 * time.Second
)

// Secret is where a secret is; the zero Secret is none. It prints as
// "(secret)" however it is printed: what it knows is behind a function.
type Secret struct {
	where string // "environment variable X", "file Y", "command Z"
	fetch func(context.Context) (string, error)
}

// Set reports whether there is a secret at all.
func (s Secret) Set() bool { return s.fetch != nil }

// Get fetches the secret. It is called when a session is opened, so that a
// changed secret needs no restart. No secret is "" without an error.
func (s Secret) Get(ctx context.Context) (string, error) {
	if s.fetch == nil {
		return "", nil
	}
	text, err := s.fetch(ctx)
	if err != nil {
		return "", fmt.Errorf("%w: %s: %w", ErrSecret, s.where, err)
	}
	if text == "" {
		return "", fmt.Errorf("%w: %s: is empty", ErrSecret, s.where)
	}
	return text, nil
}

const redacted = "(secret)"

// String hides the secret.
func (Secret) String() string { return redacted }

// GoString hides the secret.
func (Secret) GoString() string { return redacted }

// MarshalText hides the secret, in JSON too.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue hides the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

func plainSecret(text string) Secret {
	return Secret{"the file", func(context.Context) (string, error) { return text, nil }}
}

func envSecret(name string, lookup func(string) (string, bool)) Secret {
	return Secret{"environment variable " + name, func(context.Context) (string, error) {
		text, ok := lookup(name)
		if !ok {
			return "", errors.New("is not set")
		}
		return bounded(text)
	}}
}

func fileSecret(path string) Secret {
	return Secret{"file " + path, func(context.Context) (string, error) {
		f, err := openRegular(path)
		if err != nil {
			return "", reason(err)
		}
		defer f.Close()
		b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
		if err != nil {
			return "", reason(err)
		}
		return bounded(string(b))
	}}
}

// execSecret runs a program without a shell and takes what it prints.
func execSecret(args []string) Secret {
	return Secret{"command " + args[0], func(ctx context.Context) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, execTimeout)
		defer cancel()
		out := program.Head{Most: maxSecret + 1}
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Stdout = &out
		cmd.WaitDelay = time.Second
		if err := cmd.Run(); err != nil {
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			return "", reason(err)
		}
		return bounded(out.String())
	}}
}

// bounded drops the newline that editors and programs put at the end.
func bounded(text string) (string, error) {
	if len(text) > maxSecret {
		return "", fmt.Errorf("is longer than %d bytes", maxSecret)
	}
	return strings.TrimRight(text, "\r\n"), nil
}

// reason strips the path that the caller says already.
func reason(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
