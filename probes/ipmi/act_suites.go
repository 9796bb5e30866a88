package ipmi

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
)

// suiteTable is parameters 22 to 24 of the LAN configuration: the suites, and
// the highest privilege that each may be used for, half an octet each behind a
// reserved octet (table 23-4).
type suiteTable struct {
	ids    []byte
	limits []byte // as it came
}

// limit returns the privilege of the i-th suite; 0: it is not to be used.
func (t suiteTable) limit(i int) privilege {
	return privilege(t.limits[1+i/2] >> (i % 2 * 4) & 15)
}

// with returns the limits with some suites let in up to another privilege.
func (t suiteTable) with(want map[byte]privilege) []byte {
	out := bytes.Clone(t.limits)
	for i, id := range t.ids {
		if p, is := want[id]; is {
			at := &out[1+i/2]
			*at = *at&^(15<<(i%2*4)) | byte(p)<<(i%2*4)
		}
	}
	return out
}

// text is up to which privilege some suites let in, in the order asked for. One
// that is not listed lets nobody in.
func (t suiteTable) text(ids []byte) string {
	var out []string
	for _, id := range ids {
		word := suiteClosed
		if i := slices.Index(t.ids, id); i >= 0 && t.limit(i) != 0 {
			word = t.limit(i).String()
		}
		if len(ids) == 1 {
			return word
		}
		out = append(out, fmt.Sprintf("%d=%s", id, word))
	}
	return strings.Join(out, " ")
}

// closeSuites lets nobody in by some cipher suites, whatever the privilege.
func (h *hand) closeSuites(ctx context.Context) error {
	var ids []byte
	for _, x := range strings.Fields(h.action.Args["suite"]) {
		id, err := h.suite(x)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	return h.limitSuites(ctx, ids, map[byte]privilege{})
}

// setSuites lets in by some cipher suites up to the privilege that is said of
// each: what takes the closing of them back.
func (h *hand) setSuites(ctx context.Context) error {
	var ids []byte
	limits := map[byte]privilege{}
	for _, x := range strings.Fields(h.action.Args["limits"]) {
		number, word, _ := strings.Cut(x, "=")
		id, err := h.suite(number)
		if err != nil {
			return err
		}
		p, known := suiteLimit(word)
		if !known {
			return h.refuse(fmt.Sprintf("%q is no privilege", fleet.Clean(word, 40)))
		}
		ids, limits[id] = append(ids, id), p
	}
	return h.limitSuites(ctx, ids, limits)
}

// suiteLimit reads a privilege as facts tell it; none closes a suite.
func suiteLimit(word string) (privilege, bool) {
	if word == "none" || word == privilege(0).String() {
		return 0, true
	}
	for p, w := range privilegeWords {
		if w == word && p > 0 && p <= 15 {
			return p, true
		}
	}
	return 0, false
}

// suite reads the number of a suite that may be changed.
func (h *hand) suite(text string) (byte, error) {
	const top = 0x3f
	id, err := strconv.Atoi(text)
	switch {
	case err != nil || id < 0 || id > top:
		return 0, h.refuse(fmt.Sprintf("%q is no cipher suite", fleet.Clean(text, 40)))
	case id == h.s.suite.id:
		return 0, h.refuse("this session speaks it")
	}
	return byte(id), nil
}

// limitSuites writes the limits of some suites, all at once; of one that want
// does not name nobody is let in.
func (h *hand) limitSuites(ctx context.Context, ids []byte, want map[byte]privilege) error {
	lan, err := h.lan(ctx)
	if err != nil {
		return lost(err)
	}
	t, err := readSuiteTable(ctx, h.s.do, lan)
	if err != nil {
		return lost(err)
	}
	all := map[byte]privilege{}
	for _, id := range ids {
		if !slices.Contains(t.ids, id) {
			return h.refuse(fmt.Sprintf("the BMC does not list suite %d", id))
		}
		all[id] = want[id]
	}
	if len(ids) == 0 {
		return h.refuse("no suite is named")
	}
	then := suiteTable{t.ids, t.with(all)}
	if h.out.Before = t.text(ids); h.out.Before == then.text(ids) {
		return h.already()
	}
	begun, err := lan.change(ctx, h.s, func() error {
		return lan.write(ctx, h.s, paramSuiteLimits, then.limits...)
	})
	if !begun {
		return err
	}
	return h.confirm(ctx, err, then.text(ids), h.settle, func() (string, error) {
		now, err := readSuiteTable(ctx, h.s.do, lan)
		if err != nil {
			return "", err
		}
		for i, id := range t.ids {
			if at := slices.Index(now.ids, id); at >= 0 && at != i {
				return "", fail(opLAN, fleet.ErrProtocol, "the list of suites changed its order")
			}
		}
		return now.text(ids), nil
	})
}

// suiteClosed is a suite that nobody may use.
const suiteClosed = "closed"

// lan asks which channel this is (Get Channel Info, section 22.24): settings
// want its number.
func (h *hand) lan(ctx context.Context) (params, error) {
	const op = "get channel info"
	data, err := h.s.do(ctx, command{fn: fnApp, cmd: 0x42, data: []byte{thisChannel}, op: op})
	if err == nil && len(data) < 1 {
		err = fail(op, fleet.ErrProtocol, "no channel number")
	}
	if err != nil {
		return params{}, err
	}
	return lanOf(data[0] & 15), nil
}

// readSuiteTable reads the three parameters.
func readSuiteTable(ctx context.Context, ask asker, lan params) (suiteTable, error) {
	var got [3][]byte
	for i, p := range []byte{paramSuiteCount, paramSuites, paramSuiteLimits} {
		var err error
		if got[i], err = lan.read(ctx, ask, p); err != nil {
			return suiteTable{}, err
		}
	}
	return parseSuiteTable(got[0], got[1], got[2])
}

// parseSuiteTable refuses what does not fit together: what is read is written
// back but for one half octet.
func parseSuiteTable(count, ids, limits []byte) (suiteTable, error) {
	if len(count) != 1 || len(ids) < 1 || len(limits) != 1+maxLANSuites/2 {
		return suiteTable{}, fail(opLAN, fleet.ErrProtocol, fmt.Sprintf("suites in %d, %d and %d bytes", len(count), len(ids), len(limits)))
	}
	ids = ids[1:]
	return suiteTable{ids[:min(int(count[0]&0x1f), maxLANSuites, len(ids))], limits}, nil
}
