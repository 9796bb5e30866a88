package snmp

import (
	"slices"
	"testing"
)

// FuzzCommunity feeds datagrams to the v2c answer decoder.
func FuzzCommunity(f *testing.F) {
	tree := switchTree(1, "sw1", fakePort{index: 1, name: "a", in: 1 << 40})
	whole := fakeMessage("public", pduResponse, 7, 0, 0, tree)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(fakeMessage("public", pduResponse, 7, 5, 1, nil))
	f.Add([]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		var r response
		err := community("public").open(&r, slices.Clone(b), 7)
		if err != nil && err != errStray && err != errVarbinds {
			t.Fatalf("unexpected %v", err)
		}
		for _, v := range r.vars {
			touch(t, v)
		}
	})
}

// touch reads a varbind every way the MIB files do.
func touch(t *testing.T, v varbind) {
	if len(v.name) > maxSubIDs {
		t.Fatalf("OID of %d", len(v.name))
	}
	_, _ = v.value.int()
	_, _ = v.value.uint()
	_, _, _, _ = v.value.small(), v.value.mac(), v.value.oid(), v.value.ip()
	for _, c := range v.value.text() {
		if c < 0x20 || c == 0x7f || c >= 0x80 && c < 0xa0 {
			t.Fatalf("control %U in text", c)
		}
	}
	id := lldpID{subtype: v.value.small() % 8, raw: v.value.raw}
	_, _ = id.port(), id.chassis()
	_, _ = fdbIndex(v.name, true)
	_, _ = fdbIndex(v.name, false)
}

// FuzzUSM feeds datagrams to the v3 answer decoder, before and after discovery.
func FuzzUSM(f *testing.F) {
	plain := usmOf(f, Config{}, engineA)
	signed := usmOf(f, Config{Auth: "SHA"}, engineA)
	sealed := usmOf(f, Config{Auth: "SHA-256", Priv: "AES"}, engineA)
	des := usmOf(f, Config{Auth: "MD5", Priv: "DES"}, engineA)
	all := []*usm{plain, signed, sealed, des, newUSM(&Config{User: "u"})}
	for _, u := range all {
		f.Add(answer(f, u, 7))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, u := range all {
			var r response
			_ = u.open(&r, slices.Clone(b), 7)
			if h, err := parseHeader(slices.Clone(b)); err == nil && u.priv > 1 {
				_, _ = u.decrypt(&h) // as if the signature had been right
			}
			for _, v := range r.vars {
				touch(t, v)
			}
		}
	})
}
