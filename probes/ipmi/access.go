package ipmi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
)

// What a BMC tells of its doors to anyone, before a login: which kinds of
// session it takes and which cipher suites. Nothing here names a user or tries
// a password, so no account can be locked by looking.

// authCaps is an answer to Get Channel Authentication Capabilities (section
// 22.13, table 22-15).
type authCaps struct {
	v15, v20      bool
	types         byte // of IPMI 1.5 sessions, a bit each: authTypes
	tells2        bool // it tells of IPMI 2.0, and so of K_g
	twoKey        bool // K_g is set
	notPerMessage bool // after the login of a 1.5 session, packets need no signature
	nullUser      bool // a user without a name, but with a password, is enabled
	anonymous     bool // a user without a name and without a password is enabled
}

// authTypes are the bits of an authentication type mask, weakest first.
var authTypes = []struct {
	bit  byte
	word string
}{{0x01, "none"}, {0x02, "md2"}, {0x04, "md5"}, {0x10, "password"}, {0x20, "oem"}}

const (
	noAuth       = 0x01
	weakAuth     = 0x16 // MD2, MD5, plain password
	standardAuth = noAuth | weakAuth
)

// parseAuthCaps reads the answer. Without the bit for extended data the BMC
// speaks IPMI 1.5 alone, and what 2.0 added is reserved.
func parseAuthCaps(b []byte) (authCaps, error) {
	if len(b) < 4 {
		return authCaps{}, fail(opAuthCaps, fleet.ErrProtocol, fmt.Sprintf("%d bytes", len(b)))
	}
	offered, status, extended := b[1], b[2], b[3]
	c := authCaps{
		v15: true, types: offered & 0x37, tells2: offered&0x80 != 0,
		notPerMessage: status&0x10 != 0, nullUser: status&0x02 != 0, anonymous: status&0x01 != 0,
	}
	if c.tells2 {
		c.v15, c.v20, c.twoKey = extended&1 != 0, extended&2 != 0, status&0x20 != 0
	}
	return c, nil
}

// words lists the authentication types, weakest first.
func (c authCaps) words() string {
	var list []string
	for _, t := range authTypes {
		if c.types&t.bit != 0 {
			list = append(list, t.word)
		}
	}
	return orDash(list)
}

// orDash joins words; a list that was read and is empty is a dash.
func orDash(list []string) string {
	if len(list) == 0 {
		return "-"
	}
	return strings.Join(list, " ")
}

const (
	opAuthCaps = "get channel authentication capabilities"
	opSuites   = "get channel cipher suites"
)

// askAuthCaps asks what a session of this privilege needs.
func askAuthCaps(ctx context.Context, ask asker, p privilege) (authCaps, error) {
	const extended = 0x80
	data, err := ask(ctx, command{fn: fnApp, cmd: 0x38, data: []byte{extended | thisChannel, byte(p)}, op: opAuthCaps})
	if err != nil {
		return authCaps{}, err
	}
	return parseAuthCaps(data)
}

// askSuites is Get Channel Cipher Suites (section 22.15): records in pieces of
// 16 bytes, at most 64 of them. A BMC that tells the same piece again does not
// know the index, and has told all it will.
func askSuites(ctx context.Context, ask asker) ([]int, error) {
	const listBySuite, piece = 0x80, 16
	var all, last []byte
	for i := range byte(64) {
		data, err := ask(ctx, command{fn: fnApp, cmd: 0x54, data: []byte{thisChannel, byte(payloadIPMI), listBySuite | i}, op: opSuites})
		if err != nil {
			return nil, err
		}
		if len(data) < 1 {
			return nil, fail(opSuites, fleet.ErrProtocol, "no channel number")
		}
		data = bytes.Clone(data[1:])
		if len(data) == piece && bytes.Equal(data, last) {
			break
		}
		all, last = append(all, data...), data
		if len(data) < piece {
			break
		}
	}
	return parseSuites(all), nil
}

