package store

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"plumb/fleet"
)

// Whatever lies in a file, a decoder returns it or says that it is damaged: no
// panic, no other error, and no more memory than a block may hold.

func wantDamaged(t *testing.T, err error) {
	t.Helper()
	if err != nil && !errors.Is(err, ErrDamaged) {
		t.Fatalf("%v is not ErrDamaged", err)
	}
}

func seedNums() []fleet.Num {
	return []fleet.Num{fleet.Dec(215, -1), {}, fleet.Int(-1 << 63), fleet.Dec(216, -1), fleet.Int(7)}
}

func FuzzWAL(f *testing.F) {
	row, _ := appendRow(nil, rowHead{target: 1, layout: 2, at: 1005}, 1000, seedNums())
	wal := binary.AppendVarint([]byte{walShared}, 1000)
	f.Add(append(binary.AppendUvarint(wal, 1), row...), uint16(5))
	f.Add([]byte{walAlone, 0, 0xff, 0xff, 0xff, 0xff, 0x0f}, uint16(1))
	f.Fuzz(func(t *testing.T, b []byte, columns uint16) {
		r, err := readWAL(b)
		wantDamaged(t, err)
		for err == nil {
			var body []byte
			var ok bool
			if _, body, ok, err = r.next(); !ok || err != nil {
				break
			}
			fuzzBody(t, body, int(columns))
		}
		wantDamaged(t, err)
	})
}

// fuzzBody checks that one column read alone is what it is among the others.
func fuzzBody(t *testing.T, body []byte, columns int) {
	all := make([]fleet.Num, columns)
	err := readBody(body, all)
	wantDamaged(t, err)
	for c := 0; c < columns; c += 1 + columns/7 {
		one, oneErr := bodyAt(body, c)
		wantDamaged(t, oneErr)
		if err == nil && (oneErr != nil || one != all[c]) {
			t.Fatalf("column %d is %v alone (%v) and %v among all", c, one, oneErr, all[c])
		}
	}
}

func FuzzBlock(f *testing.F) {
	var e encoder
	rows := [][]fleet.Num{seedNums(), seedNums(), seedNums()}
	g := importGroup{rows: rows}
	b, err := e.block([]int64{1000, 2000, 3000}, 5, g.column)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{blockVersion, 0x80, 0x80, 0x04, 1, 1, 1, 0, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := readBlock(raw)
		wantDamaged(t, err)
		if err != nil {
			return
		}
		times, err := b.appendTimes(nil)
		wantDamaged(t, err)
		if err == nil && len(times) != b.rows {
			t.Fatalf("%d times of %d rows", len(times), b.rows)
		}
		var v []fleet.Num
		for c := range min(b.columns, 64) {
			v, err = b.appendColumn(v[:0], c)
			wantDamaged(t, err)
			if err == nil && len(v) != b.rows {
				t.Fatalf("%d values of %d rows", len(v), b.rows)
			}
			for i := 0; err == nil && i < b.rows; i += 1 + b.rows/7 {
				if one, err := pick(b.column(c), b.rows, i); err != nil || one != v[i] {
					t.Fatalf("column %d: value %d is %v alone (%v) and %v among all", c, i, one, err, v[i])
				}
			}
		}
		_, err = b.appendColumn(nil, b.columns)
		if err == nil {
			t.Fatal("a column beyond the last")
		}
	})
}

