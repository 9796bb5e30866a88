package bmc

import (
	"github.com/bougou/go-ipmi/pkg/types"

	"plumb/probes/sim/world"
)

// Parameters of the boot options (IPMI 2.0 table 28-14) that this BMC has.
const (
	bootInUse = 0 // set in progress
	bootKeep  = 3 // when the flags are forgotten
	bootAck   = 4 // write mask, then who has handled them
	bootFlags = 5
)

// ccInUse says that somebody else is setting parameters.
const ccInUse = types.CompletionCode(0x81)

// bootMemory is what the BMC keeps beside the flags, until it is restarted.
type bootMemory struct {
	inUse byte
	keep  byte
	ack   byte
}

// getBoot is table 28-13: version, parameter, data.
func getBoot(d *device, req []byte) ([]byte, types.CompletionCode) {
	param := req[0] & 0x7f
	var data []byte
	switch param {
	case bootInUse:
		data = []byte{d.boots.inUse}
	case bootKeep:
		data = []byte{d.boots.keep}
	case bootAck:
		data = []byte{0, d.boots.ack}
	case bootFlags:
		flags := d.World.Boot(d.Server, d.Now())
		data = flags[:]
	default:
		return nil, ccNoParameter
	}
	return append([]byte{1, param}, data...), ccOK
}

// setBoot is table 28-12.
func setBoot(d *device, req []byte) ([]byte, types.CompletionCode) {
	param, data := req[0]&0x7f, req[1:]
	need := map[byte]int{bootInUse: 1, bootKeep: 1, bootAck: 2, bootFlags: 5}[param]
	switch {
	case need == 0:
		return nil, ccNoParameter
	case len(data) < need:
		return nil, ccLength
	}
	switch param {
	case bootInUse:
		return nil, mark(&d.boots.inUse, data[0])
	case bootKeep:
		d.boots.keep = data[0]
	case bootAck:
		d.boots.ack = d.boots.ack&^data[0] | data[1]&data[0]
	case bootFlags:
		if d.World.SetBoot(d.Server, world.BootFlags(data[:5]), d.Now()) != nil {
			return nil, ccState
		}
	}
	return nil, ccOK
}

// mark is parameter 0 of a set of parameters: 1 marks it as being set, 0 and the
// optional 2 end that. What is written is in force at once.
func mark(inUse *byte, to byte) types.CompletionCode {
	const complete, progress, commit = 0, 1, 2
	switch to & 3 {
	case complete, commit:
		*inUse = complete
	case progress:
		if *inUse == progress {
			return ccInUse
		}
		*inUse = progress
	default:
		return ccField
	}
	return ccOK
}