// parseSuites reads cipher suite records (table 22-18): C0h and an id for a
// standard suite, C1h with an id and three bytes of enterprise for an OEM's;
// then algorithms, whose top two bits are not 11.
func parseSuites(b []byte) []int {
	var ids []int
	for i := 0; i+1 < len(b); i++ {
		switch b[i] {
		case 0xc0:
			ids = append(ids, int(b[i+1]))
			i++
		case 0xc1:
			i += 4
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// accessFacts says what the doors look like from outside. A 1.5 session counts
// as offered when USER or ADMINISTRATOR may open one: the types may differ.
func (b *BMC) accessFacts(ctx context.Context, facts *fleet.Facts) (whole bool, err error) {
	l, err := dial(ctx, b.address, &b.sent)
	if err != nil {
		return false, err
	}
	defer l.close()
	whole = true
	ask := b.outsideFirst(l)
	var all *authCaps
	for _, p := range []privilege{privUser, privAdmin} {
		c, err := askAuthCaps(ctx, ask, p)
		if over(err) {
			return false, err
		}
		if err != nil {
			whole = whole && settled(err)
			continue
		}
		if all != nil { // what is open at any privilege is open
			c.types |= all.types
			c.v15, c.nullUser, c.anonymous = c.v15 || all.v15, c.nullUser || all.nullUser, c.anonymous || all.anonymous
		}
		all = &c
	}
	if all != nil {
		all.put(facts)
	}
	ids, err := askSuites(ctx, ask)
	if over(err) {
		return false, err
	}
	if err == nil {
		var list []string
		for _, id := range ids {
			list = append(list, strconv.Itoa(id))
		}
		facts.Set("bmc.ciphers", strings.Join(list, " "))
	}
	whole = whole && settled(err)
	if whole {
		facts.SetNum(fleet.FactDoorsAt, fleet.Int(b.now().Unix()), true)
	}
	return whole, nil
}

// readDoors looks at the doors again, between two reads of the identity: a door
// that somebody opened is dangerous from then on, and the look costs a stranger's
// four questions. What was not told stays as it was, with its age.
func (b *BMC) readDoors(ctx context.Context) error {
	var facts fleet.Facts
	whole, err := b.accessFacts(ctx, &facts)
	if whole && err == nil {
		b.identity = slices.Clone(b.identity) // earlier observations share it
		for _, f := range facts {
			b.identity.Put(f)
		}
	}
	return err
}

func (c *authCaps) put(facts *fleet.Facts) {
	facts.Set("bmc.auth.v15", yes(c.v15 && c.types&standardAuth != 0))
	facts.Set("bmc.auth.types", c.words())
	facts.Set("bmc.auth.anonymous", yes(c.anonymous))
	facts.Set("bmc.auth.null_user", yes(c.nullUser))
	facts.Set("bmc.auth.per_message", yes(!c.notPerMessage))
	if c.tells2 {
		facts.Set("bmc.auth.kg", word(c.twoKey, "set", "unset"))
	}
}

func yes(b bool) string { return word(b, "yes", "no") }

func word(b bool, yes, no string) string {
	if b {
		return yes
	}
	return no
}

// settled reports an answer that would be the same if it were asked again now:
// data, or a refusal for good. A BMC that was busy leaves the question open.
func settled(err error) bool { return !errors.Is(err, fleet.ErrBusy) }

// outsideFirst asks without a session, as a stranger would. Where that gets
// no answer, it asks the same in the session, which the standard allows too;
// a BMC that was silent outside is not waited for again.
func (b *BMC) outsideFirst(l *link) asker {
	stranger := outside(l)
	return func(ctx context.Context, c command) ([]byte, error) {
		if !b.indoors {
			data, err := stranger(ctx, c)
			var r *refusal
			switch {
			case errors.Is(err, errSilent):
				b.indoors = true
			case !errors.As(err, &r):
				return data, err
			}
		}
		return b.askOptional(ctx, c)
	}
}
