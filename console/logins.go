package console

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"plumb/console/ration"
	"plumb/fleet"
)

// How many refused logins are audited: a burst, then a trickle. What does not
// fit is counted and said in one line, so that a stranger with a loop can
// neither fill the store nor hide in it.
const (
	deniedBurst = 20
	deniedEvery = 10 * time.Second
	logoutQueue = 256
)

// logins writes who came, who went and who was turned away. A login is in the
// log before its session does anything, so that the order of the log is the
// order of what happened; the ends are gathered and may come later. A store
// that takes nothing keeps nobody out, for that is when the screens are needed
// most: what it did not take is counted, and said when it takes it.
type logins struct {
	write func(context.Context, fleet.AuditEntry) error
	log   *slog.Logger
	now   func() time.Time
	queue chan fleet.AuditEntry
	limit *rate.Limiter  // of strangers
	share *ration.Ration // of each user

	mu     sync.Mutex // guards what follows
	unsaid int        // refused logins not audited one by one
}

func newLogins(d Deps) *logins {
	return &logins{
		write: d.Audit, log: d.Log, now: d.Now,
		queue: make(chan fleet.AuditEntry, logoutQueue),
		limit: rate.NewLimiter(rate.Every(deniedEvery), deniedBurst),
		share: ration.New(d.Audit, d.Now),
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
	ctx, cancel := context.WithTimeout(context.Background(), ration.Patience)
	defer cancel()
	for {
		select {
		case e := <-l.queue:
			l.store(ctx, e)
		default:
			l.share.Flush(ctx)
			return
		}
	}
}

// store writes one entry now; what is not taken is counted.
func (l *logins) store(ctx context.Context, e fleet.AuditEntry) {
	if err := ration.Write(ctx, l.write, e); err != nil {
		l.log.Error("login not audited", "who", e.Who, "from", e.From, "action", e.Action, "err", err)
		l.share.Count(e)
	}
}

// put hands an entry to run; where there is no room it is counted.
func (l *logins) put(e fleet.AuditEntry) {
	select {
	case l.queue <- e:
	default:
		l.share.Count(e)
	}
}

// came writes a login, whole before it returns. Screens are always written;
// verbs, which a script can run in a loop, within the user's share. It reports
// whether the end of the session is worth an entry too.
func (l *logins) came(id identity, from, kind, target string) bool {
	l.log.Info("login", "user", id.User, "role", id.Role, "from", from, "for", target, "key", id.Key)
	e := fleet.AuditEntry{At: l.now().UTC(), Who: id.User, From: from, Action: "login", Target: target, Outcome: "done", Reason: "role " + id.Role.String() + ", key " + id.Key}
	if kind != kindVerb {
		l.store(context.Background(), e)
		return true
	}
	written, err := l.share.Say(context.Background(), e)
	if err != nil {
		l.log.Error("login not audited", "who", e.Who, "from", e.From, "err", err)
	}
	return written
}

// went notes the end of a session, or of a connection that never had one.
func (l *logins) went(id identity, from, target, why string, after time.Duration, audited bool) {
	l.log.Info("logout", "user", id.User, "from", from, "for", target, "after", after.Round(time.Second), "why", why)
	e := fleet.AuditEntry{At: l.now().UTC(), Who: id.User, From: from, Action: "logout", Target: target, Outcome: "done", Reason: why}
	if audited {
		l.put(e)
		return
	}
	l.share.Count(e)
}

// vain notes a connection of somebody we know that asked for no session: a key
// that is tried out leaves a trace.
func (l *logins) vain(user, from string, after time.Duration) {
	user = fleet.Clean(user, maxUserName)
	l.log.Info("no session", "user", user, "from", from, "after", after.Round(time.Second))
	e := fleet.AuditEntry{At: l.now().UTC(), Who: user, From: from, Action: "login", Target: "no session", Outcome: "done", Reason: "connected for " + after.Round(time.Second).String()}
	if l.share.Allow(e) {
		l.put(e)
	}
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
	l.put(fleet.AuditEntry{At: l.now().UTC(), Who: name, From: from, Action: "login", Target: "console", Outcome: "denied", Reason: fmt.Sprintf("unknown user or key, %d offered", keys)})
}

// sum says how many strangers were not written one by one.
func (l *logins) sum() {
	l.mu.Lock()
	unsaid := l.unsaid
	l.unsaid = 0
	l.mu.Unlock()
	if unsaid == 0 {
		return
	}
	l.log.Warn("logins not audited one by one", "refused", unsaid)
	l.put(fleet.AuditEntry{At: l.now().UTC(), Who: "plumb", From: "local", Action: "login", Target: "console", Outcome: "denied",
		Reason: fmt.Sprintf("%d more logins refused", unsaid)})
}
