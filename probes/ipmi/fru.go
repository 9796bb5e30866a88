package ipmi

import (
	"errors"
	"fmt"
)

// fruInfo is what the areas of a FRU say that plumb has a word for (Platform
// Management FRU Information Storage Definition 1.0, sections 10 to 12).
type fruInfo struct {
	chassisPart, chassisSerial                     string
	boardVendor, boardName, boardSerial, boardPart string
	vendor, product, part, version, serial, asset  string
	hasChassis, hasBoard, hasProduct               bool
	trouble                                        []string // areas that could not be read
}

// fruHeader is where the areas begin, in bytes; 0 where there is none.
type fruHeader struct{ chassis, board, product int }

const (
	fruHeaderSize = 8
	fruMaxArea    = 255 * 8
	fruEnd        = 0xc1 // type/length byte behind the last field
)

var errFRU = errors.New("malformed FRU")

// parseFRUHeader reads the common header (section 8).
func parseFRUHeader(b []byte) (fruHeader, error) {
	if len(b) < fruHeaderSize || b[0]&0x0f != 1 {
		return fruHeader{}, fmt.Errorf("%w: no common header", errFRU)
	}
	if checksum(b[:fruHeaderSize]) != 0 {
		return fruHeader{}, fmt.Errorf("%w: checksum of the common header", errFRU)
	}
	return fruHeader{int(b[2]) * 8, int(b[3]) * 8, int(b[4]) * 8}, nil
}

// fruFields splits an area into its fields from an offset on. An area whose
// fields do not end inside it gives those that do, and an error.
func fruFields(b []byte, at int, english bool) ([]string, error) {
	var list []string
	for at < len(b) && b[at] != fruEnd {
		n := int(b[at] & 0x3f)
		if at+1+n > len(b) {
			return list, fmt.Errorf("%w: a field runs out of its area", errFRU)
		}
		list = append(list, fruText(b[at]>>6, b[at+1:at+1+n], english))
		at += 1 + n
	}
	if at >= len(b) {
		return list, fmt.Errorf("%w: an area does not end", errFRU)
	}
	return list, nil
}

// field returns a field or "".
func field(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// english reports whether a language code means 8-bit text is Latin 1
// (section 15: 0 and 25).
func english(code byte) bool { return code == 0 || code == 25 }

// addChassis reads a chassis area (section 10).
func (f *fruInfo) addChassis(b []byte) {
	list, err := fruFields(b, 3, true)
	f.note("chassis", err)
	f.hasChassis = true
	f.chassisPart, f.chassisSerial = field(list, 0), field(list, 1)
}

// addBoard reads a board area (section 11).
func (f *fruInfo) addBoard(b []byte) {
	if len(b) < 6 {
		f.note("board", errFRU)
		return
	}
	list, err := fruFields(b, 6, english(b[2]))
	f.note("board", err)
	f.hasBoard = true
	f.boardVendor, f.boardName, f.boardSerial, f.boardPart = field(list, 0), field(list, 1), field(list, 2), field(list, 3)
}

// addProduct reads a product area (section 12).
func (f *fruInfo) addProduct(b []byte) {
	if len(b) < 3 {
		f.note("product", errFRU)
		return
	}
	list, err := fruFields(b, 3, english(b[2]))
	f.note("product", err)
	f.hasProduct = true
	f.vendor, f.product, f.part, f.version, f.serial, f.asset = field(list, 0), field(list, 1), field(list, 2), field(list, 3), field(list, 4), field(list, 5)
}

func (f *fruInfo) note(area string, err error) {
	if err != nil {
		f.trouble = append(f.trouble, area)
	}
}

// first returns the first text that is not empty.
func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}
