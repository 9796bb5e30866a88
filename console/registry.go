package console

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"plumb/fleet"
)

// Registry knows every session there is: for the verb who, for the header's
// "here", for the metrics, and to end them all.
type Registry struct {
	frames atomic.Uint64
	bytes  atomic.Uint64

	mu     sync.Mutex // guards what follows
	next   uint64
	guests map[uint64]*guest
	themes map[string]string // by user: the theme last chosen
	bells  map[string]Bell   // by user: the bell last chosen, or configured
	at     map[string]int    // by user: screens
	of     map[string]int    // by user: sessions of any kind
	names  []string          // the users of screens, sorted; nil: to be made again
	peak   int               // most guests since memory was last given back
	freed  time.Time         // when that was
	empty  chan struct{}
}

// Who is one session, for people and scripts.
type Who struct {
	ID    uint64     `json:"id"`
	User  string     `json:"user"`
	Role  fleet.Role `json:"role"`
	From  string     `json:"from"` // host:port, or "local"
	Kind  string     `json:"kind"` // screen wall verb
	View  string     `json:"view"` // id of the view on screen, or the verb
	Since time.Time  `json:"since"`
	IdleS int64      `json:"idle_s"` // since the last key
}

// guest is a session while it lasts.
type guest struct {
	Who
	registry *Registry
	view     atomic.Pointer[string]
	lastKey  atomic.Int64 // Unix nanoseconds
	quit     func(why string)
}

// NewRegistry returns a registry without sessions.
func NewRegistry() *Registry {
	return &Registry{guests: make(map[uint64]*guest), themes: make(map[string]string), bells: make(map[string]Bell), at: make(map[string]int), of: make(map[string]int)}
}

// places are how many sessions there may be; 0: any number.
type places struct{ all, user int }

// Why there is no place for a session.
var (
	errFull     = errors.New("all places are taken, try again in a moment")
	errUserFull = errors.New("too many sessions of yours, end one of them")
)

// enter adds a session, or says why there is no place for it. quit asks the
// session to end and must not block.
func (r *Registry) enter(w Who, p places, quit func(why string)) (*guest, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.all > 0 && w.Role >= fleet.RoleAdmin {
		p.all += adminPlaces
	}
	switch {
	case p.all > 0 && len(r.guests) >= p.all:
		return nil, errFull
	case p.user > 0 && r.of[w.User] >= p.user:
		return nil, errUserFull
	}
	r.next++
	w.ID = r.next
	g := &guest{Who: w, registry: r, quit: quit}
	g.view.Store(&w.View)
	g.lastKey.Store(w.Since.UnixNano())
	r.guests[w.ID] = g
	r.peak = max(r.peak, len(r.guests))
	r.count(w, +1)
	return g, nil
}

// count keeps who has sessions, and who looks at screens.
func (r *Registry) count(w Who, by int) {
	if r.of[w.User] += by; r.of[w.User] == 0 {
		delete(r.of, w.User)
	}
	if w.Kind == kindVerb {
		return
	}
	if r.at[w.User] += by; r.at[w.User] == 0 {
		delete(r.at, w.User)
	}
	r.names = nil
}

// Memory is given back when a crowd has left: the runtime keeps the heap of
// 500 sessions for minutes otherwise.
const (
	crowd     = 50
	freeEvery = time.Minute
)

func (g *guest) leave(now time.Time) {
	r := g.registry
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.guests[g.ID] != g {
		return
	}
	delete(r.guests, g.ID)
	r.count(g.Who, -1)
	if len(r.guests) == 0 && r.empty != nil {
		close(r.empty)
		r.empty = nil
	}
	if r.peak >= crowd && len(r.guests) <= r.peak/4 && now.Sub(r.freed) >= freeEvery {
		r.peak, r.freed = len(r.guests), now
		go debug.FreeOSMemory()
	}
}

func (g *guest) touched(now time.Time) { g.lastKey.Store(now.UnixNano()) }

func (g *guest) looksAt(view string) {
	if *g.view.Load() != view {
		g.view.Store(&view)
	}
}

func (g *guest) viewing() string { return *g.view.Load() }

// Who lists the sessions, longest first.
func (r *Registry) Who(now time.Time) []Who {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]Who, 0, len(r.guests))
	for _, g := range r.guests {
		w := g.Who
		w.View = *g.view.Load()
		w.IdleS = max(0, int64(now.Sub(time.Unix(0, g.lastKey.Load())).Seconds()))
		all = append(all, w)
	}
	slices.SortFunc(all, func(a, b Who) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// ByRole counts the sessions of each role.
func (r *Registry) ByRole() map[fleet.Role]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := make(map[fleet.Role]int)
	for _, g := range r.guests {
		n[g.Role]++
	}
	return n
}

// Frames returns how many frames all sessions have drawn, and their bytes.
func (r *Registry) Frames() (frames, bytes uint64) { return r.frames.Load(), r.bytes.Load() }

// maxThemes bounds the remembered choices; keys that may use any name could
// grow them without end.
const maxThemes = 4096

func (r *Registry) themeOf(user string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.themes[user]
}

func (r *Registry) rememberTheme(user, theme string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.themes[user]; known || len(r.themes) < maxThemes {
		r.themes[user] = theme
	}
}

func (r *Registry) bellOf(user string) Bell {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bells[user]
}

func (r *Registry) rememberBell(user string, b Bell) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.bells[user]; known || len(r.bells) < maxThemes {
		r.bells[user] = b
	}
}

// configureBells takes the bells of a configuration, for users who have not
// chosen one here.
func (r *Registry) configureBells(users []User) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, u := range users {
		if _, chosen := r.bells[u.Name]; !chosen && u.Bell != BellOff && u.Name != "" {
			r.bells[u.Name] = u.Bell
		}
	}
}

// here names the people at other screens. It is asked once a second by every
// session, so that it must not look at each of them.
func (r *Registry) here(g *guest) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.names == nil {
		r.names = slices.Sorted(maps.Keys(r.at))
	}
	if i, ok := slices.BinarySearch(r.names, g.User); ok && r.at[g.User] == 1 {
		return slices.Concat(r.names[:i], r.names[i+1:])
	}
	return r.names // never written
}

func (r *Registry) size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.guests)
}

// quitFrom asks the sessions of one connection to end.
func (r *Registry) quitFrom(from, why string) {
	r.mu.Lock()
	var all []*guest
	for _, g := range r.guests {
		if g.From == from {
			all = append(all, g)
		}
	}
	r.mu.Unlock()
	for _, g := range all {
		g.quit(why)
	}
}

// quitAll asks every session to end and waits until all have or ctx ends.
func (r *Registry) quitAll(ctx context.Context, why string) {
	r.mu.Lock()
	all := make([]*guest, 0, len(r.guests))
	for _, g := range r.guests {
		all = append(all, g)
	}
	gone := make(chan struct{})
	if len(all) == 0 {
		close(gone)
	} else if r.empty == nil {
		r.empty = gone
	} else {
		gone = r.empty
	}
	r.mu.Unlock()
	for _, g := range all {
		g.quit(why)
	}
	select {
	case <-gone:
	case <-ctx.Done():
	}
}
