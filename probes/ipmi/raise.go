package ipmi

import (
	"context"

	"plumb/fleet"
)

// A session begins as USER. What the standard gives to OPERATOR alone is asked
// as USER first, because many BMCs are not that strict; only a refusal for
// want of privilege raises the session, and only if the account was granted
// OPERATOR at login. What was raised is lowered again: a poll should hold no
// more than it needs.

// operatorFacts reads what only an OPERATOR may see.
func (b *BMC) operatorFacts(ctx context.Context, facts *fleet.Facts) (whole bool, err error) {
	whole, err = b.lanFacts(ctx, facts)
	if err != nil {
		return false, err
	}
	all, err := b.userFacts(ctx, facts)
	if err != nil {
		return false, err
	}
	if b.session != nil && b.session.level > privUser {
		if err := b.setPrivilege(ctx, privUser); over(err) {
			return false, err
		}
	}
	return whole && all, nil
}

// askRaised is askOptional, as OPERATOR if USER is not enough. A session that
// had to be opened anew on the way is USER again, and is raised again.
func (b *BMC) askRaised(ctx context.Context, c command) ([]byte, error) {
	data, err := b.askOptional(ctx, c)
	if !refusedWith(err, ccPrivilege) || b.role < privOperator || b.session == nil || b.session.level >= privOperator {
		return data, err
	}
	if e := b.setPrivilege(ctx, privOperator); over(e) {
		return nil, e
	} else if e != nil {
		return nil, err
	}
	return b.askOptional(ctx, c)
}

// setPrivilege is Set Session Privilege Level (section 22.18).
func (b *BMC) setPrivilege(ctx context.Context, p privilege) error {
	_, err := b.ask(ctx, command{fn: fnApp, cmd: 0x3b, data: []byte{byte(p)}, op: "set session privilege"})
	if err == nil {
		b.session.level = p
	}
	return err
}
