package systemd

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Notifier speaks to the service manager. All methods may be called from any
// goroutine and of a nil Notifier.
type Notifier struct {
	conn     *net.UnixConn
	watchdog time.Duration // how long the manager waits for a word; 0: it does not

	mu   sync.Mutex // guards what follows
	last string     // the status that was said last
}

// writeWithin bounds a word: the manager's queue is full when it is busy, and
// what could not be said then is said later or need not be said.
const writeWithin = time.Second

// FromEnvironment returns a notifier for the manager that started this process,
// nil where none did. It takes the variables away: what plumb starts is not the
// service.
func FromEnvironment() (*Notifier, error) {
	socket, usec, pid := os.Getenv("NOTIFY_SOCKET"), os.Getenv("WATCHDOG_USEC"), os.Getenv("WATCHDOG_PID")
	for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} {
		if err := os.Unsetenv(name); err != nil {
			return nil, err
		}
	}
	if socket == "" {
		return nil, nil
	}
	n, err := dial(socket)
	if err != nil {
		return nil, err
	}
	if pid == "" || pid == strconv.Itoa(os.Getpid()) {
		n.watchdog, err = interval(usec)
	}
	return n, err
}

// dial connects to a socket of the file system, or, after @, of the abstract
// name space.
func dial(socket string) (*Notifier, error) {
	if !strings.HasPrefix(socket, "/") && !strings.HasPrefix(socket, "@") {
		return nil, fmt.Errorf("NOTIFY_SOCKET: %q is neither a path nor an abstract name", socket)
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("NOTIFY_SOCKET: %w", err)
	}
	return &Notifier{conn: conn}, nil
}

func interval(usec string) (time.Duration, error) {
	if usec == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(usec, 10, 64)
	if err != nil || n <= 0 || n > int64(24*time.Hour/time.Microsecond) {
		return 0, fmt.Errorf("WATCHDOG_USEC: %q is no number of microseconds", usec)
	}
	return time.Duration(n) * time.Microsecond, nil
}

// Ready says that plumb serves, and at the end of a reload that it does again.
func (n *Notifier) Ready() error { return n.say("READY=1") }

// Reloading says that a reload has begun (Type=notify-reload).
func (n *Notifier) Reloading() error {
	usec, err := monotonic()
	if err != nil {
		return err
	}
	return n.say("RELOADING=1\nMONOTONIC_USEC=" + strconv.FormatInt(usec, 10))
}

// Stopping says that plumb was told to stop and does.
func (n *Notifier) Stopping() error { return n.say("STOPPING=1") }

// Status says in one line how the fleet is; what was said last is not said again.
func (n *Notifier) Status(text string) error {
	if n == nil {
		return nil
	}
	text = strings.Join(strings.Fields(text), " ")
	n.mu.Lock()
	again := n.last == text
	n.last = text
	n.mu.Unlock()
	if again {
		return nil
	}
	return n.say("STATUS=" + text)
}

func (n *Notifier) say(words string) error {
	if n == nil {
		return nil
	}
	if err := n.conn.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return err
	}
	_, err := n.conn.Write([]byte(words))
	return err
}
