package alert

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"time"

	"plumb/fleet"
)

// maxPages bounds the alerts of one notice. The rest is counted, or told in further
// notices where a receiver knows every alert by itself: it must hear of each end.
const maxPages = 50

// knowsEach reports whether a receiver knows every alert by itself, and its end.
func (b *Book) knowsEach(receiver string) bool { return slices.Contains(b.each, receiver) }

// notice writes what a group has to say: that some of its alerts fire or flap and
// that others are over. fires says whether anything of the group does. Its key is
// made of what it says and of when something was said before, so that the same
// word has the same key wherever it is made again.
func (w *work) notice(g *fleet.AlertGroup, said, over []*fleet.Alert, fires bool) {
	all := slices.Concat(said, over)
	slices.SortStableFunc(all, func(a, b *fleet.Alert) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), a.Since.Compare(b.Since), order(a, b))
	})
	sum := sha256.New()
	sum.Write([]byte(g.Key + "\x00" + g.Sent.UTC().Format(time.RFC3339Nano)))
	var word []byte
	for _, a := range all {
		word = append(append(word[:0], '\x00'), a.ID()...)
		word = append(append(append(word, ' '), pageStatus(a)...), ' ')
		sum.Write(strconv.AppendInt(word, a.Since.UnixNano(), 10))
	}
	each := w.rules.knowsEach(g.Receiver)
	p := fleet.Pages{Receiver: g.Receiver, Group: g.Key, Labels: g.Labels, Status: "resolved"}
	if fires {
		p.Status = string(fleet.AlertFiring)
	}
	for first := 0; first == 0 || each && first < len(all); first += maxPages {
		if first > 0 {
			sum.Write([]byte("\x00" + strconv.Itoa(first)))
		}
		p.Alerts = w.pages(all[first:min(first+maxPages, len(all))])
		if !each {
			p.More = len(all) - len(p.Alerts)
		}
		w.out.Notices = append(w.out.Notices, fleet.Notice{Key: hex.EncodeToString(sum.Sum(nil)[:16]), Receiver: g.Receiver, At: w.now, Expires: w.now.Add(g.Repeat), Body: encode(p)})
	}
}

// pages are alerts as they are told, each with how many others it holds.
func (w *work) pages(list []*fleet.Alert) []fleet.Page {
	if w.holds == nil {
		w.holds = map[string]int{}
		for _, a := range w.standing(true) {
			if a.Held != nil {
				w.holds[a.Held.By]++
			}
		}
	}
	out := make([]fleet.Page, len(list))
	for i, a := range list {
		out[i] = pageOf(a, w.holds[a.ID()])
	}
	return out
}
