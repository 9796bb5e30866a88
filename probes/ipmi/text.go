package ipmi

import (
	"encoding/hex"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"plumb/fleet"
)

// Encodings of a type/length byte, as SDRs (section 43.15) and FRU areas (FRU
// specification section 13) share them. Only code 0 differs.
const (
	textCode0  = 0 // SDR: unicode; FRU: binary
	textBCD    = 1
	textPacked = 2 // 6-bit ASCII
	textLatin  = 3 // 8-bit ASCII and Latin 1; FRU in other languages: UTF-16
)

const bcdPlus = "0123456789 -.:,_"

// bcdText reads BCD plus, high digit first.
func bcdText(b []byte) string {
	var s strings.Builder
	for _, x := range b {
		s.WriteByte(bcdPlus[x>>4])
		s.WriteByte(bcdPlus[x&15])
	}
	return s.String()
}

// packedText reads 6-bit ASCII: four characters in three bytes, low bits first.
func packedText(b []byte) string {
	var s strings.Builder
	var acc, bits uint
	for _, x := range b {
		acc |= uint(x) << bits
		for bits += 8; bits >= 6; bits -= 6 {
			s.WriteByte(byte(acc&0x3f) + 0x20)
			acc >>= 6
		}
	}
	return s.String()
}

// latinText reads 8-bit text: as UTF-8 where it is, else as Latin 1. It ends
// at the first NUL.
func latinText(b []byte) string {
	for i, x := range b {
		if x == 0 {
			b = b[:i]
			break
		}
	}
	if utf8.Valid(b) {
		return string(b)
	}
	r := make([]rune, len(b))
	for i, x := range b {
		r[i] = rune(x)
	}
	return string(r)
}

// wideText reads UTF-16, little end first.
func wideText(b []byte) string {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = uint16(b[2*i]) | uint16(b[2*i+1])<<8
	}
	return string(utf16.Decode(u))
}

// sdrText reads an SDR's id string.
func sdrText(code byte, b []byte) string {
	s := latinText(b)
	switch code {
	case textCode0:
		s = wideText(b)
	case textBCD:
		s = bcdText(b)
	case textPacked:
		s = packedText(b)
	}
	return fleet.Clean(s, fleet.MaxText)
}

// fruText reads a FRU field; english says that 8-bit text is Latin 1.
func fruText(code byte, b []byte, english bool) string {
	s := latinText(b)
	switch {
	case code == textCode0:
		s = hex.EncodeToString(b)
	case code == textBCD:
		s = bcdText(b)
	case code == textPacked:
		s = packedText(b)
	case !english && len(b) > 2 && len(b)%2 == 0 && b[1] == 0:
		s = wideText(b)
	}
	return fleet.Clean(s, fleet.MaxText)
}
