package security

import (
	"slices"
	"strconv"
	"strings"

	"plumb/fleet"
)

// defaultAdmins is how many administrators over the network are intended where
// nobody says.
const defaultAdmins = 2

// factoryNames are accounts that BMCs come with, in lower case.
var factoryNames = []string{"admin", "administrator", "root", "userid", "anonymous"}

// User is a slot of a BMC's user list, as the fact bmc.user.N writes it:
// NAME PRIVILEGE enabled|disabled lan|nolan. A name may hold blanks.
type User struct {
	Slot, Name, Privilege string
	Enabled, LAN          bool
}

// seesUsers reports whether every slot of the user list was read.
func seesUsers(v *view) bool { return v.fact("bmc.sees.users") == "yes" }

// users are read off the facts once: several checks look at them.
func (v *view) users() []User {
	if !v.asked {
		v.list, v.asked = UsersOf(v.d), true
	}
	return v.list
}

// UsersOf reads the users that a BMC showed off its facts. Of a list that is
// denied now, what it held when it was not says nothing.
func UsersOf(d *fleet.Device) []User {
	if sees := d.Facts.Get("bmc.sees.users"); sees != "yes" && sees != "partial" {
		return nil
	}
	var out []User
	for _, f := range d.Facts {
		slot, ok := strings.CutPrefix(f.Name, "bmc.user.")
		if !ok {
			continue
		}
		words := strings.Fields(f.Value)
		if len(words) < 3 {
			continue
		}
		n := len(words) - 3
		name := strings.Join(words[:n], " ")
		if name == `""` {
			name = ""
		}
		out = append(out, User{Slot: slot, Name: name, Privilege: words[n], Enabled: words[n+1] == "enabled", LAN: words[n+2] == "lan"})
	}
	return out
}

// seesNull: the null-user bits of Get Channel Authentication Capabilities (IPMI
// 2.0, table 22-15, byte 5) are of all users, "one or more users that have a null
// username", and are told to anybody. So the BMC's no is complete without a list.
func seesNull(v *view) bool { return v.fact("bmc.auth.null_user") != "" || seesUsers(v) }

// nullUser finds a user without a name. Where the BMC's own word and its list
// differ, the one that finds something counts.
func nullUser(v *view) (string, string) {
	if v.fact("bmc.auth.null_user") == "yes" {
		return "yes", "a user without a name may log in"
	}
	for _, u := range v.users() {
		if u.Enabled && u.LAN && u.Name == "" {
			return "user " + u.Slot, "user " + u.Slot + " has no name and may log in as " + u.Privilege
		}
	}
	return "", ""
}

// Factory reports whether a user came with the BMC and may log in over the
// network.
func (u *User) Factory() bool {
	return u.Enabled && u.LAN && slices.Contains(factoryNames, strings.ToLower(u.Name))
}

// Factory returns the slots of a BMC's users that came with it and may log in
// over the network. known is false where the list of users was not read in full.
func Factory(d *fleet.Device) (slots []string, known bool) {
	v := &view{d: d}
	for _, u := range v.users() {
		if u.Factory() {
			slots = append(slots, u.Slot)
		}
	}
	return slots, seesUsers(v)
}

func factoryUser(v *view) (string, string) {
	var found []string
	for _, u := range v.users() {
		if u.Factory() {
			found = append(found, u.Name)
		}
	}
	if found == nil {
		return "", ""
	}
	slices.Sort(found)
	list := strings.Join(found, " ")
	return list, "accounts with names from the factory are enabled over the network: " + list
}

// admins counts administrators; a count over half a list is a least one.
func admins(v *view) (string, string) {
	most := v.scene.policies().AdminUsers
	if most == 0 {
		most = defaultAdmins
	}
	n := 0
	for _, u := range v.users() {
		if u.Enabled && u.LAN && u.Privilege == "administrator" {
			n++
		}
	}
	if n <= most {
		return "", ""
	}
	return strconv.Itoa(n), strconv.Itoa(n) + " users are administrators over the network, intended are at most " + strconv.Itoa(most)
}
