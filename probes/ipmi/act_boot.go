package ipmi

import (
	"context"
	"fmt"
	"slices"

	"plumb/fleet"
)

// Parameters of the boot options (table 28-14).
const (
	paramBootKeep  = 3 // when the BMC forgets the boot flags
	paramBootAck   = 4 // who has seen them
	paramBootFlags = 5

	keepBeyond60s = 0x08 // does not forget them when no start follows within 60 s

	bootValid    = 0x80
	bootEachTime = 0x40
	bootUEFI     = 0x20
)

// bootDevices are the device selectors of parameter 5.
var bootDevices = map[byte]string{0: "none", 1: "pxe", 2: "disk", 3: "disk (safe mode)", 4: "diagnostics", 5: "cdrom", 6: "bios"}

// bootSelector is the device of parameter 5, whether it is valid or not.
func bootSelector(b []byte) byte {
	if len(b) < 2 {
		return 0
	}
	return b[1] >> 2 & 15
}

// bootText is parameter 5 in words.
func bootText(b []byte) string {
	if len(b) < 2 || b[0]&bootValid == 0 {
		return bootDevices[0]
	}
	device := bootSelector(b)
	word, ok := bootDevices[device]
	if !ok {
		word = fmt.Sprintf("device %d", device)
	}
	if device != 0 && b[0]&bootEachTime != 0 {
		word += " at every start"
	}
	return word
}

// bootOnce chooses what the next start boots from. Whether the firmware then
// starts the old way or by UEFI stays as the BMC has it.
func (h *hand) bootOnce(ctx context.Context) error {
	from := h.action.Args["from"]
	if !slices.Contains(h.action.Kind.Spec().Args[0].Words, from) {
		return h.refuse(fmt.Sprintf("nothing boots from %q", fleet.Clean(from, 40)))
	}
	device := byte(0)
	for d, word := range bootDevices {
		if word == from {
			device = d
		}
	}
	before, err := h.bootFlags(ctx)
	if err != nil {
		return lost(err)
	}
	if h.out.Before = bootText(before); h.out.Before == from && bootSelector(before) == device {
		return h.already()
	}
	flags := [5]byte{bootValid, device << 2}
	if device == 0 {
		flags[0] = 0
	}
	if len(before) > 0 {
		flags[0] |= before[0] & bootUEFI
	}
	keeps, valid := true, true
	begun, err := bootOptions.change(ctx, h.s, func() error {
		keeps = device == 0 || h.prepareBoot(ctx)
		return bootOptions.write(ctx, h.s, paramBootFlags, flags[:]...)
	})
	if !begun {
		return err
	}
	err = h.confirm(ctx, err, from, h.settle, func() (string, error) {
		b, err := h.bootFlags(ctx)
		if err == nil && bootSelector(b) == device {
			valid = device == 0 || b[0]&bootValid != 0
			return from, nil
		}
		return bootText(b), err
	})
	switch {
	case err != nil:
		return err
	case !valid: // some BMCs keep the device and not that it is to be used
		h.out.Text += ", and marked as not valid"
	case !keeps:
		h.out.Text += "; the BMC may forget it when no start follows within 60 s"
	}
	return nil
}

func (h *hand) bootFlags(ctx context.Context) ([]byte, error) {
	return bootOptions.read(ctx, h.s.do, paramBootFlags)
}

// prepareBoot lets the flags live until the next start, whenever that is, and
// marks them as not yet seen by anybody. Both are optional: keeps is whether the
// first was taken.
func (h *hand) prepareBoot(ctx context.Context) (keeps bool) {
	keeps = bootOptions.write(ctx, h.s, paramBootKeep, keepBeyond60s) == nil
	_ = bootOptions.write(ctx, h.s, paramBootAck, 0xff, 0xff) // write mask, then all as not handled (table 28-14)
	return keeps
}
