package ipmi

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"plumb/fleet"
)

const (
	opDisable      = 0x00 // Set User Password (section 22.30)
	passwordOctets = 16
)

// States of a user in words.
const (
	userEnabled  = "enabled"
	userDisabled = "disabled"
)

// slot is a user as it was read: who, and what it may.
type slot struct {
	userAccess
	name string // as it is compared, not as it is shown
	told bool   // the BMC says whether it is enabled
}

func (u slot) admin() bool { return u.enabled && u.lan && u.limit == privAdmin }

func (u slot) text() string { return word(u.enabled, userEnabled, userDisabled) }

// disableUser disables a user, who keeps name and password. Nobody is shut out
// for good by it: neither who is logged in here or reads here, nor the last
// administrator.
func (h *hand) disableUser(ctx context.Context) error {
	n, err := h.number("slot")
	if err != nil {
		return err
	}
	u, err := h.readSlot(ctx, n)
	if err != nil {
		return lost(err)
	}
	if n > u.slots {
		return h.refuse(fmt.Sprintf("the BMC has %d users", u.slots))
	}
	h.out.Before = u.text()
	switch {
	case slices.Contains([]string{h.user, h.cfg.Username}, u.name):
		return h.refuse("this user is our own")
	case !u.enabled && u.told:
		return h.already()
	case u.admin():
		if left, err := h.otherAdmin(ctx, n, u.slots); err != nil || !left {
			return orRefuse(err, h, "no other administrator is enabled")
		}
	}
	// The password's octets are there because some BMCs count them; they are not
	// looked at.
	data := append([]byte{byte(n), opDisable}, make([]byte, passwordOctets)...)
	_, sent := h.s.doOnce(ctx, command{fn: fnApp, cmd: 0x47, data: data, op: string(h.action.Kind)})
	who := fmt.Sprintf("user %d %q: ", n, fleet.Clean(u.name, maxUsername))
	if sent == nil && !u.told {
		h.out.Done, h.out.Text = true, who+"the BMC said yes; it does not tell which users are enabled"
		return nil
	}
	err = h.confirm(ctx, sent, userDisabled, h.settle, func() (string, error) {
		u, err := h.readSlot(ctx, n)
		return u.text(), err
	})
	h.out.Text = who + h.out.Text
	return err
}

// orRefuse passes an error of the wire on; without one there is a reason.
func orRefuse(err error, h *hand, why string) error {
	if err != nil {
		return lost(err)
	}
	return h.refuse(why)
}

// otherAdmin looks for an enabled administrator beside one. A user that cannot
// be read counts for none.
func (h *hand) otherAdmin(ctx context.Context, beside, slots int) (bool, error) {
	for n := 1; n <= min(slots, maxSlots); n++ {
		if n == beside {
			continue
		}
		u, err := h.readSlot(ctx, n)
		if err := lost(err); over(err) || err != nil && !settled(err) {
			return false, err
		}
		if err == nil && u.admin() {
			return true, nil
		}
	}
	return false, nil
}

// readSlot reads one user in this session.
func (h *hand) readSlot(ctx context.Context, n int) (u slot, err error) {
	data, err := h.s.do(ctx, command{fn: fnApp, cmd: 0x44, data: []byte{thisChannel, byte(n)}, op: opUserAccess})
	if err != nil {
		return u, err
	}
	if u.userAccess, err = parseUserAccess(data); err != nil {
		return u, err
	}
	u.told = data[1]>>6 != 0
	data, err = h.s.do(ctx, command{fn: fnApp, cmd: 0x46, data: []byte{byte(n)}, op: opUserName})
	if refusedWith(err, ccInvalidField, ccRange, ccNotPresent) {
		return u, nil
	}
	if err == nil && len(data) > 0 && data[0] != 0xff {
		name, _, _ := bytes.Cut(data[:min(len(data), maxUsername)], []byte{0})
		u.name = string(name)
	}
	return u, err
}
