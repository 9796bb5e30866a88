package ipmi

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"plumb/fleet"

	"github.com/bougou/go-ipmi/pkg/types"
)

// asker sends one read and returns its data: BMC.ask, or a session's do.
type asker func(context.Context, command) ([]byte, error)

// readIdentity reads what the machine is: device id, FRU, LAN, users, names,
// doors. A part that cannot be read leaves what was known of it and makes the
// facts partial; so does a command that fell silent in this very poll.
func (b *BMC) readIdentity(ctx context.Context) error {
	var facts fleet.Facts
	b.deviceFacts(&facts)
	whole, muted := true, len(b.mute)
	var err error
	for _, read := range []func(context.Context, *fleet.Facts) (bool, error){b.fruFacts, b.operatorFacts, b.nameFacts, b.accessFacts} {
		var all bool
		if all, err = read(ctx, &facts); err != nil {
			break
		}
		whole = whole && all
	}
	b.tried = err == nil
	if err == nil && whole && len(b.mute) == muted {
		b.identity, b.complete = facts, true
		return nil
	}
	for _, f := range facts {
		b.identity.Put(f)
	}
	b.complete = false
	return err
}

func (b *BMC) deviceFacts(facts *fleet.Facts) {
	d := b.device
	facts.Set(fleet.FactFirmware, d.version())
	facts.Set("bmc.product_id", fmt.Sprintf("%04x", d.product))
	if d.aux != [4]uint8{} {
		facts.Set("bmc.firmware_aux", fmt.Sprintf("%02x%02x%02x%02x", d.aux[0], d.aux[1], d.aux[2], d.aux[3]))
	}
	if name := types.OEM(d.maker).String(); name != "Unknown" {
		facts.Set("bmc.vendor", name)
		facts.Set(fleet.FactVendor, name)
	}
	facts.Set(fleet.FactGUID, guidText(b.guid))
}

// guidText spells a GUID. The standard sends the node first (section 20.8),
// many BMCs send SMBIOS's or RFC 4122's order: the first in which the version
// and variant are possible is taken, as ipmitool does.
func guidText(g [16]byte) string {
	if g == [16]byte{} {
		return ""
	}
	var ipmi, smbios [16]byte
	for i := range g {
		ipmi[i] = g[15-i]
	}
	smbios = g
	smbios[0], smbios[1], smbios[2], smbios[3] = g[3], g[2], g[1], g[0]
	smbios[4], smbios[5], smbios[6], smbios[7] = g[5], g[4], g[7], g[6]
	u := g
	for _, x := range [][16]byte{ipmi, smbios, g} {
		if v := x[6] >> 4; v >= 1 && v <= 5 && x[8]>>6 == 2 {
			u = x
			break
		}
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[0:4], u[4:6], u[6:8], u[8:10], u[10:16])
}

// fruFacts reads FRU 0, the machine's own. whole is false when some of it
// could not be read; that it has none is an answer.
func (b *BMC) fruFacts(ctx context.Context, facts *fleet.Facts) (whole bool, err error) {
	f, err := readFRU(ctx, b.ask, 0)
	if over(err) {
		return false, err
	}
	if err != nil {
		return refusedWith(err, ccNotPresent, ccInvalidCommand) || errors.Is(err, errFRU), nil
	}
	for _, x := range []struct{ name, value string }{
		{fleet.FactVendor, first(f.vendor, f.boardVendor)},
		{fleet.FactModel, first(f.product, f.boardName)},
		{fleet.FactSerial, f.bestSerial()},
		{"product.part", f.part},
		{"product.version", f.version},
		{"asset", f.asset},
		{"board.vendor", f.boardVendor},
		{"board.name", f.boardName},
		{"board.serial", f.boardSerial},
		{"board.part", f.boardPart},
		{"chassis.serial", f.chassisSerial},
		{"chassis.part", f.chassisPart},
	} {
		facts.Set(x.name, x.value)
	}
	return len(f.trouble) == 0, nil
}

// bestSerial is the serial of the machine: the product's, else the chassis's,
// else the board's.
func (f *fruInfo) bestSerial() string { return first(f.serial, f.chassisSerial, f.boardSerial) }

