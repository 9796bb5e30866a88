package cloud

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"plumb/fleet"
)

// maxAttributed bounds the servers of one look that are asked who changed them:
// a wave over a thousand must not cost a thousand requests.
const maxAttributed = 20

// attributed is what was seen of a server, and who made it so.
type attributed struct {
	print string // type, image and groups
	who   string
	at    time.Time
}

// action is one thing that was done to a server (Compute API reference, "List
// Actions For Server").
type action struct {
	Action string `json:"action"`
	User   string `json:"user_id"`
	Start  string `json:"start_time"` // UTC without saying so
}

// changing are the actions that change what a server is made of, as Nova calls
// them.
var changing = []string{"resize", "confirmResize", "revertResize", "rebuild", "create"}

// attribute asks who changed the servers that are made of something else than
// at the last look. The API tells it for each server alone, so only those are
// asked; who changed one before that is not asked after.
func (l *look) attribute() {
	changed := l.changed()
	if len(changed) == 0 {
		return
	}
	l.look(callActions, func() error {
		for _, s := range changed {
			if err := l.attributeOne(s); err != nil {
				return err
			}
		}
		return nil
	})
}

// changed compares every server with the last look and remembers it.
func (l *look) changed() (out []*server) {
	if l.memory.made == nil {
		l.memory.made = map[string]attributed{}
	}
	seen := make(map[string]bool, len(l.servers.rows))
	for i := range l.servers.rows {
		s := &l.servers.rows[i]
		seen[s.ID] = true
		print := strings.Join([]string{l.typeOf(s), string(s.Image), strings.Join(groupsOf(s), " ")}, "\x1f")
		was, known := l.memory.made[s.ID]
		if known && was.print != print && len(out) < maxAttributed {
			out = append(out, s)
			was.who, was.at = "", time.Time{}
		}
		was.print = print
		l.memory.made[s.ID] = was
	}
	if l.servers.partial == "" && l.read[callInstances] {
		for id := range l.memory.made {
			if !seen[id] {
				delete(l.memory.made, id)
			}
		}
	}
	return out
}

func (l *look) attributeOne(s *server) error {
	var answer struct {
		Actions []action `json:"instanceActions"`
	}
	if err := l.get(l.ctx, l.in.compute, serverPath(s.ID)+"/os-instance-actions", url.Values{"limit": {"10"}}, &answer); err != nil {
		return err
	}
	for _, a := range answer.Actions { // newest first
		if !slices.Contains(changing, a.Action) {
			continue
		}
		was := l.memory.made[s.ID]
		was.who, was.at = fleet.Clean(a.User, maxID)+" ("+fleet.Clean(a.Action, 32)+")", launched(a.Start)
		l.memory.made[s.ID] = was
		break
	}
	return nil
}
