package console

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"plumb/fleet"
)

// How many refused logins are audited: a burst, then a trickle. What does not
// fit is counted and said in one line, so that a stranger with a loop can
// neither fill the store nor hide in it.
const (
	deniedBurst   = 20
	deniedEvery   = 10 * time.Second
	loginQueue    = 256
	auditPatience = 5 * time.Second
)

// logins writes who came, who went and who was turned away. It never makes a
// login wait for the disk.
type logins struct {
	write func(context.Context, fleet.AuditEntry) error
	log   *slog.Logger
	now   func() time.Time
	queue chan fleet.AuditEntry
	limit *rate.Limiter

	mu     sync.Mutex // guards what follows
	unsaid int        // refused logins not audited one by one
	lost   int        // entries the queue had no room for
}

func newLogins(d Deps) *logins {
	return &logins{
		write: d.Audit, log: d.Log, now: d.Now,
		queue: make(chan fleet.AuditEntry, loginQueue),
		limit: rate.NewLimiter(rate.Every(deniedEvery), deniedBurst),
	}
}

// run writes until ctx ends, then what is left, within a bound.
func (l *logins) run(ctx context.Context) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case e := <-l.queue:
			l.store(ctx, e)
		case <-tick.C:
			l.sum()
		case <-ctx.Done():
			l.flush()
			return
		}
	}
}

func (l *logins) flush() {
	l.sum()
	ctx, cancel := context.WithTimeout(context.Background(), auditPatience)
	defer cancel()
	for {
		select {
		case e := <-l.queue:
			l.store(ctx, e)
		default:
			return
		}
	}
}

func (l *logins) store(ctx context.Context, e fleet.AuditEntry) {
	if l.write == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditPatience)
	defer cancel()
	if err := l.write(ctx, e); err != nil {
		l.log.Error("login not audited", "who", e.Who, "from", e.From, "action", e.Action, "err", err)
	}
}

func (l *logins) put(e fleet.AuditEntry) {
	e.At = l.now().UTC()
	select {
	case l.queue <- e:
	default:
		l.mu.Lock()
		l.lost++
		l.mu.Unlock()
	}
}

func (l *logins) came(id identity, from, kind string) {
	l.log.Info("login", "user", id.User, "role", id.Role, "from", from, "for", kind, "key", id.Key)
	l.put(fleet.AuditEntry{Who: id.User, From: from, Action: "login", Target: kind, Outcome: "done", Reason: "role " + id.Role.String() + ", key " + id.Key})
}

func (l *logins) went(id identity, from, kind, why string, after time.Duration) {
	l.log.Info("logout", "user", id.User, "from", from, "for", kind, "after", after.Round(time.Second), "why", why)
	l.put(fleet.AuditEntry{Who: id.User, From: from, Action: "logout", Target: kind, Outcome: "done", Reason: why})
}

// denied notes a connection that nobody we know stood behind.
func (l *logins) denied(name, from string, keys int) {
	name = fleet.Clean(name, maxUserName)
	if !l.limit.AllowN(l.now(), 1) {
		l.mu.Lock()
		l.unsaid++
		l.mu.Unlock()
		return
	}
	l.log.Warn("login refused", "user", name, "from", from, "keys", keys)
	l.put(fleet.AuditEntry{Who: name, From: from, Action: "login", Target: "console", Outcome: "denied", Reason: fmt.Sprintf("unknown user or key, %d offered", keys)})
}

// sum says how many entries were not written one by one.
func (l *logins) sum() {
	l.mu.Lock()
	unsaid, lost := l.unsaid, l.lost
	l.unsaid, l.lost = 0, 0
	l.mu.Unlock()
	if unsaid+lost == 0 {
		return
	}
	l.log.Warn("logins not audited one by one", "refused", unsaid, "queue_full", lost)
	l.put(fleet.AuditEntry{Who: "plumb", From: "local", Action: "login", Target: "console", Outcome: "denied",
		Reason: fmt.Sprintf("%d more logins refused, %d entries without room", unsaid, lost)})
}
