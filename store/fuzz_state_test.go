package store

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"plumb/fleet"
)

// What state.db holds behind its sums: a sum keeps out what was damaged, and
// not what a program that is not this one wrote.

func seedRows() []tableRow {
	return []tableRow{{"", 5, []byte("{}")}, {"eth0", 7, []byte(`{"mtu":9000}`)}, {"eth1", 5, []byte("1")}}
}

// sameRows reports whether rows came back as they were.
func sameRows(a, b []tableRow) bool {
	return slices.EqualFunc(a, b, func(a, b tableRow) bool {
		return a.name == b.name && a.at == b.at && bytes.Equal(a.value, b.value)
	})
}

// decodeTable reads a table that holds its set itself.
func decodeTable(v []byte) (rows []tableRow, err error) {
	h, err := readTable(v)
	if err != nil || h.set == nil {
		return nil, err
	}
	times, newest, err := h.times()
	if err != nil {
		return nil, err
	}
	set, err := readSet(h.set, h.rows)
	if err != nil {
		return nil, err
	}
	for i, name := range set.Names {
		at := newest
		if times != nil {
			at = times[i]
		}
		rows = append(rows, tableRow{name, at, set.Values[i]})
	}
	return rows, nil
}

func encodeTable(rows []tableRow) []byte {
	return appendSet(append(appendTable(nil, rows), setHere), rows)
}

// FuzzTable reads a table with its set, and one of schema 2, and writes what it
// read.
func FuzzTable(f *testing.F) {
	f.Add(encodeTable(seedRows()))
	f.Add(encodeTable(seedRows()[:1]))
	f.Add(encodePacked(seedRows()))
	f.Add(append(appendTable(nil, seedRows()), append([]byte{setShared}, make([]byte, 16)...)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, err := decodeTable(b)
		wantDamaged(t, err)
		if len(rows) > 0 {
			back, err := decodeTable(encodeTable(rows))
			if err != nil || !sameRows(back, rows) {
				t.Fatalf("%v came back as %v, %v", rows, back, err)
			}
		}
		var packed, back []tableRow
		err = decodePacked(b, func(r tableRow) { packed = append(packed, r) })
		wantDamaged(t, err)
		if err != nil {
			return
		}
		if err := decodePacked(encodePacked(packed), func(r tableRow) { back = append(back, r) }); err != nil || !sameRows(back, packed) {
			t.Fatalf("%v came back as %v, %v", packed, back, err)
		}
	})
}

// FuzzSet cuts a set into any number of rows: whatever it gives away lies in
// the set.
func FuzzSet(f *testing.F) {
	f.Add(appendSet(nil, seedRows()), uint16(3))
	f.Add([]byte{0xff, 0xff, 0x03, 1}, uint16(1))
	f.Fuzz(func(t *testing.T, b []byte, rows uint16) {
		n := 1 + int(rows)
		set, err := readSet(b, n)
		wantDamaged(t, err)
		if err != nil {
			return
		}
		size := 0
		for i := range n {
			size += len(set.Names[i]) + len(set.Values[i])
		}
		if len(set.Names) != n || size > len(b) {
			t.Fatalf("%d rows of %d, %d bytes of %d", len(set.Names), n, size, len(b))
		}
	})
}

// FuzzMarks reads the small records and the keys, which come back as they were
// where they are read at all.
func FuzzMarks(f *testing.F) {
	f.Add(batchMark{7, time.Unix(5, 0), AuditHead{3, firstPrev}}.encode())
	f.Add(tierKey{2, 1, 14 * 86400000, 3}.encode())
	f.Add(tierKey{2, 1, 14 * 86400000, 3}.piece(5))
	f.Add(blockKey{1, 7200000, true, 3, 9}.encode())
	f.Add(binary.BigEndian.AppendUint64(nil, 12345))
	f.Add(pastKey(rowKey("s1", fleet.TablePorts, "eth0"), 77))
	f.Add([]byte(`{"key":"n1","receiver":"pager","at":"2026-01-02T03:04:05Z","body":"AA=="}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeMark(b)
		wantDamaged(t, err)
		if err == nil && !bytes.Equal(m.encode(), b) {
			t.Fatalf("mark %x became %x", b, m.encode())
		}
		tier, _, err := readTierKey(b)
		wantDamaged(t, err)
		if err == nil && !bytes.Equal(tier.encode(), b) {
			t.Fatalf("tier key %x became %x", b, tier.encode())
		}
		long, piece, err := readPieceKey(b)
		wantDamaged(t, err)
		if err == nil && !bytes.Equal(long.piece(piece), b) {
			t.Fatalf("piece key %x became %x", b, long.piece(piece))
		}
		block, err := readBlockKey(b)
		wantDamaged(t, err)
		if err == nil && !bytes.Equal(block.encode(), b) {
			t.Fatalf("block key %x became %x", b, block.encode())
		}
		row, at, err := readPastKey(b)
		wantDamaged(t, err)
		if err == nil && !bytes.Equal(pastKey(row, at), b) {
			t.Fatalf("history key %x became %x", b, pastKey(row, at))
		}
		key := seqKey(1)
		raw := seal(key, slices.Clone(b))
		_, err = readGone(key, raw)
		wantDamaged(t, err)
		_, err = readNotice(key, raw)
		wantDamaged(t, err)
		_, _, err = readInventoryTime(key, raw)
		wantDamaged(t, err)
		_, _, err = openTier(tierKey{tier: 1, target: 1, layout: 1}.encode(), raw)
		wantDamaged(t, err)
	})
}

// FuzzInventory unpacks what is no inventory, and what is.
func FuzzInventory(f *testing.F) {
	packed, err := pack([]byte(`{"regions":[{"name":"ams"}]}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Fuzz(func(t *testing.T, b []byte) {
		text, err := gunzip(b)
		wantDamaged(t, err)
		if err != nil {
			return
		}
		if len(text) > maxInventory {
			t.Fatalf("%d bytes", len(text))
		}
		again, err := pack(text)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := gunzip(again); err != nil || !bytes.Equal(back, text) {
			t.Fatalf("%d bytes came back as %d, %v", len(text), len(back), err)
		}
		id := inventoryID(text)
		_, err = readInventory(id[:], seal(id[:], slices.Clone(b)))
		wantDamaged(t, err)
	})
}

// FuzzPick reads one value of a column alone: where the column can be read it
// is what it is among the others.
func FuzzPick(f *testing.F) {
	var e encoder
	for _, v := range [][]fleet.Num{seedNums(), {{}, {}}, {fleet.Int(1), fleet.Int(1), fleet.Int(1), {}, fleet.Int(9)}} {
		f.Add(e.appendColumn(nil, v), uint16(len(v)-1))
	}
	steps := make([]fleet.Num, 200)
	for i := range steps {
		steps[i] = fleet.Dec(int64(210+i%3), -1)
	}
	f.Add(e.appendColumn(nil, steps), uint16(len(steps)-1))
	f.Fuzz(func(t *testing.T, b []byte, rows uint16) {
		n := 1 + int(rows)
		all, err := readColumn(nil, b, n)
		wantDamaged(t, err)
		if err == nil && len(all) != n {
			t.Fatalf("%d values of %d rows", len(all), n)
		}
		for i := 0; i < n; i += 1 + n/50 {
			one, oneErr := pick(b, n, i)
			wantDamaged(t, oneErr)
			if err == nil && (oneErr != nil || one != all[i]) {
				t.Fatalf("value %d of %d is %v alone (%v) and %v among all", i, n, one, oneErr, all[i])
			}
		}
	})
}
