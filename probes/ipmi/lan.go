package ipmi

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"plumb/fleet"
)

// How a BMC sits on its network: Get LAN Configuration Parameters (section
// 23.2, table 23-4). The community string, parameter 16, is never asked for.

const (
	opLAN       = "get lan configuration"
	thisChannel = 0x0e

	paramSuiteCount, paramSuites, paramSuiteLimits = 22, 23, 24
	maxLANSuites                                   = 16
)

// lanParams are the parameters that are one fact each.
var lanParams = []struct {
	param byte
	fact  string
	text  func([]byte) string // empty: it says nothing
}{
	{3, "bmc.lan.address", addressText},
	{4, "bmc.lan.source", sourceText},
	{5, "bmc.mac", macText},
	{6, "bmc.lan.netmask", addressText},
	{12, "bmc.lan.gateway", addressText},
	{20, "bmc.lan.vlan", vlanText},
}

func addressText(b []byte) string {
	if len(b) != 4 {
		return ""
	}
	return netip.AddrFrom4([4]byte(b)).String()
}

func sourceText(b []byte) string {
	if len(b) != 1 {
		return ""
	}
	switch b[0] & 15 {
	case 1:
		return "static"
	case 2:
		return "dhcp"
	case 3:
		return "bios"
	}
	return "other"
}

func macText(b []byte) string {
	if len(b) != 6 || [6]byte(b) == [6]byte{} {
		return ""
	}
	return net.HardwareAddr(b).String()
}

// vlanText reads the 802.1q id: 12 bits, and the top one that says it is used.
func vlanText(b []byte) string {
	if len(b) != 2 {
		return ""
	}
	v := binary.LittleEndian.Uint16(b)
	if v&0x8000 == 0 {
		return "off"
	}
	return strconv.Itoa(int(v & 0x0fff))
}

// suiteLimits joins the suites of parameter 23 with the highest privilege that
// each may be used for, of parameter 24: both begin with a reserved byte, and
// two limits share a byte. count is how many of the 16 entries are in use.
func suiteLimits(count int, ids, limits []byte) string {
	if len(ids) < 1 || len(limits) < 1 {
		return ""
	}
	ids, limits = ids[1:], limits[1:]
	var list []string
	for i := range min(count, maxLANSuites, len(ids), 2*len(limits)) {
		p := limits[i/2] >> (i % 2 * 4) & 15
		list = append(list, fmt.Sprintf("%d=%s", ids[i], privilege(p)))
	}
	return strings.Join(list, " ")
}

// lanFacts reads the parameters. Each that the BMC does not have stays absent.
func (b *BMC) lanFacts(ctx context.Context, facts *fleet.Facts) (whole bool, err error) {
	whole = true
	for _, x := range lanParams {
		data, err := b.lanParam(ctx, x.param)
		switch {
		case over(err):
			return false, err
		case refusedWith(err, ccPrivilege):
			if facts.Get(factSeesLAN) == "" {
				facts.Set(factSeesLAN, seesNone)
				return whole, nil // the others need no less
			}
		case err == nil:
			facts.Set(factSeesLAN, seesAll)
			facts.Set(x.fact, x.text(data))
		}
		whole = whole && settled(err)
	}
	if facts.Get(factSeesLAN) == "" {
		return whole, nil // it has no such command
	}
	text, err := b.readSuiteLimits(ctx)
	if over(err) {
		return false, err
	}
	facts.Set("bmc.lan.cipher_privileges", text)
	return whole && settled(err), nil
}

func (b *BMC) readSuiteLimits(ctx context.Context) (string, error) {
	var got [3][]byte
	for i, p := range []byte{paramSuiteCount, paramSuites, paramSuiteLimits} {
		var err error
		if got[i], err = b.lanParam(ctx, p); err != nil {
			return "", err
		}
	}
	if len(got[0]) != 1 {
		return "", nil
	}
	return suiteLimits(int(got[0][0]&0x1f), got[1], got[2]), nil
}

// lanParam reads one parameter without the revision in front of it.
func (b *BMC) lanParam(ctx context.Context, param byte) ([]byte, error) {
	data, err := b.askRaised(ctx, command{fn: fnTransport, cmd: 0x02, data: []byte{thisChannel, param, 0, 0}, part: param, op: opLAN})
	if err != nil || len(data) < 1 {
		return nil, err
	}
	return bytes.Clone(data[1:]), nil
}
