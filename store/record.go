package store

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Every value on disk ends in a checksum over its key and itself, so that a
// flipped bit in either is found, also by a reader of that one record. bbolt
// sums only its two meta pages.

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const sumLen = 4

func checksum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
}

// seal appends the checksum to value and returns it.
func seal(key, value []byte) []byte {
	return binary.BigEndian.AppendUint32(value, checksum(key, value))
}

// unseal checks a stored value and returns it without its checksum. The slice
// is the database's own and dies with the transaction.
func unseal(key, raw []byte) ([]byte, error) {
	n := len(raw) - sumLen
	if n < 0 {
		return nil, damaged("record %s is too short", keyText(key))
	}
	if binary.BigEndian.Uint32(raw[n:]) != checksum(key, raw[:n]) {
		return nil, damaged("record %s fails its checksum", keyText(key))
	}
	return raw[:n:n], nil
}

// keyText is a key for those who look for it: as it is, or in hex.
func keyText(key []byte) string {
	binary := func(r rune) bool { return r < ' ' && r != 0 || r == utf8.RuneError }
	if len(key) == 0 || key[0] == 0 || bytes.ContainsFunc(key, binary) {
		return hex.EncodeToString(key)
	}
	return strconv.Quote(string(key))
}

// maxName bounds what stands in a key: a target, a row, an event's id. bbolt
// refuses keys above 32 KiB; nothing real comes near this.
const maxName = 1024

// nameOK reports whether s may stand in a key. Zero bytes separate the parts
// of a key, and text that passed fleet.Clean has none.
func nameOK(s string) bool { return len(s) <= maxName && strings.IndexByte(s, 0) < 0 }

// appendTime writes a time so that keys sort as times do. Times outside of the
// years 1678 to 2262 are moved to the nearest end.
func appendTime(b []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(unixNano(t))^1<<63)
}

func readTime(b []byte) time.Time {
	return time.Unix(0, int64(binary.BigEndian.Uint64(b)^1<<63)).UTC()
}

var (
	minTime = time.Unix(0, math.MinInt64)
	maxTime = time.Unix(0, math.MaxInt64)
)

func unixNano(t time.Time) int64 {
	switch {
	case t.Before(minTime):
		return math.MinInt64
	case t.After(maxTime):
		return math.MaxInt64
	}
	return t.UnixNano()
}

// cut splits a key at its first zero byte.
func cut(key []byte) (head string, rest []byte, ok bool) {
	for i, c := range key {
		if c == 0 {
			return string(key[:i]), key[i+1:], true
		}
	}
	return "", nil, false
}
