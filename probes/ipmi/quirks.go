package ipmi

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// quirks are the known ways in which BMCs break the standard, as bits. The
// names are FreeIPMI's, because that is what people search for.
type quirks uint16

const (
	quirkOpenSessPriv quirks = 1 << iota
	quirkAuthCap
	quirkNoChecksumCheck
	quirkDiscreteReading
	quirkIgnoreScanning
	quirkAssumeBMCOwner
	quirkIntel20
	quirkSupermicro20
	quirkNo15
)

type quirk struct {
	name string
	bit  quirks
	what string
}

// quirkTable is the whole list: name, bit, and what it does here.
var quirkTable = []quirk{
	{"opensesspriv", quirkOpenSessPriv, "the BMC hashes the privilege of Open Session instead of RAKP 1's (found without being told)"},
	{"authcap", quirkAuthCap, "authentication capabilities are wrong: do not judge by them"},
	{"nochecksumcheck", quirkNoChecksumCheck, "take messages with wrong checksums"},
	{"discretereading", quirkDiscreteReading, "discrete sensors carry an analogue reading as well"},
	{"ignorescanningdisabled", quirkIgnoreScanning, "the scanning-disabled bit is set although the reading is good"},
	{"assumebmcowner", quirkAssumeBMCOwner, "read sensors of other owners as if they were the BMC's"},
	{"intel20", quirkIntel20, "the BMC hashes the user name padded to 16 bytes (found without being told)"},
	{"supermicro20", quirkSupermicro20, "the BMC sends key exchange codes of the wrong length"},
	{"no-1.5", quirkNo15, "never send an IPMI 1.5 packet"},
}

// ErrQuirk says that a quirk's name is not known.
var ErrQuirk = errors.New("unknown quirk")

// Quirks lists the known quirks as name and what it does, for help texts.
func Quirks() [][2]string {
	list := make([][2]string, len(quirkTable))
	for i, q := range quirkTable {
		list[i] = [2]string{q.name, q.what}
	}
	return list
}

// has reports whether one quirk is set.
func (q quirks) has(bit quirks) bool { return q&bit != 0 }

// parseQuirks turns names into bits. An unknown name is refused with the
// closest known one.
func parseQuirks(names []string) (quirks, error) {
	var set quirks
	for _, name := range names {
		i := slices.IndexFunc(quirkTable, func(q quirk) bool { return q.name == name })
		if i < 0 {
			return 0, fmt.Errorf("%w: %q; did you mean %q?", ErrQuirk, name, closestQuirk(name))
		}
		set |= quirkTable[i].bit
	}
	return set, nil
}

func closestQuirk(name string) string {
	best, least := "", 1<<30
	for _, q := range quirkTable {
		if d := editDistance(strings.ToLower(name), q.name); d < least {
			best, least = q.name, d
		}
	}
	return best
}

// editDistance is Levenshtein's, over bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
