package bmc

import (
	lib "github.com/bougou/go-ipmi/pkg/bmc"
	"github.com/bougou/go-ipmi/pkg/types"

	"plumb/probes/sim/world"
)

// Set User Password (IPMI 2.0 section 22.30) is here and not left to the
// library, because who is enabled is the world's to say: it outlives this
// process.
var userCommands = []entry{{types.CommandSetUserPassword, 2, admin, setPassword}}

const (
	disableUser = iota
	enableUser
	storePassword
	testPassword
)

const (
	ccPasswordWrong = types.CompletionCode(0x80)
	ccPasswordSize  = types.CompletionCode(0x81)
)

func setPassword(d *device, req []byte) ([]byte, types.CompletionCode) {
	slot, size := req[0]&0x3f, 16
	if req[0]&0x80 != 0 {
		size = 20
	}
	u, err := d.bmc.Users.Get(slot)
	op := req[1] & 3
	switch {
	case slot < 1 || slot > maxUsers, err != nil && op != storePassword:
		return nil, ccField
	case op <= enableUser:
		if d.World.SetUser(d.Server, int(slot), op == enableUser, d.Now()) != nil {
			return nil, ccState
		}
		d.forget()
		d.syncUsers()
		return nil, ccOK
	case len(req) < 2+size:
		return nil, ccTruncated
	}
	password := req[2 : 2+size]
	if op == storePassword {
		if d.bmc.Users.Upsert(slot, func(u *lib.User) error { u.SetPassword(password); return nil }) != nil {
			return nil, ccState
		}
		return nil, ccOK
	}
	switch {
	case u.Password20 != (size == 20):
		return nil, ccPasswordSize
	case !u.VerifyPassword(password):
		return nil, ccPasswordWrong
	}
	return nil, ccOK
}

// syncUsers makes the accounts what the world says of them.
func (d *device) syncUsers() {
	st := d.look()
	if bad := st.DefaultUser; bad != d.badUser {
		d.badUser = bad
		if bad {
			d.addUser(world.BadUserSlot, User{DefaultUser, DefaultPassword, Admin})
		} else {
			_ = d.bmc.Users.Delete(world.BadUserSlot)
		}
	}
	for slot := uint8(2); slot <= maxUsers; slot++ { // 1 has no name and is disabled
		u, err := d.bmc.Users.Get(slot)
		if on := !st.Shut.User(int(slot)); err == nil && u.Name != "" && u.Enabled != on {
			_ = d.bmc.Users.Update(slot, func(u *lib.User) error { u.Enabled = on; return nil })
		}
	}
}
