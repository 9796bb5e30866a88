package drift

import (
	"maps"

	"plumb/fleet"
)

// A cohort speaks when at least peersLeast others have the fact, and at least
// cohortShare of those agree.
const (
	peersLeast  = 5
	cohortShare = 0.8
)

// Cohort is what devices of one kind, model and role have. It is never written
// after it was made: a change makes a new one.
type Cohort fleet.Tally

// CohortKey names the like of a device.
func CohortKey(d *fleet.Device) string {
	model := d.Spec.Model
	if model == "" {
		model = d.Facts.Get(fleet.FactModel)
	}
	return string(d.Spec.Kind) + "\x1f" + model + "\x1f" + d.Spec.Tags["role"]
}

// InCohort reports whether a fact is one that like devices should share, or
// that vouches for such.
func InCohort(policies *fleet.Policies, d *fleet.DeviceSpec, name string) bool {
	r, judged := ruleOf(policies, d, name)
	return judged && r.cohort || name == seesUsers
}

// With returns a cohort in which one more device has value of a fact and one
// fewer has was; empty means none of either. moved says that what the cohort
// as a whole has is another value now.
func (c Cohort) With(fact, was, value string) (next Cohort, moved bool) {
	next = maps.Clone(c)
	if next == nil {
		next = Cohort{}
	}
	before := common(next[fact])
	values := maps.Clone(next[fact])
	if values == nil {
		values = map[string]int{}
	}
	if was != "" {
		if values[was]--; values[was] <= 0 {
			delete(values, was)
		}
	}
	if value != "" {
		values[value]++
	}
	next[fact] = values
	return next, common(values) != before
}

// Add counts a device's fact in a cohort that is being made.
func (c Cohort) Add(fact, value string) {
	if c[fact] == nil {
		c[fact] = map[string]int{}
	}
	c[fact][value]++
}

// common is the value that enough of all members have, or "".
func common(values map[string]int) string {
	if value, most, all := top(values); agree(most, all-1) {
		return value
	}
	return ""
}

func top(values map[string]int) (value string, most, all int) {
	for v, n := range values {
		all += n
		if n > most || n == most && v < value {
			value, most = v, n
		}
	}
	return value, most, all
}

// Others returns what the others of a cohort have of a fact where they are
// enough and agree; "" where they agree that it is not there. own is what the
// device itself has.
func (c Cohort) Others(fact, own string) (value string, ok bool) {
	value, peers, ok := others(c[fact], own)
	if ok {
		return value, true
	}
	if witness := witnessOf(fact); witness != "" && own != "" {
		could := c[witness]["yes"] - 1 // they would show it if they had it
		if agree(could-peers, could) {
			return "", true
		}
	}
	return "", false
}

// others is what those of whom the values were counted have but for one of them,
// where they are enough and agree, and how many they are.
func others(values map[string]int, own string) (value string, peers int, ok bool) {
	value, most, peers := top(values)
	if own != "" {
		peers--
		if value == own {
			most--
		}
	}
	return value, peers, agree(most, peers)
}

func agree(most, peers int) bool {
	return peers >= peersLeast && float64(most) >= cohortShare*float64(peers)
}

// witnessOf is the fact that says whether a device shows facts of this family
// at all, for those whose absence says something: a user that nobody else has.
func witnessOf(fact string) string {
	if name, says := fleet.Witness(fact); says == "yes" {
		return name
	}
	return ""
}

// seesUsers says whether the account that reads a BMC may see its users.
const seesUsers = "bmc.sees.users"

// Vouched reports whether facts were read in a way that shows every fact of the
// family of a name: one that is not among them is not there.
func Vouched(name string, facts fleet.Facts) bool {
	witness := witnessOf(name)
	return witness != "" && facts.Get(witness) == "yes"
}
