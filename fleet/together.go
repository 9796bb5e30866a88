package fleet

import "strings"

// together are facts that a wire tells all at once: where the witness is told
// as the last column says ("": at all), a slow poll has named every fact with
// the prefix that there is. It is the one exception from the rule that a fact
// which is not named stays: of these, one that is not named is not so any more.
// A user that was deleted would else be let in for good.
var together = []struct{ prefix, witness, says string }{
	{"bmc.user.", "bmc.sees.users", "yes"}, // only when every slot was read
	{"snmp.", "snmp.access", ""},           // the door of this poll, told as a whole
}

// Witness returns the fact that says whether a device shows facts of this one's
// family at all, and what it then says; "" where the absence of a fact means
// nothing.
func Witness(fact string) (name, says string) {
	for _, x := range together {
		if strings.HasPrefix(fact, x.prefix) {
			return x.witness, x.says
		}
	}
	return "", ""
}

// Ended reports whether a fact that was known is not so any more, by what a
// slow poll that read all facts says now.
func (f Facts) Ended(name string) bool {
	witness, says := Witness(name)
	told := f.Get(witness)
	if witness == "" || told == "" || says != "" && told != says {
		return false
	}
	_, named := f.find(name)
	return !named
}
