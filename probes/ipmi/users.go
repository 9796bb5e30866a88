package ipmi

import (
	"context"
	"fmt"
	"strconv"

	"plumb/fleet"
)

// Who may log in to a BMC. Reading that needs OPERATOR; where the reading
// account is not granted it, that is a fact of its own and not an error.

const (
	opUserAccess = "get user access"
	opUserName   = "get user name"
	maxSlots     = 63 // six bits of user id
)

// Facts that say how much of the doors this account was let see.
const (
	factSeesUsers = "bmc.sees.users"
	factSeesLAN   = "bmc.sees.lan"
	seesAll       = "yes"
	seesSome      = "partial"
	seesNone      = "denied"
)

// userAccess is an answer to Get User Access (section 22.27) for one slot, on
// the channel that was asked through.
type userAccess struct {
	slots   int  // how many the BMC has
	enabled bool // may log in at all
	lan     bool // may log in over this channel
	limit   privilege
}

// parseUserAccess reads the answer. BMCs older than the status of table 22-31
// leave it 0: there a user may log in where messaging is on.
func parseUserAccess(b []byte) (userAccess, error) {
	if len(b) < 4 {
		return userAccess{}, fail(opUserAccess, fleet.ErrProtocol, fmt.Sprintf("%d bytes", len(b)))
	}
	const untold, enabled, messaging, callbackOnly = 0, 1, 0x10, 0x40
	a := userAccess{slots: int(b[0] & 0x3f), limit: privilege(b[3] & 15)}
	a.lan = b[3]&messaging != 0 && b[3]&callbackOnly == 0 && a.limit != privNoAccess
	switch b[1] >> 6 {
	case untold:
		a.enabled = b[3]&messaging != 0
	case enabled:
		a.enabled = true
	}
	return a, nil
}

// userName is the text of Get User Name (section 22.29): 16 bytes, which some
// BMCs fill with FFh where no name was ever set.
func userName(b []byte) string {
	b = b[:min(len(b), maxUsername)]
	if len(b) > 0 && b[0] == 0xff {
		return ""
	}
	return fleet.Clean(latinText(b), fleet.MaxText)
}

// text is a user in words: name, privilege, whether enabled, whether over LAN.
// The last three have no spaces, so that a name may.
func (a userAccess) text(name string) string {
	if name == "" {
		name = `""`
	}
	return fmt.Sprintf("%s %s %s %s", name, a.limit, word(a.enabled, "enabled", "disabled"), word(a.lan, "lan", "nolan"))
}

// userFacts reads the user slots: those enabled or named become facts. The
// counts are told only when every slot was read.
func (b *BMC) userFacts(ctx context.Context, facts *fleet.Facts) (whole bool, err error) {
	whole = true
	sees := seesAll
	enabled, admins := 0, 0
	for slot, slots := 1, 1; slot <= min(slots, maxSlots); slot++ {
		a, name, err := b.readUser(ctx, slot)
		switch {
		case over(err):
			return false, err
		case err != nil && slot == 1: // the BMC has no such command, or not for us
			if refusedWith(err, ccPrivilege) {
				facts.Set(factSeesUsers, seesNone)
			}
			return settled(err), nil
		case err != nil:
			whole, sees = whole && settled(err), seesSome
			continue
		}
		if slot == 1 {
			slots = a.slots
		}
		if a.enabled {
			enabled++
			if a.lan && a.limit == privAdmin {
				admins++
			}
		}
		if a.enabled || name != "" {
			facts.Set("bmc.user."+strconv.Itoa(slot), a.text(name))
		}
	}
	facts.Set(factSeesUsers, sees)
	if sees == seesAll {
		facts.SetNum("bmc.users.enabled", fleet.Int(int64(enabled)), false)
		facts.SetNum("bmc.users.admins", fleet.Int(int64(admins)), false)
	}
	return whole, nil
}

// readUser reads one slot. That an empty slot refuses to tell a name is how
// most BMCs say that it has none.
func (b *BMC) readUser(ctx context.Context, slot int) (a userAccess, name string, err error) {
	data, err := b.askRaised(ctx, command{fn: fnApp, cmd: 0x44, data: []byte{thisChannel, byte(slot)}, op: opUserAccess})
	if err == nil {
		a, err = parseUserAccess(data)
	}
	if err != nil {
		return a, "", err
	}
	data, err = b.askRaised(ctx, command{fn: fnApp, cmd: 0x46, data: []byte{byte(slot)}, op: opUserName})
	if refusedWith(err, ccInvalidField, ccRange, ccNotPresent) {
		return a, "", nil
	}
	return a, userName(data), err
}
