package ipmi

import (
	"encoding/binary"
	"maps"
	"testing"
	"time"
)

// settings are what a fake BMC keeps besides power: boot options, users, the
// limits of its cipher suites, and a log that can be cleared.
type settings struct {
	boot   map[byte][]byte
	lan    map[byte][]byte
	users  map[byte]*fakeUser
	erases int // how often it says that the log is being erased
	locked bool
	before map[byte][]byte         // of the set that is being changed, until it is committed
	refuse map[[2]uint8]completion // by function and number

	reserved uint16
	sent     [][]byte // settings that were written, function and number before the data
}

type fakeUser struct {
	name   string
	status byte // 1 enabled, 2 disabled, 0 not told
	access byte
}

// withSettings makes the fake keep settings: users root (ours), mon, spare and
// an empty slot; suites 0, 3 and 17.
func withSettings(f *fakeBMC) *settings {
	s := &settings{
		boot: map[byte][]byte{0: {0}, paramBootKeep: {0}, paramBootAck: {0, 0}, paramBootFlags: {bootUEFI, 0, 0, 0, 0}},
		lan: map[byte][]byte{0: {0}, paramSuiteCount: {3}, paramSuites: append([]byte{0, 0, 3, 17}, make([]byte, 13)...),
			paramSuiteLimits: {0, 0x44, 0x04, 0, 0, 0, 0, 0, 0}},
		users: map[byte]*fakeUser{
			1: {"", 2, 0x0f}, 2: {"ADMIN", 1, 0x14}, 3: {"mon", 1, 0x12}, 4: {"spare", 1, 0x14}, 5: {"", 2, 0x0f},
		},
		refuse: map[[2]uint8]completion{},
	}
	f.on = func(fn netFn, cmd uint8, data []byte) (completion, []byte, bool) { return s.answer(f, fn, cmd, data) }
	return s
}

func (s *settings) answer(f *fakeBMC, fn netFn, cmd uint8, data []byte) (completion, []byte, bool) {
	key := [2]uint8{uint8(fn), cmd}
	if code, ok := s.refuse[key]; ok {
		return code, nil, true
	}
	switch key {
	case [2]uint8{uint8(fnChassis), 0x08}:
		code := s.write(s.boot, key, data)
		return code, nil, true
	case [2]uint8{uint8(fnChassis), 0x09}:
		b, ok := s.boot[data[0]]
		if !ok {
			return 0x80, nil, true
		}
		return 0, append([]byte{1, data[0]}, b...), true
	case [2]uint8{uint8(fnTransport), 0x01}:
		if data[0] != 1 {
			return ccInvalidField, nil, true // settings want the channel's number
		}
		return s.write(s.lan, key, data[1:]), nil, true
	case [2]uint8{uint8(fnTransport), 0x02}:
		b, ok := s.lan[data[1]]
		if !ok {
			return 0x80, nil, true
		}
		return 0, append([]byte{0x11}, b...), true
	case [2]uint8{uint8(fnApp), 0x42}:
		return 0, []byte{1, 4, 1, 0x81, 0xf2, 0x1b, 0, 0, 0}, true
	case [2]uint8{uint8(fnApp), 0x44}:
		u := s.users[data[1]]
		if u == nil {
			return ccRange, nil, true
		}
		return 0, []byte{byte(len(s.users)), u.status << 6, 1, u.access}, true
	case [2]uint8{uint8(fnApp), 0x46}:
		u := s.users[data[0]]
		if u == nil || u.name == "" {
			return ccInvalidField, nil, true
		}
		return 0, append([]byte(u.name), make([]byte, maxUsername-len(u.name))...), true
	case [2]uint8{uint8(fnApp), 0x47}:
		s.note(key, data)
		if u := s.users[data[0]&0x3f]; data[1] == opDisable && u.status != 0 {
			u.status = 2
		}
		return 0, nil, true
	case [2]uint8{uint8(fnStorage), 0x42}:
		s.reserved++
		return 0, binary.LittleEndian.AppendUint16(nil, s.reserved), true
	case [2]uint8{uint8(fnStorage), 0x47}:
		return s.erase(f, key, data)
	}
	return 0, nil, false
}

func (s *settings) note(key [2]uint8, data []byte) {
	s.sent = append(s.sent, append(key[:], data...))
}

func (s *settings) write(to map[byte][]byte, key [2]uint8, data []byte) completion {
	if data[0] == paramInUse {
		if s.locked && data[1] == setInProgress {
			return ccInUse
		}
		switch data[1] {
		case setInProgress:
			s.locked, s.before = true, maps.Clone(to)
		case commitWrite:
			s.before = maps.Clone(to)
		case setComplete: // takes back what was not committed
			maps.Copy(to, s.before)
			s.locked, s.before = false, nil
		}
		return 0
	}
	if to[data[0]] == nil {
		return 0x80
	}
	s.note(key, data)
	to[data[0]] = append([]byte(nil), data[1:]...)
	return 0
}

func (s *settings) erase(f *fakeBMC, key [2]uint8, data []byte) (completion, []byte, bool) {
	if binary.LittleEndian.Uint16(data) != s.reserved || string(data[2:5]) != "CLR" {
		return ccReservation, nil, true
	}
	if data[5] == eraseBegin {
		s.note(key, data)
		f.sel, f.erased = nil, f.erased+1000
	}
	if s.erases > 0 {
		s.erases--
		return 0, []byte{0}, true
	}
	return 0, []byte{eraseDone}, true
}

// written returns how many settings with this function and number were sent.
func (f *fakeBMC) written(s *settings, fn netFn, cmd uint8) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range s.sent {
		if b[0] == byte(fn) && b[1] == cmd {
			n++
		}
	}
	return n
}

// hasty makes a probe that does not wait long for what was written to show.
func hasty(f *fakeBMC) *BMC {
	b := f.probe()
	b.settle, b.restart = 50*time.Millisecond, 2*time.Second
	return b
}

// loseAnswer swallows the answer to the next command with this number.
func loseAnswer(t *testing.T, f *fakeBMC, fn netFn, cmd uint8, when func(data []byte) bool) {
	t.Helper()
	before := f.on
	f.on = func(n netFn, c uint8, data []byte) (completion, []byte, bool) {
		code, out, handled := before(n, c, data)
		if n == fn && c == cmd && when(data) {
			return noAnswer, nil, true
		}
		return code, out, handled
	}
}