// nameFacts reads the names the host gave its BMC: Get System Info Parameters
// (section 22.14b), parameters 1 (firmware) and 2 (system name).
func (b *BMC) nameFacts(ctx context.Context, facts *fleet.Facts) (whole bool, err error) {
	whole = true
	for _, x := range []struct {
		param byte
		fact  string
	}{{2, fleet.FactName}, {1, "bios"}} {
		data, err := b.askOptional(ctx, command{fn: fnApp, cmd: 0x59, data: []byte{0, x.param, 0, 0}, op: "get system info"})
		if over(err) {
			return false, err
		}
		if err == nil && len(data) > 4 {
			facts.Set(x.fact, systemText(data[2], int(data[3]), data[4:]))
		}
		whole = whole && settled(err)
	}
	return whole, nil
}

// systemText reads the first block of a system info string: 14 bytes, which
// is all that is asked for.
func systemText(encoding byte, n int, b []byte) string {
	b = b[:min(n, len(b))]
	if encoding&15 == 2 {
		return fleet.Clean(wideText(b), fleet.MaxText)
	}
	return fleet.Clean(latinText(b), fleet.MaxText)
}

// readFRU reads the areas of one FRU device that have words for us, and only
// those bytes (sections 34.1 and 34.2).
func readFRU(ctx context.Context, ask asker, device uint8) (f fruInfo, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errFRU, r)
		}
	}()
	data, err := ask(ctx, command{fn: fnStorage, cmd: 0x10, data: []byte{device}, op: "get fru inventory area info"})
	if err != nil {
		return f, err
	}
	if len(data) < 3 {
		return f, fail("get fru inventory area info", fleet.ErrProtocol, fmt.Sprintf("%d bytes", len(data)))
	}
	r := fruReader{ask: ask, device: device, size: int(binary.LittleEndian.Uint16(data)), words: data[2]&1 != 0, chunk: 64}
	head, err := r.read(ctx, 0, fruHeaderSize)
	if err != nil {
		return f, err
	}
	h, err := parseFRUHeader(head)
	if err != nil {
		return f, err
	}
	for _, a := range []struct {
		at   int
		name string
		add  func([]byte)
	}{{h.product, "product", f.addProduct}, {h.board, "board", f.addBoard}, {h.chassis, "chassis", f.addChassis}} {
		if a.at == 0 {
			continue
		}
		area, err := r.area(ctx, a.at)
		if over(err) {
			return f, err
		}
		if err != nil {
			f.note(a.name, err)
			continue
		}
		a.add(area)
	}
	return f, nil
}

// fruReader reads bytes of one FRU device.
type fruReader struct {
	ask    asker
	device uint8
	size   int
	words  bool // offsets and counts are in words
	chunk  int
}

// area reads one area, whose second byte is its length in eights. The
// checksum byte is left out: real devices get it wrong and the fields tell.
func (r *fruReader) area(ctx context.Context, at int) ([]byte, error) {
	head, err := r.read(ctx, at, fruHeaderSize)
	if err != nil {
		return nil, err
	}
	n := int(head[1]) * 8
	if n < fruHeaderSize || n > fruMaxArea {
		return nil, fmt.Errorf("%w: an area of %d bytes", errFRU, n)
	}
	n = min(n, r.size-at)
	if n < fruHeaderSize {
		return nil, fmt.Errorf("%w: an area behind the end", errFRU)
	}
	rest, err := r.read(ctx, at+fruHeaderSize, n-fruHeaderSize)
	if err != nil {
		return nil, err
	}
	return append(head, rest...)[:n-1], nil
}

// read returns exactly n bytes, in pieces as large as the BMC gives.
func (r *fruReader) read(ctx context.Context, at, n int) ([]byte, error) {
	const op = "read fru data"
	out := make([]byte, 0, n)
	unit := 1
	if r.words {
		unit = 2
	}
	for len(out) < n {
		from, want := (at+len(out))/unit, (min(n-len(out), r.chunk)+unit-1)/unit
		data, err := r.ask(ctx, command{fn: fnStorage, cmd: 0x11, data: []byte{r.device, byte(from), byte(from >> 8), byte(want)}, op: op})
		if refusedWith(err, ccLength, ccFieldLength, ccRange, ccTooMany, ccUnspecified) && r.chunk > minChunk {
			r.chunk /= 2
			continue
		}
		if err != nil {
			return nil, err
		}
		if len(data) < 2 || int(data[0])*unit > len(data)-1 || data[0] == 0 {
			return nil, fail(op, fleet.ErrProtocol, fmt.Sprintf("%d bytes", len(data)))
		}
		out = append(out, data[1:1+min(int(data[0])*unit, n-len(out))]...)
	}
	return out, nil
}
