package ipmi

import (
	"bytes"
	"context"
	"fmt"
	"slices"

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

// without returns the limits with the i-th suite closed.
func (t suiteTable) without(i int) []byte {
	out := bytes.Clone(t.limits)
	out[1+i/2] &^= 15 << (i % 2 * 4)
	return out
}

// closeSuite lets nobody in by a cipher suite, whatever the privilege.
func (h *hand) closeSuite(ctx context.Context) error {
	id, err := h.number("suite")
	if err != nil {
		return err
	}
	if id == h.s.suite.id {
		return h.refuse("this session speaks it")
	}
	lan, err := h.lan(ctx)
	if err != nil {
		return lost(err)
	}
	t, err := readSuiteTable(ctx, h.s.do, lan)
	if err != nil {
		return lost(err)
	}
	i := slices.Index(t.ids, byte(id))
	if i < 0 {
		return h.refuse(fmt.Sprintf("the BMC does not list suite %d", id))
	}
	state := func(t suiteTable) string {
		if t.limit(i) == 0 {
			return suiteClosed
		}
		return t.limit(i).String()
	}
	if h.out.Before = state(t); h.out.Before == suiteClosed {
		return h.already()
	}
	begun, err := lan.change(ctx, h.s, func() error {
		return lan.write(ctx, h.s, paramSuiteLimits, t.without(i)...)
	})
	if !begun {
		return err
	}
	return h.confirm(ctx, err, suiteClosed, h.settle, func() (string, error) {
		now, err := readSuiteTable(ctx, h.s.do, lan)
		if err != nil {
			return "", err
		}
		switch slices.Index(now.ids, byte(id)) {
		case i:
			return state(now), nil
		case -1: // not listed any more
			return suiteClosed, nil
		}
		return "", fail(opLAN, fleet.ErrProtocol, "the list of suites changed its order")
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
