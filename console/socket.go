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
	"runtime/debug"
	"strings"
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

// maxSocketPath is what the kernel takes, in bytes without the final zero.
const maxSocketPath = len(unix.RawSockaddrUnix{}.Path) - 1

// acceptPause is how long to wait after accept has failed, for the lack of
// file descriptors as a rule: the console works on, and they come back.
const acceptPause = 200 * time.Millisecond

// ServeSocket answers verbs on DIR/plumb.sock (mode 0600) until ctx ends. Who
// may open the file and has the process's own uid, or is root, is admin. Where
// the path is too long for a socket there is none, which is said in the log.
// bound is called once callers may come, or it is known that there is no door.
func ServeSocket(ctx context.Context, dir string, run func(context.Context, VerbCall) int, log *slog.Logger, bound func()) error {
	path := filepath.Join(dir, SocketName)
	if len(path) > maxSocketPath {
		log.Warn("no control socket: the store's path is too long for one", "bytes", len(path), "most", maxSocketPath,
			"hint", "verbs work over ssh; give the store a shorter path, or start plumb there and name it relatively")
		bound()
		return nil
	}
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
	bound()
	acceptCalls(ctx, l.AcceptUnix, run, log)
	return nil
}

// acceptCalls serves until ctx ends. Whatever accept says, the process has
// more to do than this.
func acceptCalls(ctx context.Context, accept func() (*net.UnixConn, error), run func(context.Context, VerbCall) int, log *slog.Logger) {
	slots := make(chan struct{}, maxSocketCalls)
	var wg sync.WaitGroup
	defer wg.Wait()
	for failing := false; ; {
		conn, err := accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				conn.Close()
			}
			return
		case err != nil:
			if !failing {
				log.Error("control socket: no new callers until this ends", "err", err)
			}
			failing = true
			pause(ctx, acceptPause)
			continue
		}
		failing = false
		select {
		case slots <- struct{}{}:
		default:
			conn.Close()
			continue
		}
		wg.Go(func() {
			defer func() { <-slots }()
			defer conn.Close()
			if err := answer(ctx, conn, run, log); err != nil && ctx.Err() == nil {
				log.Debug("control socket", "err", err)
			}
		})
	}
}

func answer(ctx context.Context, conn *net.UnixConn, run func(context.Context, VerbCall) int, log *slog.Logger) (err error) {
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
	defer func() {
		if r := recover(); r != nil {
			log.Error("panic in a verb", "args", fleet.Clean(strings.Join(req.Args, " "), fleet.MaxText), "panic", r, "stack", string(debug.Stack()))
			code := exitFailed
			err = errors.Join(send(socketFrame{Err: []byte(sorryVerb)}), send(socketFrame{Code: &code}))
		}
	}()
	code := run(ctx, VerbCall{
		Caller: Caller{User: "local", Role: fleet.RoleAdmin, From: "local"}, Args: req.Args, Terminal: req.Terminal, Width: req.Width,
		Stdout: frameWriter(func(b []byte) error { return send(socketFrame{Out: b}) }),
		Stderr: frameWriter(func(b []byte) error { return send(socketFrame{Err: b}) }),
	})
	return send(socketFrame{Code: &code})
}

// sorryVerb is what people read when a verb fell over.
const sorryVerb = "plumb: this verb hit a fault in plumb, which was logged\n"

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
	path := filepath.Join(dir, SocketName)
	if len(path) > maxSocketPath {
		return 0, fmt.Errorf("%w that can be asked: the path of its socket has %d bytes, at most %d work", ErrNoProcess, len(path), maxSocketPath)
	}
	conn, err := d.DialContext(ctx, "unix", path)
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
