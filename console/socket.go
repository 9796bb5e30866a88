package console

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"plumb/fleet"
)

// SocketName is the control socket's file in the store's directory.
const SocketName = "plumb.sock"

// The control socket carries verbs beside a running process: one JSON request
// line, then frames until one has a code.
type socketRequest struct {
	Args     []string `json:"args"`
	Terminal bool     `json:"terminal"`
	Width    int      `json:"width"`
}

type socketFrame struct {
	Out  []byte `json:"out,omitempty"`
	Err  []byte `json:"err,omitempty"`
	Code *int   `json:"code,omitempty"`
}

// maxSocketCalls bounds the verbs under way over the socket.
const maxSocketCalls = 16

// ServeSocket answers verbs on DIR/plumb.sock (mode 0600) until ctx ends. Who
// may open the file and has the process's own uid, or is root, is admin.
func ServeSocket(ctx context.Context, dir string, run func(context.Context, VerbCall) int, log *slog.Logger) error {
	path := filepath.Join(dir, SocketName)
	// The store's lock says that no other process lives here: a socket that
	// is left is a dead one's.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("control socket: %w", err)
	}
	old := unix.Umask(0o177)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	unix.Umask(old)
	if err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	defer l.Close()
	slots := make(chan struct{}, maxSocketCalls)
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		conn, err := l.AcceptUnix()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("control socket: %w", err)
		}
		select {
		case slots <- struct{}{}:
		default:
			conn.Close()
			continue
		}
		wg.Go(func() {
			defer func() { <-slots }()
			defer conn.Close()
			if err := answer(ctx, conn, run); err != nil && ctx.Err() == nil {
				log.Debug("control socket", "err", err)
			}
		})
	}
}

func answer(ctx context.Context, conn *net.UnixConn, run func(context.Context, VerbCall) int) error {
	if err := samePeer(conn); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Now()) })
	defer stop()
	r := bufio.NewReader(io.LimitReader(conn, 1<<20))
	line, err := r.ReadBytes('\n')
	if err != nil {
		return err
	}
	var req socketRequest
	if err := json.Unmarshal(line, &req); err != nil {
		return err
	}
	go func() { // a caller that hangs up ends its verb
		_, _ = r.ReadByte()
		cancel()
	}()
	var mu sync.Mutex // one frame at a time on the connection
	e := json.NewEncoder(conn)
	send := func(f socketFrame) error {
		mu.Lock()
		defer mu.Unlock()
		return e.Encode(f)
	}
	code := run(ctx, VerbCall{
		Caller: Caller{User: "local", Role: fleet.RoleAdmin, From: "local"}, Args: req.Args, Terminal: req.Terminal, Width: req.Width,
		Stdout: frameWriter(func(b []byte) error { return send(socketFrame{Out: b}) }),
		Stderr: frameWriter(func(b []byte) error { return send(socketFrame{Err: b}) }),
	})
	return send(socketFrame{Code: &code})
}

type frameWriter func([]byte) error

func (w frameWriter) Write(b []byte) (int, error) {
	if err := w(b); err != nil {
		return 0, io.ErrClosedPipe
	}
	return len(b), nil
}

// samePeer lets in the process's own uid and root.
func samePeer(conn *net.UnixConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	uid, err := -1, error(nil)
	if cerr := raw.Control(func(fd uintptr) { uid, err = peerUID(int(fd)) }); cerr != nil {
		return cerr
	}
	if err != nil {
		return err
	}
	if uid != os.Getuid() && uid != 0 {
		return fmt.Errorf("uid %d may not use the control socket", uid)
	}
	return nil
}

// ErrNoProcess says that nothing answers on the control socket.
var ErrNoProcess = errors.New("no plumb runs here")

// CallSocket runs a verb in the process that owns dir and copies its output.
func CallSocket(ctx context.Context, dir string, args []string, terminal bool, width int, stdout, stderr io.Writer) (int, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", filepath.Join(dir, SocketName))
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrNoProcess, err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := json.NewEncoder(conn).Encode(socketRequest{args, terminal, width}); err != nil {
		return 0, err
	}
	for dec := json.NewDecoder(conn); ; {
		var f socketFrame
		if err := dec.Decode(&f); err != nil {
			return 0, fmt.Errorf("the process went away: %w", err)
		}
		if _, err := stdout.Write(f.Out); err != nil {
			return 0, err
		}
		if _, err := stderr.Write(f.Err); err != nil {
			return 0, err
		}
		if f.Code != nil {
			return *f.Code, nil
		}
	}
}