// FuzzInts reads a run of integers of any coding, and writes what it read.
func FuzzInts(f *testing.F) {
	for _, v := range [][]int64{
		{1, 2, 1, 1, 2, 1, 1, 1 << 62, 1, 0, 1, 1, 2, 1, 1, 1, 0},       // rice
		{5, 5, 5, 5, 5, 5, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9},             // runs, scaled
		{0, 75, 150, 75, 0, 75, 300, 75, 0, 75, 0, 75, 150, 75, 0, 75},  // scaled
		{1 << 40, 1<<40 + 9, 1<<40 + 13, 1<<40 + 900, 1<<40 + 901, -77}, // a counter, reset
	} {
		f.Add(new(intCoder).appendInts(nil, v), len(v))
	}
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		v, _, err := readInts(nil, b, n)
		wantDamaged(t, err)
		if err != nil {
			return
		}
		if len(v) != n {
			t.Fatalf("%d integers of %d", len(v), n)
		}
		back, rest, err := readInts(nil, new(intCoder).appendInts(nil, v), n)
		if err != nil || len(rest) != 0 || !slices.Equal(back, v) {
			t.Fatalf("%v came back as %v, %d bytes left, %v", v, back, len(rest), err)
		}
	})
}

func FuzzRecords(f *testing.F) {
	f.Add(encodeLayout(allKeys))
	f.Add(ranges{{1, 5}, {9, 9}}.encode())
	f.Add([]byte(`{"id":"1","at":"2026-01-02T03:04:05Z","target":"s1","severity":"warn"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if keys, err := decodeLayout(b); err == nil {
			if back := encodeLayout(keys); len(back) > len(b) {
				t.Fatalf("a layout grew from %d to %d bytes", len(b), len(back))
			}
		} else {
			wantDamaged(t, err)
		}
		if r, err := decodeRanges(b); err == nil && !slices.Equal(r.encode(), b) {
			t.Fatal("ranges changed")
		} else {
			wantDamaged(t, err)
		}
		key := []byte("s1\x00\x01row")
		raw := seal(key, slices.Clone(b))
		if v, err := unseal(key, raw); err != nil || string(v) != string(b) {
			t.Fatalf("unseal: %v", err)
		}
		_, err := readEvent(key, raw)
		wantDamaged(t, err)
		_, err = readJob(key, raw)
		wantDamaged(t, err)
		_, err = readAuditEntry(key, raw)
		wantDamaged(t, err)
		_, err = readImport(key, raw)
		wantDamaged(t, err)
		_, err = readBlockKey(b)
		wantDamaged(t, err)
		_, _, _, err = readRowKey(b)
		wantDamaged(t, err)
		_, err = unseal(key, b) // by luck alone
		wantDamaged(t, err)
	})
}

// Every coding gives back what it was given, and each of them is chosen.
func TestColumnsComeBackAsTheyWere(t *testing.T) {
	chosen := map[byte]bool{}
	kinds := map[byte]bool{}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(t, "n")
		start := rapid.Int64().Draw(t, "start")
		slope := rapid.Int64Range(-1000, 1000).Draw(t, "slope")
		if rapid.Bool().Draw(t, "level") {
			slope = 0
		}
		noise := int64(1) << rapid.IntRange(0, 62).Draw(t, "noise bits")
		rare := rapid.SampledFrom([]int{0, 1, 5, 50}).Draw(t, "noise in")
		nulls := rapid.SampledFrom([]int{0, 0, 2, 1}).Draw(t, "null in")
		mixed := rapid.IntRange(0, 9).Draw(t, "mixed") == 0
		levels := rapid.IntRange(0, 3).Draw(t, "levels") == 0
		v := make([]fleet.Num, n)
		x := start
		for i := range v {
			x += slope
			if rare > 0 && rapid.IntRange(1, rare).Draw(t, "rare") == 1 {
				x += rapid.Int64Range(-noise, noise).Draw(t, "noise")
			}
			if nulls > 0 && rapid.IntRange(1, nulls).Draw(t, "null") == 1 {
				continue
			}
			v[i] = fleet.Dec(x, -3)
			if levels {
				v[i].N = start + rapid.Int64Range(0, 3).Draw(t, "level")
			}
			if mixed {
				v[i].Scale = int8(rapid.IntRange(-18, 18).Draw(t, "scale"))
			}
		}
		var e encoder
		b := e.appendColumn(nil, v)
		kinds[b[0]] = true
		if b[0] == columnDense {
			chosen[b[2]] = true
		}
		got, err := readColumn(nil, b, n)
		if err != nil {
			t.Fatal(err)
		}
		sameAsCells(t, v, got)
		for i := range v {
			if got[i].String() != v[i].String() {
				t.Fatalf("value %d is %v, was %v", i, got[i], v[i])
			}
			if one, err := pick(b, n, i); err != nil || one != got[i] {
				t.Fatalf("value %d is %v alone (%v) and %v among all", i, one, err, got[i])
			}
		}
	})
	// What chance seldom draws: whole steps of 75 rpm, a slope, rare
	// jumps.
	fan, slope, jumps := make([]int64, 120), make([]int64, 120), make([]int64, 120)
	for i := range fan {
		fan[i] = 4800 + 75*int64(i*i%7)
		if i > 0 {
			slope[i] = slope[i-1] + 1000 + int64(i*i%7&1)
		}
		if i >= 70 {
			jumps[i] = 9 + int64(i/90)
		}
	}
	for _, v := range [][]int64{fan, slope, jumps} {
		b := new(intCoder).appendInts(nil, v)
		if back, _, err := readInts(nil, b, len(v)); err != nil || !slices.Equal(back, v) {
			t.Errorf("%v became %v, %v", v, back, err)
		}
		chosen[b[0]] = true
	}
	for _, code := range []byte{codeFrame, codeDelta, codeSteps, codeRice, codeRuns, codeScaled} {
		if !chosen[code] {
			t.Errorf("coding %d was never the smallest", code)
		}
	}
	for _, kind := range []byte{columnEmpty, columnDense, columnGappy, columnMixed} {
		if !kinds[kind] {
			t.Errorf("kind %d was never written", kind)
		}
	}
}

// sameAsCells encodes a column on the way without a fleet.Num of each value, in
// both efforts, behind rows that are there already.
func sameAsCells(t *rapid.T, v, want []fleet.Num) {
	var e encoder
	for _, e.brief = range []bool{false, true} {
		var in, out cells
		for _, x := range v {
			in.add(x)
		}
		out.add(fleet.Int(7))
		b := e.appendCells(nil, &in)
		if err := readCells(&out, b, len(v)); err != nil {
			t.Fatal(err)
		}
		e.settle(&in)
		if again := e.appendCells(nil, &in); !slices.Equal(again, b) {
			t.Fatalf("brief %v: settled cells take %d bytes that differ from %d", e.brief, len(again), len(b))
		}
		if !slices.Equal(in.ints, out.ints[1:]) || !slices.Equal(in.scales, out.scales[1:]) {
			t.Fatalf("brief %v: settled cells are not what is read", e.brief)
		}
		got := out.appendNums(nil)
		if len(got) != 1+len(want) || got[0] != fleet.Int(7) {
			t.Fatalf("%d cells of %d rows, behind %v", len(got)-1, len(want), got[0])
		}
		for i, x := range got[1:] {
			if x.String() != want[i].String() {
				t.Fatalf("brief %v: cell %d is %v, want %v", e.brief, i, x, want[i])
			}
		}
	}
}

// Any flipped bit of a stored record is found by its checksum.
func TestEveryFlippedBitIsFound(t *testing.T) {
	key, value := []byte("s1\x00\x01fan1"), []byte(`{"rpm":4200}`)
	raw := seal(key, slices.Clone(value))
	for i := range 8 * len(raw) {
		bad := slices.Clone(raw)
		bad[i/8] ^= 1 << (i % 8)
		if _, err := unseal(key, bad); !errors.Is(err, ErrDamaged) {
			t.Fatalf("bit %d of the value: %v", i, err)
		}
	}
	for i := range 8 * len(key) {
		bad := slices.Clone(key)
		bad[i/8] ^= 1 << (i % 8)
		if _, err := unseal(bad, raw); !errors.Is(err, ErrDamaged) {
			t.Fatalf("bit %d of the key: %v", i, err)
		}
	}
}
